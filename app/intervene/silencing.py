"""Silencing: a head, an attention, an MLP, a block or an expert says the same at every position, its mean.

The mean over a reference text, not zero: zero is a value that later blocks never see (mean ablation; Wang 2022,
arXiv 2211.00593).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from app.engine.engine import Engine
from app.intervene.interface import Edits, OpenedNetwork
from app.intervene.predictions import TOP, Change, change
from app.intervene.runs import open_network, read
from app.intervene.stories import read_stories
from app.wording.errors import UserError

Kind = Literal["head", "attention", "mlp", "block", "expert"]


@dataclass(frozen=True)
class Silenced:
    """What is silenced: of an expert (its index) a head of a block, its attention, its MLP, both, or all of it.
    layer: the block, from 1; head: from 0."""

    expert: int
    kind: Kind
    layer: int = 0
    head: int = 0


@dataclass(frozen=True, eq=False)
class Means:
    """Means over a reference text of what every part gives: heads (L, E, H, hs), attention and mlp (L, E, d), logits
    (E, V).  positions: over how many, start tokens left out."""

    heads: Tensor
    attention: Tensor
    mlp: Tensor
    logits: Tensor
    positions: int


_measured: WeakKeyDictionary[Engine, Means] = WeakKeyDictionary()  # a network that is let go takes its means along


def reference_means(engine: Engine) -> Means:
    """The means of an engine's network over the reference texts of the stories, measured once.

    Raises:
        UserError: `cannot_open` where it runs by its own code.
    """
    if engine not in _measured:
        ids = map(engine.ids_of, read_stories().reference)
        texts = [[engine.bundle.start, *own[: engine.context - 1]] for own in ids if own]
        _measured[engine] = measure_means(open_network(engine), texts)
    return _measured[engine]


@torch.no_grad()
def measure_means(opened: OpenedNetwork, texts: Sequence[Sequence[int]]) -> Means:
    """The means over some texts of ids, start token included in each."""
    sums: list[Tensor] = []
    count = 0
    for ids in texts:
        whole = read(opened, ids)
        new = [
            torch.stack([inside.heads[:, 0, 1:].double().sum(1) for inside in whole.blocks]),
            torch.stack([inside.attention[:, 0, 1:].double().sum(1) for inside in whole.blocks]),
            torch.stack([inside.mlp[:, 0, 1:].double().sum(1) for inside in whole.blocks]),
            opened.read_out(whole.states[-1][:, 0, 1:])[:-1].double().sum(1),
        ]
        sums = new if not sums else [a + b for a, b in zip(sums, new, strict=True)]
        count += len(ids) - 1
    assert count, "a reference text has tokens"
    heads, attention, mlp, logits = ((total / count).float() for total in sums)
    return Means(heads, attention, mlp, logits, count)


@torch.no_grad()
def silence(
    opened: OpenedNetwork, means: Means, ids: Sequence[int], parts: Sequence[Silenced], count: int = TOP
) -> Change:
    """What is predicted after a text of ids (start token included), before and after some parts are silenced at all
    positions.

    Raises:
        UserError: `no_head` for a part that the network has not; `fixed_weights` for an expert of a fusion that
            needs all of them as they are; `nothing_silenced` where there is no part.
    """
    check_parts(opened, parts)
    edits = {layer: _edits(means, layer, parts) for layer in range(opened.shape.layers)}
    before, after = (opened.read_out(read(opened, ids, edit).last)[:, 0] for edit in (None, edits))
    for part in parts:
        if part.kind == "expert":
            assert opened.weights is not None, "checked"
            after[part.expert] = means.logits[part.expert]
            after[-1] = torch.tensordot(opened.weights.to(after), after[:-1], 1)
    return change(before, after, count)


def check_parts(opened: OpenedNetwork, parts: Sequence[Silenced]) -> None:
    """Refuse parts that are not there."""
    shape = opened.shape
    if not parts:
        raise UserError("nothing_silenced")
    for part in parts:
        inside = part.kind == "expert" or 1 <= part.layer <= shape.layers
        known = part.kind in get_args(Kind) and 0 <= part.expert < shape.experts
        headed = part.kind != "head" or 0 <= part.head < shape.heads
        if not (known and inside and headed):
            raise UserError("no_head", layers=shape.layers, heads=shape.heads - 1)
        if part.kind == "expert" and opened.weights is None:
            raise UserError("fixed_weights")


def _edits(means: Means, layer: int, parts: Sequence[Silenced]) -> Edits:
    """The edits of one block (from 0)."""
    here = [part for part in parts if part.layer == layer + 1]

    def heads(x: Tensor) -> Tensor:
        for part in here:
            if part.kind == "head":
                x = x.clone()
                x[part.expert, :, :, part.head] = means.heads[layer, part.expert, part.head].to(x)
        return x

    def half(kind: Kind, mean: Tensor, x: Tensor) -> Tensor:
        for part in here:
            if part.kind in (kind, "block"):
                x = x.clone()
                x[part.expert] = mean[part.expert].to(x)
        return x

    return Edits(
        heads=heads,
        attention=lambda x: half("attention", means.attention[layer], x),
        mlp=lambda x: half("mlp", means.mlp[layer], x),
    )
