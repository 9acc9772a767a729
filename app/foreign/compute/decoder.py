"""A cached decoder general enough for most published ones: what the blocks do is data (`Style`), so that a
network whose own code keeps no cache can run here, once that is verified to give the same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from app.foreign.compute.blocks import Parts, Style, run_block, turn_table
from app.foreign.compute.kernels import Map, in_blocks, in_int8, release_weights
from app.foreign.compute.norms import Norm
from app.network.interface import Output, Shape


@dataclass(frozen=True, eq=False)
class Expert:
    """One tower."""

    table: Tensor
    """(V, d)"""
    scale: float
    positions: Tensor | None
    """(context, d): what is added by position."""
    blocks: tuple[Parts, ...]
    norm: Norm | None
    """The final one."""
    head: Callable[[Tensor], Tensor]
    head_scale: float = 1.0


class Memory:
    """Keys and values of one text, (E, L, 1, key heads, capacity, head width), of any style."""

    def __init__(self, shape: Shape, style: Style, capacity: int, dtype: torch.dtype) -> None:
        size = (shape.experts, shape.layers, 1, style.key_heads, capacity, style.size)
        self.keys, self.values = torch.zeros(size, dtype=dtype), torch.zeros(size, dtype=dtype)
        self.length = 0


Fuse = Callable[[Tensor], Tensor]
"""Last hidden states (E, T, d) of all experts -> the network's own logits (T, V)."""


class Decoder:
    """E experts of one style, one after the other, as an `app.network.experts.Network`.  fuse: a fusion that is no
    weighted sum of logits."""

    def __init__(
        self, shape: Shape, style: Style, experts: Sequence[Expert], dtype: torch.dtype, fuse: Fuse | None = None
    ) -> None:
        self.shape, self.style, self.experts, self.dtype = shape, style, tuple(experts), dtype
        self.fuse = fuse
        self.embedding = experts[0].table
        self.trained = 0
        """How many numbers were trained; set by the caller."""
        self.turns = turn_table(style, shape.context) if style.rotation != "none" else None

    def computing_in(self, dtype: torch.dtype, fuse: Fuse | None = None) -> "Decoder":
        """The same weights, computed with in another number format."""
        other = Decoder(self.shape, self.style, self.experts, dtype, fuse or self.fuse)
        other.trained = self.trained
        return other

    def new_cache(self, capacity: int) -> Memory:
        """Room for `capacity` positions of one text."""
        return Memory(self.shape, self.style, capacity, self.dtype)

    def release_weights(self) -> None:
        """Give back the memory that weights read from a file take, until they are read again."""
        _mapped(self, release_weights, self.dtype)

    @torch.inference_mode()
    def __call__(self, ids: Tensor, *, cache: Any = None, keep: int = 0) -> Output:
        """Run ids (B, T) through every expert; logits of the last `keep` positions (0: all)."""
        past = cache.length if cache is not None else 0
        logits, hidden = [], []
        for number, expert in enumerate(self.experts):
            states = self._states(expert, number, ids, past, cache)
            hidden.append(torch.stack(states))
            logits.append(self._head(expert, states[-1][:, -keep:]))
        last = torch.stack([states[-1][:, -keep:] for states in hidden])  # (E, B, K, d)
        if cache is not None:
            cache.length = past + ids.shape[1]
        layers = torch.stack(hidden, 1)  # (L + 1, E, B, T, d)
        fused = None if self.fuse is None else torch.stack([self.fuse(rows) for rows in last.unbind(1)])
        return Output(torch.stack(logits), tuple(layers.float().unbind(0)), fused)

    def _states(self, expert: Expert, number: int, ids: Tensor, past: int, cache: Memory | None) -> list[Tensor]:
        x = expert.table[ids].to(self.dtype)
        x = x if expert.scale == 1 else expert.scale * x
        if expert.positions is not None:
            x = x + expert.positions[past : past + ids.shape[1]].to(self.dtype)
        states = [x]
        for layer, parts in enumerate(expert.blocks):
            slot = None if cache is None else (cache.keys[number, layer], cache.values[number, layer])
            states.append(run_block(self.style, parts, states[-1], past, self.turns, slot))
        return states

    def _head(self, expert: Expert, states: Tensor) -> Tensor:
        rows = states.reshape(-1, states.shape[-1]).contiguous()  # in two dimensions: else a slow kernel is taken
        rows = rows if expert.norm is None else expert.norm(rows)
        logits = expert.head(rows).float().view(*states.shape[:-1], -1)
        return logits if expert.head_scale == 1 else expert.head_scale * logits

    def read_out(self, states: Tensor) -> Tensor:
        """Final norm and head of each expert: (E, ..., d) -> (E, ..., V), float32."""
        pairs = zip(self.experts, states.to(self.dtype), strict=True)
        return torch.stack([self._head(expert, rows) for expert, rows in pairs])


def cast(decoder: Decoder, dtype: torch.dtype) -> Decoder:
    """The same network with all maps stored and computed with in a number format; what is so already stays
    where it lies (in the file, say)."""

    def one(whole: Map) -> Map:
        return Map(whole.weight.to(dtype), None if whole.bias is None else whole.bias.to(dtype))

    return _mapped(decoder, one, dtype)


def _mapped(
    decoder: Decoder,
    change: Callable[[Map], Any],
    dtype: torch.dtype,
    progress: Callable[[float], object] | None = None,
    together: bool = False,
) -> Decoder:
    """A decoder with every linear map changed; what is none (a head of an odd kind) stays.  together: maps that read
    the same states become one."""
    experts, kept = [], dict[tuple[int, ...], Any]()

    def once(*maps: Any) -> Any:  # maps that several experts share stay one
        if not isinstance(maps[0], Map):
            return maps[0]
        key = tuple(whole.weight.data_ptr() for whole in maps)
        if key not in kept:
            kept[key] = change(maps[0] if len(maps) == 1 else joined(maps))
        return kept[key]

    def all_of(maps: tuple[Any, ...]) -> tuple[Any, ...]:
        return (once(*maps),) if together else tuple(map(once, maps))

    for number, expert in enumerate(decoder.experts):
        blocks = []
        for layer, parts in enumerate(expert.blocks):
            if progress is not None:
                progress((number + layer / len(expert.blocks)) / len(decoder.experts))
            into, up = all_of(parts.attention_in), all_of(parts.mlp_in)
            out, down = once(parts.attention_out), once(parts.mlp_out)
            blocks.append(replace(parts, attention_in=into, attention_out=out, mlp_in=up, mlp_out=down))
        experts.append(replace(expert, blocks=tuple(blocks), head=once(expert.head)))
    other = Decoder(decoder.shape, decoder.style, experts, dtype, decoder.fuse)
    other.trained = decoder.trained
    return other


def joined(maps: Sequence[Map]) -> Map:
    """One map that gives what several give, side by side; the memory that their pages of a file took is given
    back."""
    weight = torch.cat([whole.weight for whole in maps])
    biases = [w.weight.new_zeros(len(w.weight)) if w.bias is None else w.bias for w in maps]
    for whole in maps:
        release_weights(whole)
    return Map(weight, None if all(whole.bias is None for whole in maps) else torch.cat(biases))


def as_int8(decoder: Decoder, progress: Callable[[float], object] = lambda share: None) -> Decoder:
    """The same network with all maps in int8 (states, norms and scores stay float32)."""
    return _mapped(decoder, in_int8, torch.float32, progress, together=True)


def as_bfloat16(decoder: Decoder, progress: Callable[[float], object] = lambda share: None) -> Decoder:
    """A network whose maps are stored in bfloat16, each laid out for the kernel that is fastest here."""
    return _mapped(decoder, in_blocks, torch.bfloat16, progress)
