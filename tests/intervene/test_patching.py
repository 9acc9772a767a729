"""Patching against plain loops, one cell at a time."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from app.engine.engine import Engine
from app.intervene.interface import OpenedNetwork
from app.intervene.pairs import ReadPair, read_texts
from app.intervene.patching import patch_block, patch_cell, patch_heads, patch_map, patch_steps, patch_together
from app.intervene.transplant import transplant
from app.network.experts import StackedExperts
from tests.intervene.plain import Recorder, plain

FIRST, SECOND, ANSWERS = [2, 20, 11, 30, 17, 9], [2, 20, 33, 30, 25, 9], (4, 49)


@pytest.fixture(scope="module")
def read(opened: OpenedNetwork) -> ReadPair:
    pair = read_texts(opened, FIRST, SECOND, ANSWERS)
    assert pair.explained.all()
    return pair


def network(engine: Engine) -> StackedExperts:
    assert isinstance(engine.model, StackedExperts)
    return engine.model


def margin(logits: Tensor) -> float:
    return float(logits[-1, ANSWERS[0]] - logits[-1, ANSWERS[1]])


def patched_by_hand(model: StackedExperts, expert: int, name: str, layer: int, at: Any) -> tuple[Tensor, float]:
    """Logits after the first text with one thing of the second at `at`, and the share of the margin restored."""
    there = Recorder()
    after = margin(plain(model, expert, model.embedding[SECOND], there))

    def patch(seen: str, number: int, x: Tensor) -> Tensor:
        if (seen, number) == (name, layer):
            x = x.clone()
            x[at] = there.seen[name, layer][at]
        return x

    before = margin(plain(model, expert, model.embedding[FIRST]))
    logits = plain(model, expert, model.embedding[FIRST], patch)
    return logits, (margin(logits) - before) / (after - before)


def test_every_cell_equals_a_run_patched_by_hand(tiny: Engine, read: ReadPair) -> None:
    found = patch_map(read)
    assert found.effect.shape == (3, 4, len(FIRST))
    patched = np.zeros((2, *found.effect.shape[1:]))
    for expert in range(2):
        for layer in range(4):
            for position in range(len(FIRST)):
                logits, effect = patched_by_hand(network(tiny), expert, "state", layer, position)
                patched[expert, layer, position] = margin(logits)
                assert found.effect[expert, layer, position] == pytest.approx(effect, abs=2e-3)
    assert np.allclose(found.patched[:2], patched, atol=1e-3)
    assert np.allclose(found.patched[2], patched.mean(0), atol=1e-3)


def test_first_and_last_layer_are_exact_by_construction(read: ReadPair) -> None:
    found = patch_map(read)
    same = [p for p in range(len(FIRST)) if p not in read.pair.changed]
    assert np.allclose(found.effect[:, 0, same], 0, atol=1e-5)
    assert np.allclose(found.effect[:, -1, :-1], 0, atol=1e-5) and np.allclose(found.effect[:, -1, -1], 1, atol=1e-5)


def test_the_other_direction_swaps_texts_and_margins(opened: OpenedNetwork, read: ReadPair) -> None:
    there = patch_map(read.reversed)
    again = patch_map(read_texts(opened, SECOND, FIRST, ANSWERS))
    assert np.allclose(there.effect, again.effect, atol=1e-4)
    assert np.array_equal(there.margins, again.margins)


def test_progress_ends_with_everything_done(read: ReadPair) -> None:
    shares = list(patch_steps(read))
    assert shares == sorted(shares) and shares[-1] == 1


def test_a_cell_predicts_what_the_patched_run_says(tiny: Engine, read: ReadPair) -> None:
    cell = patch_cell(read, 2, 3)
    for expert in range(2):
        logits, _ = patched_by_hand(network(tiny), expert, "state", 2, 3)
        wanted = logits[-1].log_softmax(-1).topk(8)
        assert cell.patched.ids[expert].tolist() == wanted.indices.tolist()
        assert np.allclose(cell.patched.log_probs[expert], wanted.values, atol=1e-3)
    assert not np.allclose(cell.before.log_probs, cell.other.log_probs, atol=1e-2)


@pytest.mark.parametrize("position", [None, 4])
def test_parts_of_a_block_equal_runs_patched_by_hand(tiny: Engine, read: ReadPair, position: int | None) -> None:
    found = patch_block(read, 2, position)
    rows = slice(None) if position is None else position
    for expert in range(2):
        for head in range(4):
            _, effect = patched_by_hand(network(tiny), expert, "heads", 2, (rows, head))
            assert found.heads[expert, head] == pytest.approx(effect, abs=2e-3)
        for name, value in (("heads", found.attention), ("mlp", found.mlp)):
            _, effect = patched_by_hand(network(tiny), expert, name, 2, rows)
            assert value[expert] == pytest.approx(effect, abs=2e-3)


def test_several_heads_together(tiny: Engine, read: ReadPair) -> None:
    chosen = [(1, 0), (3, 2), (3, 1)]
    there = Recorder()
    model = network(tiny)
    for expert in range(2):
        plain(model, expert, model.embedding[SECOND], there)

        def patch(name: str, layer: int, x: Tensor, own: Recorder = there) -> Tensor:
            x = x.clone()
            for block, head in chosen:
                if (name, layer) == ("heads", block):
                    x[:, head] = own.seen[name, layer][:, head]
            return x

        patched = margin(plain(model, expert, model.embedding[FIRST], patch))
        before, after = read.margins[expert]
        assert patch_together(read, chosen)[expert] == pytest.approx((patched - before) / (after - before), abs=2e-3)


def test_one_head_together_is_that_head(read: ReadPair) -> None:
    assert np.allclose(patch_together(read, [(2, 3)]), patch_heads(read)[:, 1, 3], atol=1e-4)


def test_an_expert_whose_margin_stays_has_no_effect(opened: OpenedNetwork) -> None:
    pair = read_texts(opened, FIRST, SECOND, ANSWERS)
    margins = np.array([[0.3, 0.9], [5.0, 2.0], [2.0, 3.5]])
    found = patch_map(ReadPair(pair.pair, opened, pair.first, pair.second, margins))
    assert np.isnan(found.effect[0]).all() and np.isfinite(found.effect[1:]).all()


def test_a_state_from_a_text_of_another_length(tiny: Engine, opened: OpenedNetwork) -> None:
    donor, source, position = [2, 50, 41, 12], 2, 3
    found = transplant(opened, FIRST, position, donor, source, [14, 40])
    model = network(tiny)
    for expert in range(2):
        there = Recorder()
        plain(model, expert, model.embedding[donor], there)
        for layer in range(4):

            def patch(name: str, number: int, x: Tensor, layer: int = layer, own: Recorder = there) -> Tensor:
                if (name, number) == ("state", layer):
                    x = x.clone()
                    x[position] = own.seen[name, layer][source]
                return x

            logits = plain(model, expert, model.embedding[FIRST], patch)[-1]
            logs = logits.log_softmax(-1)
            assert np.allclose(found.log_probs[expert, layer], logs[[14, 40]], atol=2e-3)
            assert found.top[expert, layer] == int(logs.argmax())
            assert found.ranks[expert, layer, 0] == int((logits > logits[14]).sum()) + 1
    assert np.allclose(found.jensen_shannon[:, -1], 0, atol=1e-5)  # the last layer's state of an inner position


def test_a_state_in_its_own_place_changes_nothing(opened: OpenedNetwork) -> None:
    found = transplant(opened, FIRST, 3, FIRST, 3, [14])
    assert np.allclose(found.log_probs, found.own[:, None], atol=1e-4)
    assert torch.allclose(torch.from_numpy(found.jensen_shannon), torch.zeros(()), atol=1e-5)
