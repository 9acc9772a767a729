"""The rows that a network makes for its ids before its first block, read off by feeding all of them: for tables that
are nowhere stored as they are read (codes of bits, a narrow table and a map)."""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from app.foreign.anatomy.observe import Call, Reader, in_float32, tensors_in
from app.foreign.anatomy.readout import equal

_MOST = 2**28  # numbers of a table that is made here


class _Enough(Exception):
    """Stops the network at its first block."""


@torch.inference_mode()
def made_rows(reader: Reader, first: Call, count: int, length: int) -> tuple[Tensor, Tensor | None] | None:
    """What the block `first` is given for every id: rows (V, d) and, where a place in the text adds something, what
    it adds (length, d); None where that is not all, or where it cannot be told."""
    width = first.given.shape[-1]
    if count * width > _MOST:
        return None
    caught: list[Tensor] = []

    def catch(module: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        state = next(t for t in tensors_in((*given, *keywords.values())) if t.shape[-1:] == (width,))
        caught.append(state.reshape(-1, width).float().clone())
        raise _Enough

    def read(ids: Tensor) -> Tensor:
        caught.clear()
        with suppress(_Enough):
            reader(ids[None])
        assert len(caught) == 1 and len(caught[0]) == len(ids), "the block does not read one state for each id"
        return caught[0]

    with reader.lock, in_float32(reader.model):
        handle = first.module.register_forward_pre_hook(catch, with_kwargs=True)
        try:
            same = read(torch.zeros(length, dtype=torch.long))
            added = same - same[:1]
            padded = torch.arange(-(-count // length) * length) % count
            rows = torch.cat([read(ids) - added for ids in torch.split(padded, length)])[:count]
            mixed = torch.randperm(count, generator=torch.Generator().manual_seed(0)).repeat(length)[:length]
            fits = equal(rows[mixed] + added, read(mixed))
        except Exception:  # an id that is no row, code that is not ours
            return None
        finally:
            handle.remove()
    if not fits:
        return None
    return rows, (added if float(added.abs().max()) > 0 else None)
