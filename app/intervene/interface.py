"""What a causal instrument needs of a network: to stop between blocks, to look into one, and to change what is there.

A network that offers this is called opened.  Shapes: E experts, B texts, T positions, K of them kept, H heads of
width hs, d the width of a state, V tokens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.network.interface import Shape

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Edits:
    """What to change inside one block; each is given a tensor and returns one of the same shape."""

    heads: Change | None = None
    """Of the attention heads' outputs before the output map, (E, B, K, H, hs)."""
    attention: Change | None = None
    """Of what attention is about to add, (E, B, K, d)."""
    mlp: Change | None = None
    """Of what the MLP is about to add, (E, B, K, d)."""


@dataclass(frozen=True, eq=False)
class Past:
    """Keys and values of positions already read, (E, B, key heads, S, hs) each, queries' rotation applied."""

    keys: Tensor
    values: Tensor

    @property
    def length(self) -> int:
        """S."""
        return self.keys.shape[-2]

    def before(self, position: int) -> "Past":
        """Only what stands before a position."""
        return Past(self.keys[..., :position, :], self.values[..., :position, :])

    def followed_by(self, keys: Tensor, values: Tensor) -> "Past":
        """This past (of one text) and then new keys and values of B texts that share it."""
        olds = (old.expand(-1, keys.shape[1], -1, -1, -1) for old in (self.keys, self.values))
        return Past(*(torch.cat(pair, -2) for pair in zip(olds, (keys, values), strict=True)))


@dataclass(frozen=True, eq=False)
class Projected:
    """What attention makes of states (E, B, T, d)."""

    queries: Tensor
    """(E, B, H, K, hs): rotation applied."""
    own: Past
    """Keys and values of these T positions."""

    def after(self, past: Past | None) -> Past:
        """What the queries look at."""
        return self.own if past is None else past.followed_by(self.own.keys, self.own.values)


@dataclass(frozen=True, eq=False)
class Inside:
    """One block's run."""

    states: Tensor
    """(E, B, K, d): after it."""
    heads: Tensor
    """(E, B, K, H, hs): before the output map."""
    attention: Tensor
    """(E, B, K, d): what it gave."""
    mlp: Tensor
    """(E, B, K, d): what it gave."""
    queries: Tensor
    """(E, B, H, K, hs)"""
    past: Past
    """Keys and values of all positions."""


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
        back (0: all).  It is `project` and then `finish`."""
        ...

    def project(self, layer: int, x: Tensor, start: int = 0, keep: int = 0) -> Projected:
        """The first half of a block, on states (E, B, T, d) that stand from position `start` on: queries of the last
        `keep` (0: all), keys and values of all of them."""
        ...

    def finish(self, layer: int, x: Tensor, queries: Tensor, past: Past, edits: Edits | None = None) -> Inside:
        """The second half, on the states (E, B, K, d) of the queries, which are the last of the past."""
        ...

    def attention(self, layer: int, x: Tensor) -> Tensor:
        """Attention weights (E, B, H, T, T) of block `layer` on states (E, B, T, d): row t adds up to one over the
        positions that it sees."""
        ...

    def read_out(self, states: Tensor, tokens: Sequence[int] | None = None) -> Tensor:
        """Final states (E, B, d) -> logits (E + 1, B, V) of each expert and, last, of the fusion; of some tokens only
        (E + 1, B, n), where they are named."""
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
