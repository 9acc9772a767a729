"""Linear maps: every kernel gives what the plain product gives, and giving memory back loses nothing."""

import mmap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from app.foreign.compute.kernels import (
    Blocked,
    Map,
    blocks_work,
    fastest_kernel,
    in_blocks,
    in_int8,
    release_weights,
    widening_pays,
)
from app.system.memory import page_out

pytestmark = pytest.mark.quick


@pytest.fixture
def whole() -> Map:
    generator = torch.Generator().manual_seed(1)
    return Map(torch.randn(96, 64, generator=generator).bfloat16(), torch.randn(96, generator=generator).bfloat16())


def rows_of(*shape: int) -> Tensor:
    return torch.randn(*shape, 64, generator=torch.Generator().manual_seed(2)).bfloat16()


def plain(whole: Map, rows: Tensor) -> Tensor:
    """The product in float64."""
    assert whole.bias is not None
    return rows.double() @ whole.weight.double().T + whole.bias.double()


@pytest.mark.parametrize("shape", [(1,), (1, 1), (3,), (2, 5), (40,)])
def test_every_kernel_computes_the_same_map(whole: Map, shape: tuple[int, ...]) -> None:
    rows = rows_of(*shape)
    expected = plain(whole, rows)
    maps: list[Callable[[Tensor], Tensor]] = [
        Map(whole.weight, whole.bias, "vector"),
        Map(whole.weight, whole.bias, "matrix"),
        in_blocks(whole),
    ]
    wide = Map(whole.weight, whole.bias, widen=True)
    maps.append(wide)
    if blocks_work():
        maps += [Blocked(whole), Blocked(wide)]
    for other in maps:
        got = other(rows)
        assert got.dtype == torch.bfloat16 and got.shape == expected.shape
        assert torch.allclose(got.double(), expected, rtol=2**-6, atol=2**-4)


def test_int8_stays_near(whole: Map) -> None:
    rows = rows_of(7)
    got, expected = in_int8(whole)(rows), plain(whole, rows)
    assert got.dtype == torch.float32
    assert float((got - expected).abs().max()) < 0.04 * float(expected.abs().max())


def test_the_quickest_kernel_is_found_once() -> None:
    assert fastest_kernel(1) == fastest_kernel(1) in ("vector", "matrix", "blocked")
    assert widening_pays(1) is widening_pays(1)


def test_many_rows_of_a_widened_map_are_multiplied_in_float32(whole: Map) -> None:
    rows = rows_of(40)
    assert whole.bias is not None
    exact = torch.nn.functional.linear(rows.float(), whole.weight.float(), whole.bias.float()).bfloat16()
    assert torch.equal(Map(whole.weight, whole.bias, widen=True)(rows), exact)


def test_nothing_is_lost_with_memory_that_was_given_back(whole: Map, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    kept = np.arange(1 << 20, dtype=np.float32)
    file.write_bytes(kept.tobytes())
    mapped = np.memmap(file, np.float32, "r")
    assert mapped.sum() == kept.sum()  # all of it is in memory now
    page_out(mapped.ctypes.data, mapped.nbytes)
    assert np.array_equal(mapped, kept)
    alone = torch.arange(1 << 20)  # memory of no file
    page_out(alone.data_ptr(), alone.nbytes)
    assert torch.equal(alone, torch.arange(1 << 20))
    before = whole.weight.clone()
    release_weights(whole)
    assert torch.equal(whole.weight, before)


@pytest.mark.parametrize("size", [0, 1, mmap.PAGESIZE - 1])
def test_less_than_a_page_is_left_alone(size: int) -> None:
    block = np.ones(2 * mmap.PAGESIZE, np.uint8)
    page_out(block.ctypes.data + 1, size)
    assert block.all()
