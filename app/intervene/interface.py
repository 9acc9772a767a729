"""What a causal instrument needs of a network: to stop between blocks, to look into one, and to change what is there.

A network that offers this is called opened.  Shapes: E experts, B texts, T positions, K of them kept, H heads of
width hs, d the width of a state, V tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.network.interface import Shape

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Edits:
    """What to change inside one block; each is given a tensor and returns one of the same shape.

    heads: outputs of the attention heads before the output map, (E, B, K, H, hs).  attention, mlp: what the two
    halves of the block are about to add, (E, B, K, d).
    """

    heads: Change | None = None
    attention: Change | None = None
    mlp: Change | None = None


@dataclass(frozen=True, eq=False)
class Past:
    """Keys and values of positions already read, (E, B, key heads, S, hs) each, queries' rotation applied."""

    keys: Tensor
    values: Tensor

    def before(self, position: int) -> "Past":
        """Only what stands before a position."""
        return Past(self.keys[..., :position, :], self.values[..., :position, :])

    def followed_by(self, keys: Tensor, values: Tensor) -> "Past":
        """This past (of one text) and then new keys and values of B texts that share it."""
        olds = (old.expand(-1, keys.shape[1], -1, -1, -1) for old in (self.keys, self.values))
        return Past(*(torch.cat(pair, -2) for pair in zip(olds, (keys, values), strict=True)))


@dataclass(frozen=True, eq=False)
class Inside:
    """One block's run.  states (E, B, K, d) after it; heads (E, B, K, H, hs) before the output map; attention and mlp
    (E, B, K, d), what the halves gave; past: keys and values of all positions."""

    states: Tensor
    heads: Tensor
    attention: Tensor
    mlp: Tensor
    past: Past


class OpenedNetwork(Protocol):
    """A network that can be run block by block.  `differentiable`: whether gradients pass through it."""

    @property
    def shape(self) -> Shape: ...

    @property
    def weights(self) -> Tensor | None:
        """Weights (E,) of the experts' logits in the fusion; None where it is no weighted sum."""
        ...

    @property
    def differentiable(self) -> bool: ...

    @property
    def table(self) -> Tensor:
        """The frozen table (V, d), of the first expert where each has its own."""
        ...

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids (B, T) -> states before the first block (E, B, T, d)."""
        ...

    def lift(self, vectors: Tensor, position: int) -> Tensor:
        """Vectors (B, d) of the frozen table's kind, standing at one position -> states before the first block
        (E, B, d)."""
        ...

    def block(
        self, layer: int, x: Tensor, past: Past | None = None, keep: int = 0, edits: Edits | None = None
    ) -> Inside:
        """Run block `layer` (from 0) on states (E, B, T, d) that follow `past`; only the last `keep` positions come
        back (0: all)."""
        ...

    def attention(self, layer: int, x: Tensor) -> Tensor:
        """Attention weights (E, B, H, T, T) of block `layer` on states (E, B, T, d): row t adds up to one over the
        positions that it sees."""
        ...

    def read_out(self, states: Tensor) -> Tensor:
        """Final states (E, B, d) -> logits (E + 1, B, V) of each expert and, last, of the fusion."""
        ...

    def add_parts(self, layer: int, parts: Tensor, x: Tensor, inside: Inside) -> Tensor:
        """Parts (P, E, d) that add up to one position's state x (E, d) before block `layer` -> parts (P + 2, E, d)
        that add up to its state after it, attention and MLP of the block the last two; norms on the way are taken
        at their actual scale."""
        ...

    def read_parts(self, parts: Tensor, last: Tensor) -> Tensor:
        """Parts (P, E, d) of the final state `last` (E, d) -> logits (P + 1, E, V): what each adds through the final
        norm at its actual scale, and last the constant that no part gives (zero without biases)."""
        ...
