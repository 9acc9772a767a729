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
from app.trace.record import Floats

Work = Generator[float, None, "PatchMap"]


@dataclass(frozen=True, eq=False)
class PatchMap:
    """margins (E + 1, 2) in nats after the first and the second text, under each expert and the fusion; patched
    (E + 1, L + 1, T): after the first text with one state of the second; effect of the same shape: the share of the
    margin's change that this is, NaN where an expert's margin hardly changes."""

    pair: Pair
    margins: NDArray[np.float64]
    patched: Floats
    effect: Floats


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of the map: what is predicted after the first text, after it with the state of the second, and after
    the second; margins (3, E + 1): of the two answers in nats, in the same order."""

    layer: int
    position: int
    before: Predictions
    patched: Predictions
    other: Predictions
    margins: Floats


@dataclass(frozen=True, eq=False)
class BlockEffects:
    """Effects of parts of one block, at one position or at all (position None): heads (E + 1, H), one head's output
    patched; attention (E + 1,), all of them; mlp (E + 1,)."""

    layer: int
    position: int | None
    heads: Floats
    attention: Floats
    mlp: Floats


def patch_map(read: ReadPair) -> PatchMap:
    """Patch every layer and position, one at a time."""
    steps = patch_steps(read)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: PatchMap = done.value
            return result


def patch_steps(read: ReadPair) -> Work:
    """`patch_map` position by position; yields the share that is done, returns the map.

    A state patched at position p changes nothing before p, so its run needs only the positions from p on, over
    the first run's keys and values; and patches of layer l and of the layers below go through block l + 1
    together, as rows of one batch.
    """
    length, layers = len(read.pair.first), read.opened.shape.layers
    patched = np.repeat(read.margins[:, :1, None], layers + 1, 1).repeat(length, 2)
    patched[:, layers, -1] = read.margins[:, 1]
    for position in range(int(read.pair.changed[0]), length):
        first = 0 if read.pair.first[position] != read.pair.second[position] else 1
        patched[:, first:layers, position] = margins(_patched_from(read, position, first), read.pair.answers).numpy()
        yield (position + 1) / length
    return PatchMap(read.pair, read.margins, patched.astype(np.float32), read.effect(patched))


def patch_position(read: ReadPair, position: int) -> Floats:
    """Effect (E + 1, L + 1) of one position, by layer: a column of the map."""
    last = position == len(read.pair.first) - 1
    inner = margins(_patched_from(read, position, 0), read.pair.answers).double().numpy()
    return read.effect(np.concatenate((inner, read.margins[:, int(last), None]), 1))


@torch.no_grad()
def _patched_from(read: ReadPair, position: int, first: int) -> Tensor:
    """Logits (E + 1, n, V) after the first text with the second's state at one position, of layers first .. L - 1."""
    layers = read.opened.shape.layers
    rows = read.first.states[0][:, :0, position:]
    for layer in range(layers):
        if layer >= first:
            rows = torch.cat((rows, swapped(read, layer, position)[:, :, position:]), 1)
        if rows.shape[1]:
            past = read.first.blocks[layer].past.before(position)
            rows = read.opened.block(layer, rows, past, keep=int(layer == layers - 1)).states
    return read.opened.read_out(rows[:, :, -1])


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
