"""Silencing: a head, an attention, an MLP, a block or an expert says the same at every position, its mean.

The mean over a reference text, not zero: zero is a value that later blocks never see (mean ablation; Wang 2022,
arXiv 2211.00593).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from app.engine.engine import Engine
from app.intervene.interface import Edits, OpenedNetwork
from app.intervene.predictions import TOP, Change, change
from app.intervene.runs import open_network, read
from app.intervene.stories import read_stories
from app.trace.record import Floats
from app.wording.errors import UserError

Kind = Literal["head", "attention", "mlp", "block", "expert"]


@dataclass(frozen=True)
class Silenced:
    """What is silenced: of an expert a head of a block, its attention, its MLP, both, or all of it."""

    expert: int
    """Index."""
    kind: Kind
    layer: int = 0
    """The block, from 1; 0 for a whole expert."""
    head: int = 0
    """From 0; 0 for what is no head."""


@dataclass(frozen=True, eq=False)
class Means:
    """Means over a reference text of what every part gives."""

    heads: Tensor
    """(L, E, H, hs): outputs before the output map."""
    attention: Tensor
    """(L, E, d)"""
    mlp: Tensor
    """(L, E, d)"""
    logits: Tensor
    """(E, V)"""
    positions: int
    """Over how many tokens, start tokens left out."""


@dataclass(frozen=True, eq=False)
class Effect:
    """Parts silenced together."""

    parts: tuple[Silenced, ...]
    change: Change
    """Predictions before and after."""
    log_probs: Floats
    """(E + 1, 2): natural, of the followed token before and after, under each expert and, last, the fusion."""


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
        UserError: see `silenced_logits`.
    """
    return change(*silenced_logits(opened, means, ids, parts), count)


def silencing_effect(
    opened: OpenedNetwork, means: Means, ids: Sequence[int], parts: tuple[Silenced, ...], token: int
) -> Effect:
    """What silencing some parts changes after a text of ids, and for one token.

    Raises:
        UserError: see `silenced_logits`.
    """
    before, after = silenced_logits(opened, means, ids, parts)
    followed = torch.stack([logits.float().log_softmax(-1)[:, token] for logits in (before, after)], 1)
    return Effect(parts, change(before, after), followed.numpy())


@torch.no_grad()
def silenced_logits(
    opened: OpenedNetwork, means: Means, ids: Sequence[int], parts: Sequence[Silenced]
) -> tuple[Tensor, Tensor]:
    """Logits (E + 1, V) after a text, as it is and with the parts silenced.

    Raises:
        UserError: `no_head` for a part that the network has not; `silence_fixed` for an expert of a fusion that
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
    return before, after


def random_parts(opened: OpenedNetwork, parts: Sequence[Silenced], seed: int = 0) -> tuple[Silenced, ...] | None:
    """As many other parts of the same kinds, at random, to stand beside some: heads of the same blocks, halves of
    other blocks, other experts.  None where a network has no other."""
    shape, generator = opened.shape, np.random.default_rng(seed)
    blocks, taken = range(1, shape.layers + 1), set(parts)
    drawn: list[Silenced] = []
    for part in parts:
        others = {
            "head": [replace(part, head=head) for head in range(shape.heads)],
            "expert": [replace(part, expert=expert) for expert in range(shape.experts)],
        }.get(part.kind, [replace(part, layer=layer) for layer in blocks])
        others = [other for other in others if other not in taken]
        if not others:
            return None
        drawn.append(others[int(generator.integers(len(others)))])
        taken.add(drawn[-1])
    return tuple(drawn)


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
            raise UserError("silence_fixed")


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
