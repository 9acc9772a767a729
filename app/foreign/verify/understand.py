"""From a network that is not ours to one the engine can run, with proof: our own cached decoder over its
weights where that gives the same numbers, else the network's own code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from app.foreign.anatomy.block import likely_heads
from app.foreign.anatomy.observe import Observation, Reader, observe
from app.foreign.anatomy.rows import made_rows
from app.foreign.anatomy.towers import Anatomy, Fusion, Table, Tower, dissect
from app.foreign.compute.decoder import Decoder
from app.foreign.verify.agreement import FUSED, NOTHING, Agreement, LongRead, compare, compare_long, convert, read_long
from app.foreign.verify.original import Joined, Original
from app.foreign.verify.tail import Tail
from app.network.interface import Network
from app.wording.errors import UserError

_TRACE_BYTES = 16_000_000
"""Room for the hidden states of one text, which every visitor's session keeps: it bounds the context."""
_LENGTHS = re.compile(
    r"max_pos|n_pos|n_ctx|ctx_len|seq_len|seqlen|max_seq|max_len|max_tokens|max_context|block_size|context|sliding_window"
)
_NO_LENGTHS = ("max_length", "max_new_tokens")  # of texts that are written, not of what can be read
_SHORT, _SHORTEST = 16, 8  # tokens of the text that the anatomy is found on; any network reads so many


@dataclass(frozen=True, eq=False)
class Understood:
    """What was found out about a network."""

    anatomy: Anatomy
    tail: Tail
    decoder: Decoder | None
    """Ours; None: the original runs."""
    original: Original | None
    agreement: Agreement
    style: str
    """Its blocks in one line."""
    reason: str
    """Why there is no decoder."""

    @property
    def fusion(self) -> Fusion:
        """How experts are fused; towers that are mixed before any logits count as one."""
        return self.anatomy.fusion or Fusion("joined", (1.0,))

    def network(self, decoder: Decoder | None) -> Network:
        """What the engine runs: a decoder of ours (in any number format) or the original."""
        inner: Any = decoder or self.original
        return inner if self.anatomy.fusion else Joined(inner, self.tail, tables_of(self.anatomy))


def tables_of(anatomy: Anatomy) -> list[Tensor]:
    """Every tower's table."""
    return [tower.table.weight for tower in anatomy.towers if tower.table is not None]


def understand(reader: Reader, name: str, config: dict[str, Any], probes: Sequence[list[int]]) -> Understood:
    """Dissect a network on the first probe, import it if that can be verified on all of them, else keep it.  The last
    probe is as long as the network can read.

    Raises:
        UserError: `no_anatomy` when no blocks are found, `unverified` when not even its own states and logits
            fit together.
    """
    try:
        seen = _first_look(reader, probes[0])
        anatomy = dissect(reader.model, seen)
    except ValueError as error:
        raise UserError("no_anatomy", folder=name) from error
    anatomy = replace(anatomy, towers=tuple(_with_rows(reader, seen, tower) for tower in anatomy.towers))
    if any(tower.table is None for tower in anatomy.towers):
        raise UserError("no_table", folder=name)
    if len(anatomy.towers) == 1 and anatomy.fusion is None:  # a head of no known kind: its own code will do
        anatomy = replace(anatomy, fusion=Fusion("single", (1.0,)))
    *short, long = probes
    heads = likely_heads(config, anatomy.towers[0].hidden.shape[-1])[0]
    context, far = longest(reader, config, anatomy, heads, long, len(seen.ids))
    case = _Case(reader, seen, config, context, [probe[:context] for probe in short], far)
    found, wrong = _proved(case, anatomy)
    if wrong and anatomy.fusion is not None and all(where.startswith(FUSED) for where in wrong):
        # what looked like fixed weights on the first probe is not: only the network itself can fuse
        found, wrong = _proved(case, replace(anatomy, fusion=Fusion("learned", ())))
    if wrong:
        raise UserError("unverified", folder=name, where=wrong[0])
    return found


@dataclass(frozen=True, eq=False)
class _Case:
    """What a network is judged by: its first look, the texts (all within the context) that it is verified on, and a
    long one as its own code reads it."""

    reader: Reader
    seen: Observation
    config: dict[str, Any]
    context: int
    probes: list[list[int]]
    far: LongRead


def _proved(case: _Case, anatomy: Anatomy) -> tuple[Understood, tuple[str, ...]]:
    """Our own decoder if it agrees with the network everywhere, else the network itself; and where that does not
    agree with its own anatomy (nowhere, if it can be shown)."""
    reader, context = case.reader, case.context
    tail = Tail(reader, anatomy.towers, context, wide=True)
    heads = likely_heads(case.config, anatomy.towers[0].hidden.shape[-1])[0]
    original = Original(reader, anatomy, context, heads)

    def tried(found: Understood, network: Network) -> Agreement:
        agreement = compare(network, reader, anatomy, case.probes)
        return agreement if agreement.wrong else compare_long(network, anatomy, case.far, agreement)

    try:
        decoder, style = convert(case.seen, anatomy, case.config, context, tail)
        found = Understood(anatomy, tail, decoder, None, NOTHING, style, "")
        agreement = tried(found, found.network(decoder.computing_in(torch.float32)))
        if not agreement.wrong:
            return replace(found, agreement=agreement), ()
        reason = f"{style}: {agreement.wrong[0]}"
    except (ValueError, RuntimeError, IndexError, AssertionError) as error:  # a shape that was not thought of
        reason = str(error).partition("\n")[0]
    found = Understood(anatomy, tail, None, original, NOTHING, "", reason)
    agreement = tried(found, found.network(None))
    return replace(found, agreement=agreement), agreement.wrong


def _first_look(reader: Reader, probe: Sequence[int]) -> Observation:
    """A short text observed; a shorter one, if the network cannot read so much."""
    try:
        return observe(reader, probe[:_SHORT])
    except ValueError:
        raise
    except Exception:  # whatever code that is not ours raises for a text too long
        return observe(reader, probe[:_SHORTEST])


def _with_rows(reader: Reader, seen: Observation, tower: Tower) -> Tower:
    """A tower whose table is known row by row: where the network makes its rows from something else (codes, a
    narrow table and a map), the rows that it makes."""
    if tower.table is not None and tower.table.exact:
        return tower
    first = tower.blocks[0]
    name = tower.table.name if tower.table is not None else ""
    made = made_rows(reader, first, seen.logits.shape[-1], len(seen.ids))
    if made is None:
        return tower
    rows, positions = made
    return replace(tower, table=Table(name, rows, 1.0, positions, sources=_sources(reader, seen, tower, name)))


def _sources(reader: Reader, seen: Observation, tower: Tower, name: str) -> tuple[str, ...]:
    """Names of the tensors of all modules that ran before the first block of a tower."""
    first = tower.blocks[0]
    begun = next(i for i, call in enumerate(seen.calls) if call is first)
    outer = [call.name for call in seen.calls[begun + 1 :]]  # what ends later and holds it, or is no part of it
    names = [
        f"{call.name}.{key}".lstrip(".")
        for call in seen.calls[:begun]
        if not call.name.startswith(f"{first.name}.") and call.name not in outer
        for key, _ in (*call.module.named_parameters(recurse=False), *call.module.named_buffers(recurse=False))
    ]
    return tuple(dict.fromkeys([*([name] if name else []), *names]))


def longest(
    reader: Reader, config: dict[str, Any], anatomy: Anatomy, heads: int, probe: Sequence[int], least: int = _SHORT
) -> tuple[int, LongRead]:
    """The longest text in tokens: what the config allows, what fits into a visitor's session, and what the network can
    in fact read; and a probe of that length, read.  least: what it has read already."""
    stated = [
        value for key, value in config.items()
        if isinstance(value, int) and value >= least and _LENGTHS.search(key) and key not in _NO_LENGTHS
    ]  # fmt: skip
    layers, _, width = anatomy.towers[0].hidden.shape
    room = _TRACE_BYTES // (2 * layers * width * len(anatomy.towers))
    length = max(least, min(min(stated, default=256), room, len(probe)))
    while True:
        original = Original(reader, anatomy, length, heads)
        try:
            return length, read_long(original, probe[:length])
        except Exception:  # whatever code that is not ours raises for a text too long
            if length == least:
                raise
            length = max(least, length // 2)
