"""From the anatomy of a network to our own cached decoder, accepted only where every number agrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from app.foreign.anatomy.block import find_block, likely_bases, likely_heads, take_parts
from app.foreign.anatomy.observe import Observation, Reader, observe
from app.foreign.anatomy.readout import TOLERANCE, apart
from app.foreign.anatomy.towers import Anatomy, Tower, dissect
from app.foreign.compute.blocks import Parts, Style
from app.foreign.compute.decoder import Decoder, Expert
from app.foreign.compute.kernels import Map
from app.foreign.verify.original import Original
from app.foreign.verify.tail import Tail
from app.network.experts import fuse
from app.network.interface import Network, Shape
from app.system.memory import release_memory

FUSED = "fused logits"
"""Where they are wrong, in an `Agreement`."""
_OWN_CODE = ("probabilities", "learned")
"""Fusions that only the network's own code can do."""
_FUSED_ROWS = 64
"""So many of the last positions of a long text have their fused logits compared."""


def convert(
    seen: Observation, anatomy: Anatomy, config: dict[str, Any], context: int, tail: Tail
) -> tuple[Decoder, str]:
    """Our decoder over the weights of a network that was observed and dissected, and its style in one line.
    tail: what follows the blocks where it cannot be done by a norm, a matrix and a mean.

    Raises:
        ValueError: saying which part could not be worked out.
    """
    if any(tower.table is None or not tower.table.exact for tower in anatomy.towers):
        raise ValueError("what the blocks read is not the rows of a table")
    first = anatomy.towers[0]
    width = first.hidden.shape[-1]
    style, parts = find_block(seen, first.blocks[0], likely_heads(config, width), likely_bases(config))
    shape = Shape(seen.logits.shape[-1], width, len(first.blocks), style.heads, len(anatomy.towers), context)
    mute = anatomy.fusion is None
    experts = [_expert(seen, tower, tail, mute) for tower in anatomy.towers]
    limit = min((len(e.positions) for e in experts if e.positions is not None), default=context)
    if limit < context:
        raise ValueError(f"positions for {limit} tokens")
    learned = tail if anatomy.fusion and anatomy.fusion.kind in _OWN_CODE else None
    return Decoder(shape, style, experts, experts[0].table.dtype, learned), describe(style, parts)


def _expert(seen: Observation, tower: Tower, tail: Tail, mute: bool) -> Expert:
    """mute: no expert has logits of its own; a placeholder stands for them, which no panel shows."""
    assert tower.table is not None
    blocks = tuple(take_parts(seen, block) for block in tower.blocks)
    table, read_out = tower.table, tower.read_out
    if mute:
        return Expert(table.weight, table.scale, table.positions, blocks, None, lambda rows: rows[:, :1])
    if read_out is None:  # a single tower whose head is of no known kind
        return Expert(table.weight, table.scale, table.positions, blocks, None, lambda rows: tail(rows[None]))
    head = Map(read_out.weight, read_out.bias)
    return Expert(table.weight, table.scale, table.positions, blocks, read_out.norm, head, read_out.scale)


@dataclass(frozen=True)
class Agreement:
    """On `probes` texts `numbers` hidden states and rows of logits were compared; `largest`: their largest
    difference in units of root mean square; wrong: where it is more than rounding."""

    probes: int
    numbers: int
    largest: float
    wrong: tuple[str, ...]


NOTHING = Agreement(0, 0, 0.0, ())


class _Tally:
    """Comparisons made so far."""

    def __init__(self, before: Agreement) -> None:
        self.numbers, self.largest = before.numbers, before.largest
        self.wrong: list[str] = []

    def compare(self, where: str, ours: torch.Tensor, theirs: torch.Tensor | None) -> None:
        """Compare rows (T, n)."""
        found = float("inf") if theirs is None else apart(ours, theirs)
        self.numbers, self.largest = self.numbers + len(ours), max(self.largest, found)
        if not found <= TOLERANCE:
            self.wrong.append(where)

    def agreement(self, probes: int) -> Agreement:
        """The outcome on so many texts."""
        return Agreement(probes, self.numbers, self.largest, tuple(self.wrong))


def _read(
    network: Network, anatomy: Anatomy, cuts: Sequence[Sequence[int]], keep: int = 0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A text read part by part, so that a cache is tried as well: hidden states of every tower (E, L + 1, T, d), the
    experts' logits (E, T, V) and the fused ones (T, V), of the last `keep` positions of each part (0: of all)."""
    cache = network.new_cache(sum(map(len, cuts)))
    outputs = [network(torch.tensor([list(part)]), cache=cache, keep=keep) for part in cuts if part]
    hidden = torch.cat([torch.stack(out.hidden, 1)[:, :, 0] for out in outputs], 2)
    towers = len(anatomy.towers)
    parts = hidden if len(hidden) == towers else torch.stack(hidden[0].chunk(towers, -1))  # joined
    weights = torch.tensor(anatomy.fusion.weights if anatomy.fusion else (1.0,))
    fused = [out.fused[0] if out.fused is not None else fuse(out.logits[:, 0], weights) for out in outputs]
    return parts, torch.cat([out.logits[:, 0] for out in outputs], 1), torch.cat(fused)


@torch.inference_mode()
def compare(network: Network, reader: Reader, anatomy: Anatomy, probes: Sequence[Sequence[int]]) -> Agreement:
    """Compare a network that computes in float32 with the original on several texts: every hidden state, every
    expert's logits, the fused ones.

    The first text is read but for its last tokens, and those in two steps, as every step reads all weights anew; the
    others are read at once.
    """
    tally = _Tally(NOTHING)
    for probe in probes:
        seen = observe(reader, probe)
        theirs = dissect(reader.model, seen)
        cuts = (probe[:-3], probe[-3:-1], probe[-1:]) if probe is probes[0] else (probe,)
        parts, logits, fused = _read(network, anatomy, cuts)
        for number, tower in enumerate(theirs.towers):
            name = tower.name or "expert"
            for layer, states in enumerate(tower.hidden):
                tally.compare(f"{name}, layer {layer}", parts[number][layer], states)
            if anatomy.fusion is not None and tower.logits is not None:
                tally.compare(f"{name}, logits", logits[number], tower.logits)
        tally.compare(FUSED, fused, seen.logits)
        del seen, theirs, parts, logits, fused
        release_memory()  # what was observed refers to itself, and is large
    return tally.agreement(len(probes))


@dataclass(frozen=True, eq=False)
class LongRead:
    """A text as long as a network can read, in its own code: the ids, hidden states, L + 1 times (E, T, d), and the
    fused logits (n, V) of its last positions; of all, the logits of a large vocabulary would take a gigabyte."""

    ids: list[int]
    states: list[torch.Tensor]
    logits: torch.Tensor


def read_long(original: Original, ids: Sequence[int]) -> LongRead:
    """A text read at once by the network's own code, which raises what it will for one too long."""
    states, logits = original.read(torch.tensor(list(ids)))
    return LongRead(list(ids), states, logits[-_FUSED_ROWS:].clone())


@torch.inference_mode()
def compare_long(network: Network, anatomy: Anatomy, theirs: LongRead, before: Agreement) -> Agreement:
    """Compare on a long text, added to an agreement so far: every hidden state and the last fused logits, most of the
    text read at once and its last tokens one by one."""
    tally, length = _Tally(before), len(theirs.ids)
    cut = max(1, length - 3)
    single = [[token] for token in theirs.ids[cut:]]
    parts, _, fused = _read(network, anatomy, (theirs.ids[:cut], *single), _FUSED_ROWS)
    for layer, states in enumerate(theirs.states):
        for ours, rows in zip(parts[:, layer], states, strict=True):
            tally.compare(f"layer {layer} of {length} tokens", ours, rows)
    tally.compare(f"{FUSED} of {length} tokens", fused[-_FUSED_ROWS:], theirs.logits)
    release_memory()
    return tally.agreement(before.probes + 1)


def describe(style: Style, parts: Parts) -> str:
    """A style in one line, for the report."""
    norm = "no norm"
    if parts.first_norm is not None:
        norm = "LayerNorm" if parts.first_norm.centred else "RMSNorm"
    turned = style.rotation if style.rotation == "none" else f"{style.rotation} at base {style.base:g}"
    gate = ", gated" if style.gated else ""
    return (
        f"{style.placement}-{norm}, {style.heads} heads, rotary {turned}{', ALiBi' if style.slopes else ''}, "
        f"{'fused' if len(parts.attention_in) == 1 else 'separate'} q/k/v, {style.activation}{gate}"
    )
