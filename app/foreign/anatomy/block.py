"""What a decoder block computes, worked out from its inputs and outputs on a probe text.

The maps inside are identified by what they read and give; every choice (which of three equal maps gives queries, how
positions are turned, which activation) is made by trying and comparing.  What does not come out within float32 rounding
is not accepted.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

import torch
from torch import Tensor, nn

from app.foreign.anatomy.observe import Call, Observation
from app.foreign.anatomy.readout import TOLERANCE, apart, equal
from app.foreign.compute.blocks import ACTIVATIONS, Parts, Style, attend, mlp, project, run_block, turn_table
from app.foreign.compute.kernels import Map
from app.foreign.compute.norms import Norm, find_norm


@dataclass(frozen=True, eq=False)
class _Inside:
    """The linear maps of a block by role.  context: what the map out of attention read, where it was called."""

    into: tuple[Map, ...]
    out: Map
    up: tuple[Map, ...]
    down: Map
    attention_given: Tensor
    attention_gave: Tensor
    mlp_given: Tensor
    mlp_hidden: Tensor
    mlp_gave: Tensor


def find_block(seen: Observation, block: Call, heads: Sequence[int], bases: Sequence[float]) -> tuple[Style, Parts]:
    """Work out one block.  heads: likely numbers of attention heads; bases: of rotary positions.

    Raises:
        ValueError: saying for which step nothing fits.
    """
    calls = _within(seen, block)
    inside = _roles(calls)
    placement, first, second = _wiring(calls, block, inside)
    style = replace(_attention(inside, heads, bases), placement=placement)
    parts = Parts(inside.into, inside.out, inside.up, inside.down, first, second)
    style = _activation(style, parts, inside)
    found = run_block(style, parts, block.given[None], turns=_turns(style, len(block.given)))[0]
    if not equal(found, block.gave):
        raise ValueError("the parts do not add up to what the block gives")
    return style, parts


def take_parts(seen: Observation, block: Call) -> Parts:
    """The weights of another block of a style that is known."""
    calls = _within(seen, block)
    inside = _roles(calls)
    _, first, second = _wiring(calls, block, inside)
    return Parts(inside.into, inside.out, inside.up, inside.down, first, second)


def _within(seen: Observation, block: Call) -> list[Call]:
    """The calls inside one call of a block: of one that stands in several places, those since its last."""
    end = next(i for i, call in enumerate(seen.calls) if call is block)
    start = max((i for i, call in enumerate(seen.calls[:end]) if call.name == block.name), default=-1)
    return [call for call in seen.calls[start + 1 : end] if call.name.startswith(f"{block.name}.")]


def _turns(style: Style, length: int) -> Tensor | None:
    return None if style.rotation == "none" else turn_table(style, length)


def as_map(call: Call) -> Map | None:
    """The linear map that a module computes, if it is one: by its weight, tried both ways round."""
    weights = [w.detach() for w in call.module._parameters.values() if w is not None]
    matrices = [w for w in weights if w.dim() == 2]
    if len(matrices) != 1 or call.given.dim() != 2 or isinstance(call.module, nn.Embedding):
        return None
    bias = next((w for w in weights if w.dim() == 1), None)
    for weight in (matrices[0], matrices[0].T):
        if weight.shape == (call.gave.shape[-1], call.given.shape[-1]):
            found = Map(weight, bias)
            if equal(found(call.given), call.gave):
                return found
    return None


def _roles(calls: Sequence[Call]) -> _Inside:
    """Maps in the order in which they ran: into attention, out of it, into the MLP, out of it."""
    maps = [(call, found) for call in calls if (found := as_map(call)) is not None]
    attention = next((call for call in calls if isinstance(call.module, nn.MultiheadAttention)), None)
    if len(maps) < (2 if attention else 4):
        raise ValueError(f"{len(maps)} linear maps")
    down, before = maps[-1], maps[:-1]
    count = next(
        (n for n, pair in enumerate(reversed(before)) if not _same(pair[0].given, before[-1][0].given)), len(before)
    )
    rest, ups = before[: len(before) - count], before[len(before) - count :]
    if attention is not None:
        into, out, given, gave = *_torch_attention(attention.module), attention.given, attention.gave
    else:
        if len(rest) not in (2, 4):
            raise ValueError(f"{len(rest)} linear maps before the MLP")
        into, out = tuple(found for _, found in rest[:-1]), rest[-1][1]
        given, gave = rest[0][0].given, rest[-1][0].gave
        if not all(_same(call.given, given) for call, _ in rest[:-1]):
            raise ValueError("the maps into attention read different things")
    return _Inside(
        into, out, tuple(found for _, found in ups), down[1], given, gave,
        ups[0][0].given, down[0].given, down[0].gave,
    )  # fmt: skip


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.equal(a, b)


def _torch_attention(module: nn.Module) -> tuple[tuple[Map, ...], Map]:
    """The maps of torch's own attention module, which it does not call as modules."""
    assert isinstance(module, nn.MultiheadAttention)
    if module.in_proj_weight is None:
        raise ValueError("torch's attention with maps of different widths")
    out = module.out_proj
    return (Map(module.in_proj_weight.detach(), _detached(module.in_proj_bias)),), Map(
        out.weight.detach(), _detached(out.bias)
    )


def _detached(weight: Tensor | None) -> Tensor | None:
    return None if weight is None else weight.detach()


def _wiring(calls: Sequence[Call], block: Call, inside: _Inside) -> tuple[str, Norm | None, Norm | None]:
    """Where the norms stand and which they are."""
    x, y, a, m = block.given, block.gave, inside.attention_gave, inside.mlp_gave

    def between(source: Tensor, target: Tensor) -> Iterator[Norm | None]:
        if equal(source, target):
            yield None
        for call in calls:
            if equal(call.given, source) and equal(call.gave, target):
                norm = find_norm(call.module, call.given, call.gave)
                if norm is not None:
                    yield norm
        for norm in Norm.plain():
            if equal(norm(source), target):
                yield norm

    wirings = (
        ("pre", x, inside.attention_given, x + a, inside.mlp_given, x + a + m, y),
        ("parallel", x, inside.attention_given, x, inside.mlp_given, x + a + m, y),
    )
    for placement, first_source, first_target, second_source, second_target, total, result in wirings:
        if not equal(total, result):
            continue
        for first in between(first_source, first_target):
            for second in between(second_source, second_target):
                return placement, first, second
    if equal(x, inside.attention_given):
        for first in between(x + a, inside.mlp_given):
            for second in between(inside.mlp_given + m, y):
                return "post", first, second
    raise ValueError("norms and additions in no known order")


def _attention(inside: _Inside, heads: Sequence[int], bases: Sequence[float]) -> Style:
    """How queries, keys and values are cut, turned and scored: the first way that gives what attention gave."""
    x = inside.attention_given[None]
    for style in _styles(inside, heads, bases):
        turns = _turns(style, x.shape[1])
        found = inside.out(attend(style, *project(style, inside.into, x), 0, turns, None))[0]
        if equal(found, inside.attention_gave):
            return style
    raise ValueError("attention of no known kind")


def _styles(inside: _Inside, heads: Sequence[int], bases: Sequence[float]) -> Iterator[Style]:
    inner = inside.out.weight.shape[1]
    total = sum(m.weight.shape[0] for m in inside.into)
    turnings = [
        ("none", 0.0, False, 1),
        *((r, b, False, part) for part in (1, 2, 4) for b in bases for r in ("pairs", "halves")),
        ("none", 0.0, True, 1),
    ]  # fmt: skip
    orders = [(a, b, c) for a, b, c in sorted(permutations(range(3)), key=lambda order: order != (0, 1, 2))]
    for count in heads:
        if inner % count or (inner // count) % 2:
            continue
        size = inner // count
        key_heads = (total - inner) // (2 * size)
        if key_heads < 1 or count % key_heads or (count + 2 * key_heads) * size != total:
            continue
        fits = [order for order in orders if _fits(inside, order, inner, key_heads * size)]
        for (rotation, base, slopes, part), order, by_head, scale in product(
            turnings, fits, (False, True), (size**-0.5, inner**-0.5, 1.0)
        ):
            if (not by_head or (len(inside.into) == 1 and key_heads == count)) and size // part % 2 == 0:
                yield Style(count, key_heads, size, scale, rotation, base, size // part, slopes, order, by_head)


def _fits(inside: _Inside, order: tuple[int, int, int], inner: int, key_width: int) -> bool:
    """Whether three maps in this order have the widths of queries, keys and values."""
    if len(inside.into) == 1:
        return True
    return [inside.into[i].weight.shape[0] for i in order] == [inner, key_width, key_width]


def _activation(style: Style, parts: Parts, inside: _Inside) -> Style:
    """Which activation, and whether it is gated: the one that comes closest to what the MLP gave.

    On a short text the two forms of GELU can both lie within rounding, so the first that fits will not do.
    """
    wide = inside.up[0].weight.shape[0]
    gates = (1, 2) if len(inside.up) == 2 or wide == 2 * inside.down.weight.shape[1] else (0,)
    styles = [replace(style, activation=name, gated=gated) for name, gated in product(ACTIVATIONS, gates)]
    distances = [apart(mlp(tried, parts, inside.mlp_given), inside.mlp_gave) for tried in styles]
    closest = min(range(len(styles)), key=distances.__getitem__)
    if not distances[closest] <= TOLERANCE:
        raise ValueError("an MLP of no known kind")
    return styles[closest]


def likely_heads(config: dict[str, object], width: int) -> list[int]:
    """Numbers of heads to try: what the config calls so first, then every divisor of the width."""
    stated = [value for name, value in config.items() if "head" in name and isinstance(value, int) and value > 0]
    divisors = [n for n in range(1, width // 2 + 1) if width % n == 0 and width // n <= 256]
    by_size = sorted(divisors, key=lambda n: abs(math.log2(width / n / 64)))
    return list(dict.fromkeys([*stated, *by_size]))


def likely_bases(config: dict[str, object]) -> list[float]:
    """Rotary bases to try: what the config calls so, then the usual one."""
    stated = [float(v) for k, v in config.items() if ("theta" in k or "base" in k) and isinstance(v, int | float)]
    return list(dict.fromkeys([*(b for b in stated if b > 1), 10_000.0, 500_000.0, 1_000_000.0]))
