"""Weights in float32: kept where there is room, equal to plain copies everywhere."""

import threading

import pytest
import torch

from app.foreign.compute.norms import linear
from app.foreign.compute.widened import float32, keep_widened, kept_float32

pytestmark = pytest.mark.quick

WEIGHT = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)).bfloat16()
BYTES = 4 * WEIGHT.numel()


def test_a_weight_is_widened_once_while_weights_are_kept() -> None:
    with keep_widened(BYTES):
        first = float32(WEIGHT)
        assert float32(WEIGHT) is first and torch.equal(first, WEIGHT.float())
        assert torch.equal(linear(torch.ones(1, 4), WEIGHT, None), torch.ones(1, 4) @ WEIGHT.float().T)
    assert float32(WEIGHT) is not first


def test_views_of_one_storage_are_told_apart() -> None:
    with keep_widened(10 * BYTES):
        for view in (WEIGHT, WEIGHT[:3], WEIGHT.T, WEIGHT[1:4]):
            assert torch.equal(float32(view), view.float())


def test_what_has_no_room_is_widened_anew() -> None:
    with keep_widened(BYTES - 1):
        assert kept_float32(WEIGHT) is None
        assert torch.equal(float32(WEIGHT), WEIGHT.float())


def test_a_weight_that_is_kept_holds_its_address() -> None:
    with keep_widened(1e6):
        for value in range(20):  # each would take the last one's place in memory
            weight = torch.full((8, 8), float(value)).bfloat16()
            assert float32(weight)[0, 0] == value


def test_other_threads_keep_nothing() -> None:
    found: list[object] = []
    with keep_widened(1e6):
        thread = threading.Thread(target=lambda: found.append(kept_float32(WEIGHT)))
        thread.start()
        thread.join()
    assert found == [None]
