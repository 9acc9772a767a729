"""What one block of a foreign network computes, as data (`Style`, `Parts`) and small functions of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from app.foreign.compute.norms import Norm
from app.network.experts import GELU_SCALE, scaled_gelu

_FEW = 65_536  # numbers for which GELU is quicker by its error function


def gelu(x: Tensor) -> Tensor:
    """Exact GELU."""
    few = x.dtype == torch.float32 and x.numel() <= _FEW
    return scaled_gelu(x * GELU_SCALE) * GELU_SCALE if few else F.gelu(x)


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
    """What all blocks of a network have in common."""

    heads: int
    """Attention heads."""
    key_heads: int
    """Heads of keys and values."""
    size: int
    """Of a head."""
    scale: float
    """Of the scores."""
    rotation: str = "none"
    """Of queries and keys by position: `none`, `halves` (first half with second) or `pairs` (neighbours)."""
    base: float = 10_000.0
    turned: int = 0
    """So many first numbers of a head are rotated."""
    slopes: bool = False
    """Whether ALiBi biases the scores."""
    order: tuple[int, int, int] = (0, 1, 2)
    """Which of three maps, or which third of a fused one, gives queries, keys, values."""
    by_head: bool = False
    """Whether a fused map's thirds stand head by head."""
    activation: str = "gelu"
    gated: int = 0
    """0: plain; 1 or 2: which of two maps the activation is applied to, times the other."""
    placement: str = "pre"
    """Norms `pre` before attention and MLP, `post` after each addition, `parallel` where both read the input."""


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
