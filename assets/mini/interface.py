# Glyphscope's app/network/interface.py, Apache-2.0, copied by `python -m app.training bundle`.
"""What a network is to everything above it: sizes, a cache, what comes out."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shape:
    """Sizes of the network: `width` d is split over `heads`; `context` is the longest text in tokens."""

    vocabulary: int = 8192
    width: int = 256
    layers: int = 6
    heads: int = 8
    experts: int = 2
    context: int = 256

    @property
    def head_width(self) -> int:
        return self.width // self.heads


class Cache(Protocol):
    """What attention needs of a key-value cache; transformers' `Cache` fits, and so does `KeyValues`."""

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]: ...

    def get_seq_length(self) -> int: ...


class Room(NamedTuple):
    """What one layer of a cache offers the next token: `place` (E, 2, heads, 1, hs) for its keys and values, and all
    keys and all values (E, heads, S, hs), that place among them."""

    place: Tensor
    keys: Tensor
    values: Tensor


class KeyValues:
    """A preallocated key-value cache of one text, (layers, 2, E, heads, capacity, head width)."""

    def __init__(self, shape: Shape, capacity: int) -> None:
        self._all = torch.zeros(shape.layers, 2, shape.experts, shape.heads, capacity, shape.head_width)
        self._lengths = [0] * shape.layers

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        start = self._lengths[layer]
        end = self._lengths[layer] = start + keys.shape[-2]
        all_keys, all_values = self._all[layer, :, None, :, :, :end].flatten(2, 3).unbind()
        all_keys[:, :, start:] = keys
        all_values[:, :, start:] = values
        return all_keys, all_values

    def extend(self) -> list[Room]:
        """Grow by one token, to be written layer by layer into the room that comes back."""
        start = self._lengths[0]
        self._lengths = [start + 1] * len(self._lengths)
        places = self._all.narrow(-2, start, 1).transpose(1, 2)
        keys, values = self._all.narrow(-2, 0, start + 1).unbind(1)
        return [*map(Room, places.unbind(), keys.unbind(), values.unbind())]

    def get_seq_length(self) -> int:
        return self._lengths[0]


class Output(NamedTuple):
    """logits: (E, B, K, V) of each expert at the last K positions.
    hidden: layers + 1 tensors (E, B, T, d); the first is the frozen embedding, the last is what
    the final norm and the head read.
    fused: (B, K, V) of a network whose fusion is not a weighted sum of the experts' logits; else None."""

    logits: Tensor
    hidden: tuple[Tensor, ...]
    fused: Tensor | None = None


class Network(Protocol):
    """What the engine needs of a network: ours below, or one that came with its own code."""

    @property
    def shape(self) -> Shape: ...

    @property
    def embedding(self) -> Tensor: ...

    @property
    def trained(self) -> int:
        """How many of its numbers were trained."""
        ...

    def new_cache(self, capacity: int) -> Any: ...

    def __call__(self, ids: Tensor, *, cache: Any = None, keep: int = 0) -> Output: ...

    def read_out(self, states: Tensor) -> Tensor: ...
