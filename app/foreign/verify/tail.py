"""What a network does after its blocks, by its own code: fusion that was learned, heads of an odd kind.

The network runs on ids of no matter; every block is made to give states that are known already, so that
only what follows the blocks has to be computed.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from app.foreign.anatomy.observe import Reader, first_tensor, in_float32
from app.foreign.anatomy.towers import Tower


class Tail:
    """Last hidden states of all towers in, the network's logits out.  wide: compute in float32; limit: the
    longest text that the network reads."""

    def __init__(self, reader: Reader, towers: Sequence[Tower], limit: int, wide: bool = False) -> None:
        self.dtype = torch.float32
        """Of the network itself, where it computes in its own format."""
        self.reader, self.limit, self.wide = reader, limit, wide
        self._blocks = [(tower.blocks[0].module, *(b.module for b in tower.blocks[1:])) for tower in towers]
        self._samples = [tower.blocks[-1].raw for tower in towers]

    @torch.inference_mode()
    def __call__(self, states: Tensor) -> Tensor:
        """(E, T, d) -> (T, V), float32."""
        return torch.cat([self._part(part) for part in torch.split(states, self.limit, 1)])

    def _part(self, states: Tensor) -> Tensor:
        with self.reader.lock, ExitStack() as stack:
            states = states.float() if self.wide else states.to(self.dtype)
            if self.wide:
                stack.enter_context(in_float32(self.reader.model))
            for blocks, sample, rows in zip(self._blocks, self._samples, states, strict=True):
                given = _like(sample, rows)
                for block in blocks:
                    if "forward" not in vars(block):  # a block that stands in several places counts once
                        stack.callback(delattr, block, "forward")
                    block.forward = lambda *_, given=given, **__: given
            logits = self.reader(torch.zeros(1, states.shape[1], dtype=torch.long))
        return logits[0].float()


def _like(sample: Any, rows: Tensor) -> Any:
    """States (T, d) in the form in which a block gave its own: alone, or first in a tuple or list."""
    if isinstance(sample, Tensor):
        if sample.dim() == 2:
            return rows
        return rows[None] if sample.shape[0] == 1 else rows[:, None]
    first = first_tensor(sample)
    assert first is not None and isinstance(sample, tuple | list), f"a block gave {type(sample).__name__}"
    return type(sample)(_like(part, rows) if part is first else None for part in sample)
