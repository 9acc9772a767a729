"""From a network that is not ours to one the engine can run, with proof: our own cached decoder over its
weights where that gives the same numbers, else the network's own code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from app.errors import UserError
from app.foreign.anatomy import Anatomy, Fusion, dissect
from app.foreign.block import likely_heads
from app.foreign.convert import Agreement, convert, prove
from app.foreign.decoder import Decoder
from app.foreign.observe import Reader, in_float32, observe
from app.foreign.original import Joined, Original
from app.foreign.tail import Tail
from app.model import Network

_TRACE_BYTES = 16_000_000
"""Room for the hidden states of one text, which every visitor's session keeps: it bounds the context."""
_LENGTHS = re.compile(
    r"max_pos|n_pos|n_ctx|ctx_len|seq_len|seqlen|max_seq|max_len|max_tokens|max_context|block_size|context|sliding_window"
)
_NO_LENGTHS = ("max_length", "max_new_tokens")  # of texts that are written, not of what can be read
_SHORT = 16  # tokens of the text that the anatomy is found on; any network reads so many


@dataclass(frozen=True, eq=False)
class Understood:
    """decoder: ours (None: the original runs).  style: its blocks in one line; reason: why there is none."""

    anatomy: Anatomy
    tail: Tail
    decoder: Decoder | None
    original: Original | None
    agreement: Agreement
    style: str
    reason: str

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
    """Dissect a network on the first probe, import it if that can be proved on all of them, else keep it.

    Raises:
        UserError: `no_anatomy` when no blocks are found, `unproved` when not even its own states and logits
            fit together.
    """
    try:
        seen = observe(reader, probes[0][:_SHORT])
        anatomy = dissect(reader.model, seen)
    except ValueError as error:
        raise UserError("no_anatomy", folder=name) from error
    if any(tower.table is None for tower in anatomy.towers):
        raise UserError("no_table", folder=name)
    if len(anatomy.towers) == 1 and anatomy.fusion is None:  # a head of no known kind: its own code will do
        anatomy = replace(anatomy, fusion=Fusion("single", (1.0,)))
    context = longest(reader, config, anatomy)
    probes = [probe[:context] for probe in probes]
    tail = Tail(reader, anatomy.towers, context, wide=True)
    try:
        decoder, style = convert(seen, anatomy, config, context, tail)
        found = Understood(anatomy, tail, decoder, None, Agreement(0, 0, 0.0, ()), style, "")
        agreement = prove(found.network(decoder.computing_in(torch.float32)), reader, anatomy, probes)
        if not agreement.wrong:
            return replace(found, agreement=agreement)
        reason = f"{style}: {agreement.wrong[0]}"
    except (ValueError, RuntimeError, IndexError, AssertionError) as error:  # a shape that was not thought of
        reason = str(error).partition("\n")[0]
    heads = likely_heads(config, anatomy.towers[0].hidden.shape[-1])[0]
    original = Original(reader, anatomy, context, heads)
    found = Understood(anatomy, tail, None, original, Agreement(0, 0, 0.0, ()), "", reason)
    agreement = prove(found.network(None), reader, anatomy, probes)
    if agreement.wrong:
        raise UserError("unproved", folder=name, where=agreement.wrong[0])
    return replace(found, agreement=agreement)


def longest(reader: Reader, config: dict[str, Any], anatomy: Anatomy) -> int:
    """The longest text in tokens: what the config allows, what fits into a visitor's session, and what the
    network can in fact read."""
    told = [
        value for key, value in config.items()
        if isinstance(value, int) and value >= _SHORT and _LENGTHS.search(key) and key not in _NO_LENGTHS
    ]  # fmt: skip
    layers, _, width = anatomy.towers[0].hidden.shape
    room = _TRACE_BYTES // (2 * layers * width * len(anatomy.towers))
    length = max(_SHORT, min(min(told, default=256), room, 1024))
    with torch.inference_mode(), in_float32(reader.model):
        while length > _SHORT:
            try:
                reader(torch.zeros(1, length, dtype=torch.long))
                return length
            except Exception:  # whatever code that is not ours raises for a text too long
                length //= 2
    return length
