"""Silencing by the mean against plain runs with the mean put in by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor

from app.engine.engine import Engine
from app.intervene.head_effects import silence_each_head
from app.intervene.interface import OpenedNetwork
from app.intervene.predictions import jensen_shannon
from app.intervene.runs import read
from app.intervene.silencing import (
    Means,
    Silenced,
    measure_means,
    random_parts,
    reference_means,
    silence,
    silenced_logits,
)
from app.intervene.steps import run_to_end
from app.intervene.stories import read_stories
from app.network.experts import StackedExperts
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain

IDS = [2, 20, 11, 30, 17, 9]
REFERENCE = [[2, 7, 50, 41], [2, 12, 33]]


@pytest.fixture(scope="module")
def means(opened: OpenedNetwork) -> Means:
    return measure_means(opened, REFERENCE)


def recorded(model: StackedExperts, expert: int, name: str, layer: int) -> Tensor:
    """The mean over all positions of the reference texts, start tokens left out."""
    rows = []
    for ids in REFERENCE:
        seen = Recorder()
        logits = plain(model, expert, model.embedding[ids], seen)
        rows.append((logits if name == "logits" else seen.seen[name, layer])[1:])
    return torch.cat(rows).mean(0)


PARTS = [
    [Silenced(0, "head", 2, 3)],
    [Silenced(1, "attention", 1)],
    [Silenced(0, "mlp", 3)],
    [Silenced(0, "block", 2)],
    [Silenced(0, "head", 1, 0), Silenced(0, "head", 1, 2), Silenced(1, "mlp", 2)],
]


@pytest.mark.parametrize("parts", PARTS)
def test_predictions_equal_those_with_means_put_in(
    tiny: Engine, opened: OpenedNetwork, means: Means, parts: list[Silenced]
) -> None:
    model = tiny.model
    assert isinstance(model, StackedExperts)
    found = silence(opened, means, IDS, parts)
    rows = []
    for expert in range(2):

        def hook(name: str, layer: int, x: Tensor, expert: int = expert) -> Tensor:
            for part in parts:
                halves = ("attention", "mlp") if part.kind == "block" else (part.kind,)
                if part.expert != expert or part.layer != layer:
                    continue
                if name == "heads" and part.kind == "head":
                    x = x.clone()
                    x[:, part.head] = recorded(model, expert, "heads", layer)[part.head]
                elif name in halves:
                    x = recorded(model, expert, name, layer).expand_as(x)
            return x

        rows.append(plain(model, expert, model.embedding[IDS], hook)[-1])
    logits = torch.stack([*rows, (rows[0] + rows[1]) / 2])
    best = logits.log_softmax(-1).topk(8)
    assert np.allclose(found.after.log_probs, best.values, atol=5e-3)
    assert np.array_equal(found.after.ids[:, 0], best.indices[:, 0])
    assert found.jensen_shannon[-1] > 1e-4


def test_a_silenced_expert_gives_its_mean_logits(tiny: Engine, opened: OpenedNetwork, means: Means) -> None:
    model = tiny.model
    assert isinstance(model, StackedExperts)
    found = silence(opened, means, IDS, [Silenced(0, "expert")])
    mean = recorded(model, 0, "logits", 0)
    other = plain(model, 1, model.embedding[IDS])[-1]
    logits = torch.stack((mean, other, (mean + other) / 2))
    assert np.allclose(found.after.log_probs, logits.log_softmax(-1).topk(8).values, atol=5e-3)
    assert found.jensen_shannon[1] == pytest.approx(0, abs=1e-6)


def test_divergence_and_the_same_tokens_before(tiny: Engine, opened: OpenedNetwork, means: Means) -> None:
    found = silence(opened, means, IDS, [Silenced(1, "block", 1)])
    model = tiny.model
    assert isinstance(model, StackedExperts)
    before = plain(model, 1, model.embedding[IDS])[-1].log_softmax(-1)
    assert np.allclose(found.before_again[1], before[found.after.ids[1]], atol=5e-3)
    assert found.jensen_shannon[0] == pytest.approx(0, abs=1e-6)  # the other expert is left alone


def test_means_over_the_reference_texts_are_measured_once(tiny: Engine, opened: OpenedNetwork) -> None:
    found = reference_means(tiny)
    texts = [[2, *tiny.ids_of(text)[: tiny.context - 1]] for text in read_stories().reference]
    assert found.positions == sum(len(ids) - 1 for ids in texts)
    assert torch.equal(found.mlp, measure_means(opened, texts).mlp) and reference_means(tiny) is found


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "nothing_silenced"),
        ([Silenced(0, "head", 1, 9)], "no_head"),
        ([Silenced(5, "expert")], "no_head"),
        ([Silenced(0, "block", 0)], "no_head"),
    ],
)
def test_refusals(opened: OpenedNetwork, means: Means, parts: list[Silenced], code: str) -> None:
    with pytest.raises(UserError) as error:
        silence(opened, means, IDS, parts)
    assert error.value.code == code


def test_every_head_at_once_is_every_head_alone(tiny: Engine, opened: OpenedNetwork, means: Means) -> None:
    run = read(opened, IDS)
    found = run_to_end(silence_each_head(opened, means, run, 7))
    assert found.moved.shape == (2, 3, 4)
    for place in np.ndindex(2, 3, 4):
        expert, layer, head = place
        before, after = silenced_logits(opened, means, IDS, [Silenced(expert, "head", layer + 1, head)])
        moved = (after.log_softmax(-1) - before.log_softmax(-1))[-1, 7]
        assert found.moved[place] == pytest.approx(float(moved), abs=1e-3)
        assert found.jensen_shannon[place] == pytest.approx(float(jensen_shannon(before[-1], after[-1])), abs=1e-4)


def test_random_parts_are_others_of_the_same_kinds(opened: OpenedNetwork) -> None:
    chosen = [*(Silenced(0, "head", 2, head) for head in range(3)), Silenced(1, "mlp", 1), Silenced(1, "block", 3)]
    for seed in range(9):
        drawn = random_parts(opened, chosen, seed)
        assert (drawn is not None and not set(drawn) & set(chosen)) or drawn is None
    assert random_parts(opened, chosen[:2]) is not None and random_parts(opened, chosen) is None  # one head is left
    assert random_parts(opened, [Silenced(0, "expert")]) == (Silenced(1, "expert"),)
