"""Activation patching: where does the difference between two texts sit?

The state of one text, at one layer and one position, is put into the run of another text (denoising; Meng 2022,
arXiv 2202.05262; Heimersheim and Nanda 2024, arXiv 2404.15255).  The effect is the share of the change of the margin
between two answers that this restores.  Layer 0 swaps the token's picture, and the last layer's last position is what
the head reads: both are exact by construction.  What lies between them is found.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.intervene.interface import Edits
from app.intervene.pairs import Pair, ReadPair
from app.intervene.predictions import TOP, Predictions, best, margins
from app.intervene.steps import run_to_end
from app.trace.record import Floats

Work = Generator[float, None, "PatchMap"]


@dataclass(frozen=True, eq=False)
class PatchMap:
    """What every state of the second text does in the run of the first."""

    pair: Pair
    margins: NDArray[np.float64]
    """(E + 1, 2): nats after the first and the second text, under each expert and the fusion."""
    patched: Floats
    """(E + 1, L + 1, T): nats after the first text with one state of the second."""
    effect: Floats
    """(E + 1, L + 1, T): the share of the margin's change that this is, NaN where an expert's margin hardly changes."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of the map."""

    layer: int
    """0 is the picture."""
    position: int
    """From 0, the start token."""
    before: Predictions
    """After the first text."""
    patched: Predictions
    """After it with the state of the second."""
    other: Predictions
    """After the second text."""
    margins: Floats
    """(3, E + 1): of the two answers in nats, in the same order."""


@dataclass(frozen=True, eq=False)
class BlockEffects:
    """Effects of parts of one block, patched one at a time."""

    layer: int
    """The block, from 1."""
    position: int | None
    """Where they are patched; None: at all positions."""
    heads: Floats
    """(E + 1, H): of one head's output."""
    attention: Floats
    """(E + 1,): of all heads together."""
    mlp: Floats
    """(E + 1,)"""


def patch_map(read: ReadPair) -> PatchMap:
    """Patch every layer and position, one at a time."""
    return run_to_end(patch_steps(read))


def patch_steps(read: ReadPair) -> Work:
    """`patch_map` position by position; yields the share that is done, returns the map.

    A state patched at position p changes nothing before p, so its run needs only the positions from p on, over
    the first run's keys and values; in its own block it changes no queries, keys or values but those at p, which the
    second run has; of the last block only the last position is needed, and of its logits only the two answers'.
    Patches of layer l and of the layers below go through block l + 1 together, as rows of one batch.
    """
    length, layers = len(read.pair.first), read.opened.shape.layers
    patched = np.repeat(read.margins[:, :1, None], layers + 1, 1).repeat(length, 2)
    patched[:, layers, -1] = read.margins[:, 1]
    for position in range(int(read.pair.changed[0]), length):
        first = 0 if read.pair.first[position] != read.pair.second[position] else 1
        if first < layers:
            patched[:, first:layers, position] = _patched_from(read, position, first)
        yield (position + 1) / length
    return PatchMap(read.pair, read.margins, patched.astype(np.float32), read.effect(patched))


def patch_position(read: ReadPair, position: int) -> Floats:
    """Effect (E + 1, L + 1) of one position, by layer: a column of the map."""
    last = position == len(read.pair.first) - 1
    inner = _patched_from(read, position, 0)
    return read.effect(np.concatenate((inner, read.margins[:, int(last), None]), 1))


@torch.no_grad()
def _patched_from(read: ReadPair, position: int, first: int) -> NDArray[np.float64]:
    """Margins (E + 1, n) after the first text with the second's state at one position, of layers first .. L - 1."""
    opened, last = read.opened, read.opened.shape.layers - 1
    rows: Tensor | None = None
    for layer in range(first, last + 1):
        keep = int(layer == last)
        halves = [_put_in(read, layer, position, keep)]
        if rows is not None:
            projected = opened.project(layer, rows, position, keep)
            halves.insert(0, (rows[..., -keep:, :], projected.queries, projected.own.keys, projected.own.values))
        x, queries, keys, values = (torch.cat(same, 1) for same in zip(*halves, strict=True))
        past = read.first.blocks[layer].past.before(position).followed_by(keys, values)
        rows = opened.finish(layer, x, queries, past).states
    assert rows is not None, "the last layer's states are read out, not patched"
    logits = opened.read_out(rows[:, :, -1], read.pair.answers)
    found: NDArray[np.float64] = (logits[..., 0] - logits[..., 1]).double().numpy()
    return found


def _put_in(read: ReadPair, layer: int, position: int, keep: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The first text from a position on with the second's state there, half way through block `layer`: states (E, 1,
    T - position, d) and queries, of both the last `keep` (0: all), keys and values.  Nothing is computed: the other
    positions have not seen it yet."""
    here, there = (
        (run.states[layer], run.blocks[layer].queries, run.blocks[layer].past.keys, run.blocks[layer].past.values)
        for run in (read.first, read.second)
    )
    x, queries, keys, values = (
        torch.cat((new[..., position : position + 1, :], own[..., position + 1 :, :]), -2)
        for own, new in zip(here, there, strict=True)
    )
    return x[..., -keep:, :], queries[..., -keep:, :], keys, values


def swapped(read: ReadPair, layer: int, position: int) -> Tensor:
    """The first text's states (E, 1, T, d) at a layer with the second's at one position."""
    states = read.first.states[layer].clone()
    states[:, :, position] = read.second.states[layer][:, :, position]
    return states


@torch.no_grad()
def patch_cell(read: ReadPair, layer: int, position: int, count: int = TOP) -> Cell:
    """What the patched run of one cell predicts."""
    states = swapped(read, layer, position)
    for number in range(layer, read.opened.shape.layers):
        states = read.opened.block(number, states).states
    logits = [read.opened.read_out(last)[:, 0] for last in (read.first.last, states[:, :, -1], read.second.last)]
    before, patched, other = (best(rows, count) for rows in logits)
    return Cell(layer, position, before, patched, other, margins(torch.stack(logits), read.pair.answers).numpy())


@torch.no_grad()
def patch_block(read: ReadPair, layer: int, position: int | None = None) -> BlockEffects:
    """Which parts of block `layer` (from 1) carry the difference: each head's output, all of them, and the MLP's
    output of the second text in the run of the first, at one position or at all."""
    here, there = (run.blocks[layer - 1] for run in (read.first, read.second))
    at = slice(None) if position is None else slice(position, position + 1)
    count = here.heads.shape[-2]

    def each_head(heads: Tensor) -> Tensor:  # row h: head h of the second text; row H: all; row H + 1: none
        heads = heads.clone()
        for head in range(count):
            heads[:, head, at, head] = there.heads[:, 0, at, head]
        heads[:, count, at] = there.heads[:, 0, at]
        return heads

    def one_mlp(mlp: Tensor) -> Tensor:
        mlp = mlp.clone()
        mlp[:, count + 1, at] = there.mlp[:, 0, at]
        return mlp

    rows = read.first.states[layer - 1].expand(-1, count + 2, -1, -1)
    effect = read.effect(_finish(read, layer, rows, Edits(heads=each_head, mlp=one_mlp)))
    return BlockEffects(layer, position, effect[:, :count], effect[:, count], effect[:, count + 1])


def patch_heads(read: ReadPair) -> Floats:
    """Effect (E + 1, L, H) of every head's output, patched at all positions."""
    return np.stack([patch_block(read, layer + 1).heads for layer in range(read.opened.shape.layers)], 1)


@torch.no_grad()
def patch_together(read: ReadPair, heads: Sequence[tuple[int, int]]) -> Floats:
    """Effect (E + 1,) of several heads (block from 1, head from 0) at once, at all positions."""
    chosen: dict[int, list[int]] = {}
    for layer, head in heads:
        chosen.setdefault(layer, []).append(head)
    start = min(chosen)
    states = read.first.states[start - 1]
    for layer in range(start, read.opened.shape.layers + 1):

        def swap(own: Tensor, layer: int = layer) -> Tensor:
            own = own.clone()
            for head in chosen.get(layer, ()):
                own[..., head, :] = read.second.blocks[layer - 1].heads[..., head, :]
            return own

        states = read.opened.block(layer - 1, states, edits=Edits(heads=swap)).states
    logits = read.opened.read_out(states[:, :, -1])
    return read.effect(margins(logits, read.pair.answers).double().numpy())[:, 0]


def _finish(read: ReadPair, layer: int, rows: Tensor, edits: Edits) -> NDArray[np.float64]:
    """Margins (E + 1, B) after rows (E, B, T, d) went through block `layer`, edited, and the blocks that follow."""
    for number in range(layer - 1, read.opened.shape.layers):
        rows = read.opened.block(number, rows, edits=edits if number == layer - 1 else None).states
    patched: NDArray[np.float64] = margins(read.opened.read_out(rows[:, :, -1]), read.pair.answers).double().numpy()
    return patched
