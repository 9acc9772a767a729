"""A cached decoder general enough for most published ones: what the blocks do is data (`Style`), so that a
network whose own code keeps no cache can run here, once that is proved to give the same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from app.foreign.kernels import Map, in_blocks, in_int8, let_go
from app.foreign.norms import Norm
from app.model import Output, Shape, gelu_twice

_FEW = 65_536  # numbers for which GELU is quicker by its error function


def gelu(x: Tensor) -> Tensor:
    """Exact GELU."""
    return gelu_twice(x) * 0.5 if x.dtype == torch.float32 and x.numel() <= _FEW else F.gelu(x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
    "relu": F.relu,
    "relu_squared": lambda x: F.relu(x).square(),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


@dataclass(frozen=True)
class Style:
    """What all blocks of a network have in common.

    heads, key_heads: attention heads, and those of keys and values; size: of a head.  scale: of the scores.
    rotation of queries and keys by position: `none`, `halves` (first half with second) or `pairs`
    (neighbours), at `base`, of the first `turned` numbers of a head.  slopes: whether ALiBi biases the
    scores.  order: which of three maps, or which third of a fused one, gives queries, keys, values; by_head:
    whether a fused map's thirds stand head by head.  activation; gated: 0 plain, 1 or 2: which of two maps
    it is applied to, times the other.  placement: norms `pre` before attention and MLP, `post` after each
    addition, `parallel` where both read the input.
    """

    heads: int
    key_heads: int
    size: int
    scale: float
    rotation: str = "none"
    base: float = 10_000.0
    turned: int = 0
    slopes: bool = False
    order: tuple[int, int, int] = (0, 1, 2)
    by_head: bool = False
    activation: str = "gelu"
    gated: int = 0
    placement: str = "pre"


@dataclass(frozen=True, eq=False)
class Parts:
    """The weights of one block: maps into attention (one fused, or three), out of it, into the MLP (one, one
    that holds both, or two), out of it; the norms (None: none)."""

    attention_in: tuple[Callable[[Tensor], Tensor], ...]
    attention_out: Callable[[Tensor], Tensor]
    mlp_in: tuple[Callable[[Tensor], Tensor], ...]
    mlp_out: Callable[[Tensor], Tensor]
    first_norm: Norm | None
    second_norm: Norm | None


@dataclass(frozen=True, eq=False)
class Expert:
    """One tower: its table (V, d), what is added by position (context, d), blocks, final norm and head."""

    table: Tensor
    scale: float
    positions: Tensor | None
    blocks: tuple[Parts, ...]
    norm: Norm | None
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
    """E experts of one style, one after the other, as an `app.model.Network`.  fuse: a fusion that is no
    weighted sum of logits."""

    def __init__(
        self, shape: Shape, style: Style, experts: Sequence[Expert], dtype: torch.dtype, fuse: Fuse | None = None
    ) -> None:
        self.shape, self.style, self.experts, self.dtype = shape, style, tuple(experts), dtype
        self.fuse = fuse
        self.embedding = experts[0].table
        self.trained = 0
        """How many numbers were trained; set by whoever counted them."""
        self.turns = turn_table(style, shape.context) if style.rotation != "none" else None

    def computing_in(self, dtype: torch.dtype, fuse: Fuse | None = None) -> "Decoder":
        """The same weights, computed with in another number format."""
        other = Decoder(self.shape, self.style, self.experts, dtype, fuse or self.fuse)
        other.trained = self.trained
        return other

    def new_cache(self, capacity: int) -> Memory:
        """Room for `capacity` positions of one text."""
        return Memory(self.shape, self.style, capacity, self.dtype)

    def let_go(self) -> None:
        """Give back the memory that weights read from a file take, until they are read again."""
        _mapped(self, let_go, self.dtype)

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


Slot = tuple[Tensor, Tensor]


def run_block(
    style: Style, parts: Parts, x: Tensor, past: int = 0, turns: Tensor | None = None, slot: Slot | None = None
) -> Tensor:
    """One block on states (B, T, d) that follow `past` others, whose keys and values are in the slot."""

    def normed(norm: Norm | None, y: Tensor) -> Tensor:
        return y if norm is None else norm(y)

    def attention(y: Tensor) -> Tensor:
        return parts.attention_out(attend(style, *project(style, parts.attention_in, y), past, turns, slot))

    if style.placement == "post":
        h = normed(parts.first_norm, x + attention(x))
        return normed(parts.second_norm, h + mlp(style, parts, h))
    if style.placement == "parallel":
        return x + attention(normed(parts.first_norm, x)) + mlp(style, parts, normed(parts.second_norm, x))
    x = x + attention(normed(parts.first_norm, x))
    return x + mlp(style, parts, normed(parts.second_norm, x))


def mlp(style: Style, parts: Parts, x: Tensor) -> Tensor:
    """Up, activation (times the other map where gated), down."""
    ups = [up(x) for up in parts.mlp_in]
    if style.gated and len(ups) == 1:
        ups = list(ups[0].chunk(2, -1))
    activate = ACTIVATIONS[style.activation]
    inner = activate(ups[0]) if not style.gated else activate(ups[style.gated - 1]) * ups[2 - style.gated]
    return parts.mlp_out(inner)


def project(style: Style, maps: Sequence[Callable[[Tensor], Tensor]], x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries (B, heads, T, hs), keys and values (B, key heads, T, hs) of states (B, T, d)."""
    if len(maps) == 1:
        thirds = split_fused(style, maps[0](x), style.size)
    else:
        outs = [m(x) for m in maps]
        thirds = [outs[i] for i in style.order]
    counts = (style.heads, style.key_heads, style.key_heads)
    queries, keys, values = (
        t.view(*t.shape[:-1], count, style.size).transpose(-3, -2) for t, count in zip(thirds, counts, strict=True)
    )
    return queries, keys, values


def split_fused(style: Style, fused: Tensor, size: int) -> list[Tensor]:
    """Queries, keys and values (..., width) out of one fused map's output."""
    if style.by_head:
        parts = fused.view(*fused.shape[:-1], style.heads, 3, size).unbind(-2)
        return [parts[i].flatten(-2) for i in style.order]
    by_role = (style.heads * size, style.key_heads * size, style.key_heads * size)
    places = sorted(range(3), key=lambda role: style.order[role])  # roles in the order in which they stand
    cut = dict(zip(places, torch.split(fused, [by_role[role] for role in places], -1), strict=True))
    return [cut[role] for role in range(3)]


def attend(
    style: Style, queries: Tensor, keys: Tensor, values: Tensor, past: int, turns: Tensor | None, slot: Slot | None
) -> Tensor:
    """Causal attention, (B, heads, T, hs) -> (B, T, heads * hs); new keys and values go into the slot."""
    length = queries.shape[-2]
    if turns is not None:
        here = turns[past : past + length]
        queries, keys = turn(style, queries, here), turn(style, keys, here)
    if slot is not None:
        for store, new in zip(slot, (keys, values), strict=True):
            store[:, :, past : past + length] = new
        keys, values = (store[:, :, : past + length] for store in slot)
    if style.key_heads < style.heads:
        keys, values = (t.repeat_interleave(style.heads // style.key_heads, 1) for t in (keys, values))
    mask = score_mask(style, length, past + length, queries.dtype) if style.slopes or (past and length > 1) else None
    y = F.scaled_dot_product_attention(
        queries, keys, values, attn_mask=mask, is_causal=mask is None and length > 1, scale=style.scale
    )
    return y.transpose(-3, -2).flatten(-2)


def score_mask(style: Style, queries: int, keys: int, dtype: torch.dtype) -> Tensor:
    """What is added to the scores (heads or 1, T, S): -inf for what comes later, ALiBi's slopes if any
    (Press 2022, arXiv 2108.12409)."""
    apart = torch.arange(keys)[None] - torch.arange(keys - queries, keys)[:, None]  # 0 or negative: the past
    mask = torch.zeros(1, queries, keys).masked_fill(apart > 0, -torch.inf)
    if style.slopes:
        slopes = 2.0 ** (-8.0 * torch.arange(1, style.heads + 1) / style.heads)
        mask = mask + slopes[:, None, None] * apart
    return mask.to(dtype)


def turn_table(style: Style, context: int) -> Tensor:
    """Unit complex numbers (context, turned / 2) of rotary positions (Su 2021, arXiv 2104.09864)."""
    frequencies = style.base ** (-torch.arange(0, style.turned, 2, dtype=torch.float64) / style.turned)
    angles = torch.outer(torch.arange(context, dtype=torch.float64), frequencies).float()
    return torch.polar(torch.ones_like(angles), angles)


def turn(style: Style, x: Tensor, here: Tensor) -> Tensor:
    """Turn (B, heads, T, hs) to its positions, in float32."""
    wide, rest = x[..., : style.turned].float(), x[..., style.turned :]
    if style.rotation == "halves":
        numbers = torch.view_as_real(torch.complex(*wide.chunk(2, -1)) * here).transpose(-1, -2)
    else:
        numbers = torch.view_as_real(torch.view_as_complex(wide.reshape(*wide.shape[:-1], -1, 2).contiguous()) * here)
    turned = numbers.flatten(-2)
    return torch.cat((turned.to(x.dtype), rest), -1) if style.turned < style.size else turned.to(x.dtype)


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
        let_go(whole)
    return Map(weight, None if all(whole.bias is None for whole in maps) else torch.cat(biases))


def as_int8(decoder: Decoder, progress: Callable[[float], object] = lambda share: None) -> Decoder:
    """The same network with all maps in int8 (states, norms and scores stay float32)."""
    return _mapped(decoder, in_int8, torch.float32, progress, together=True)


def as_bfloat16(decoder: Decoder, progress: Callable[[float], object] = lambda share: None) -> Decoder:
    """A network whose maps are stored in bfloat16, each laid out for the kernel that is quickest here."""
    return _mapped(decoder, in_blocks, torch.bfloat16, progress)
