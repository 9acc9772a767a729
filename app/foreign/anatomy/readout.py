"""What turns a tower's last hidden states into logits: found by trying every norm and matrix on a probe text."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from app.foreign.anatomy.observe import Call, Observation
from app.foreign.compute.norms import Norm, find_norm, linear

TOLERANCE = 5e-4
"""Largest difference of two float32 results that are called equal, in units of their root mean square.
Rounding stays ten times below; half precision is ten times above."""
_FAR = 1e3
_COMBINATIONS = 4_096
_FEW = 64  # columns of logits that are tried before all of them


def apart(a: Tensor, b: Tensor) -> float:
    """Largest difference of two float tensors in units of b's root mean square, but of numbers far larger than most
    (a ban of -1e30) in units of themselves; infinite for other shapes, and where not the same are infinite."""
    if a.shape != b.shape:
        return float("inf")
    a, b = a.float(), b.float()
    finite = b.isfinite()
    if not bool(finite.all()):
        if not torch.equal(a[~finite], b[~finite]):  # no number equals NaN
            return float("inf")
        a, b = a[finite], b[finite]
    sizes = b.abs()
    usual = sizes <= _FAR * _middle(sizes)
    if bool(usual.all()) or not bool(usual.any()):
        return float((a - b).abs().max()) / max(float(b.pow(2).mean().sqrt()), 1e-9) if b.numel() else 0.0
    apart_usual = float((a - b)[usual].abs().max()) / max(float(b[usual].pow(2).mean().sqrt()), 1e-9)
    return max(apart_usual, float(((a - b).abs() / sizes)[~usual].max()))


def _middle(sizes: Tensor) -> float:
    """A middle one of the sizes that are not zero, out of a few thousand; infinite where there are none."""
    few = sizes.flatten()[:: max(1, sizes.numel() // 4_096)]
    few = few[few > 0]
    return float(few.median()) if len(few) else float("inf")


def equal(a: Tensor, b: Tensor) -> bool:
    """Whether two float tensors agree within float32 rounding."""
    return apart(a, b) <= TOLERANCE


@dataclass(frozen=True, eq=False)
class ReadOut:
    """Final norm (None: none) and head: logits = scale * (norm(h) @ weight.T + bias), weight (V, d)."""

    norm: Norm | None
    weight: Tensor
    bias: Tensor | None
    scale: float = 1.0

    def __call__(self, states: Tensor) -> Tensor:
        """(..., d) -> (..., V), float32."""
        return self.scale * self._map(states, self.weight, self.bias)

    def few(self, states: Tensor) -> Tensor:
        """The first columns alone, (..., 64): enough to reject."""
        return self.scale * self._map(states, self.weight[:_FEW], None if self.bias is None else self.bias[:_FEW])

    def _map(self, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows = states.float() if self.norm is None else self.norm(states.float())
        return linear(rows, weight, bias)


Found = tuple[Tensor, ReadOut]
"""A tower's logits on the probe text, and what gives them."""


def find_read_out(model: nn.Module, seen: Observation, chain: tuple[Call, ...], towers: int) -> Found | None:
    """A tower's logits, and the norm and matrix that give them from its last hidden states (T, d)."""
    vocabulary, last = seen.logits.shape[-1], chain[-1].gave
    seen_logits = [c.gave for c in seen.calls if c.gave.shape == (len(seen.ids), vocabulary)]
    options = list(_options(model, seen, chain))
    for logits in _unique([*seen_logits, *([seen.logits] if towers == 1 else [])]):
        for option in options:
            scaled = _scaled(option, last, logits)
            if scaled is not None and equal(scaled(last), logits):
                return logits, scaled
    return None


def _scaled(option: ReadOut, last: Tensor, logits: Tensor) -> ReadOut | None:
    """An option with the factor that fits the first columns, if they do fit."""
    found, wanted = option.few(last), logits[:, :_FEW]
    factor = float((found * wanted).sum() / found.pow(2).sum().clamp_min(1e-20))
    if factor == 0 or not equal(factor * found, wanted):
        return None
    return ReadOut(option.norm, option.weight, option.bias, 1.0 if abs(factor - 1) < 1e-4 else factor)


def guess_read_outs(
    model: nn.Module, seen: Observation, chains: Sequence[tuple[Call, ...]]
) -> tuple[Found, ...] | None:
    """Read-outs of several towers whose logits no module gives on its own, if their mean or sum is what the
    network gives."""
    each = [list(_options(model, seen, chain)) for chain in chains]
    if not all(each):
        return None
    rows = [[option.few(chain[-1].gave) for option in some] for some, chain in zip(each, chains, strict=True)]
    for picked in _likely_picks(rows, seen.logits[:, :_FEW]):
        options = [some[i] for some, i in zip(each, picked, strict=True)]
        found = tuple((o(chain[-1].gave), o) for o, chain in zip(options, chains, strict=True))
        if fits_sum(torch.stack([logits for logits, _ in found]), seen.logits) is not None:
            return found
    return None


def _likely_picks(rows: list[list[Tensor]], wanted: Tensor) -> Iterator[tuple[int, ...]]:
    """One option of every tower (first columns of its logits in `rows`), whose weighted sum could be what is wanted:
    first those that least squares over all options gives most weight, then all combinations, if they are few."""
    counts = [len(some) for some in rows]
    columns = torch.stack([row.flatten() for some in rows for row in some], 1).double()
    weights = torch.linalg.lstsq(columns, wanted.flatten()[:, None].double(), driver="gelsd").solution[:, 0].abs()
    yield tuple(int(part.argmax()) for part in weights.split(counts))
    if math.prod(counts) <= _COMBINATIONS:
        for picked in product(*map(range, counts)):
            few = torch.stack([some[i] for some, i in zip(rows, picked, strict=True)])
            if fits_sum(few, wanted) is not None:
                yield picked


def fits_sum(logits: Tensor, wanted: Tensor) -> tuple[float, ...] | None:
    """The fixed weights with which logits (E, T, V) of several experts add up to those of the network (T, V); None
    if there are none."""
    if equal(logits.mean(0), wanted):
        return (1 / len(logits),) * len(logits)
    step = max(1, wanted.shape[-1] // 4_096)
    few, target = logits[:, :, ::step].flatten(1).T.double(), wanted[:, ::step].flatten()[:, None].double()
    if not bool(target.isfinite().all() and few.isfinite().all()):
        return None
    weights = torch.linalg.lstsq(few, target).solution[:, 0]
    fits = equal(torch.tensordot(weights.float(), logits, dims=1), wanted)
    return tuple(weights.tolist()) if fits else None


def _options(model: nn.Module, seen: Observation, chain: tuple[Call, ...]) -> Iterator[ReadOut]:
    last = chain[-1].gave
    norms = _final_norms(seen, chain, last)
    for weight, bias in _matrices(model, seen.logits.shape[-1], last.shape[-1]):
        for norm in norms:
            yield ReadOut(norm, weight, bias)


def _final_norms(seen: Observation, chain: tuple[Call, ...], last: Tensor) -> list[Norm | None]:
    """Norms that are applied to a tower's last hidden states, and those that need no module."""
    names = tuple(f"{block.name}." for block in chain)
    found = [
        find_norm(c.module, c.given, c.gave)
        for c in seen.calls
        if c.given.shape == last.shape and torch.equal(c.given, last) and not c.name.startswith(names)
    ]
    return [*(norm for norm in found if norm is not None), None, *Norm.plain()]


def _unique(tensors: Sequence[Tensor]) -> Iterator[Tensor]:
    """Tensors without those that equal one before."""
    kept: list[Tensor] = []
    for tensor in tensors:
        if not any(torch.equal(tensor, other) for other in kept):
            kept.append(tensor)
            yield tensor


def _matrices(model: nn.Module, vocabulary: int, width: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Every weight that maps hidden states to logits, as (V, d), with its bias; each once."""
    met: set[tuple[int, bool]] = set()
    for module in model.modules():
        bias = module._parameters.get("bias")
        for weight in (*module._parameters.values(), *module._buffers.values()):
            if weight is None or weight.dim() != 2 or (weight.data_ptr(), bias is None) in met:
                continue
            fitting = bias.detach() if bias is not None and bias.shape == (vocabulary,) else None
            if weight.shape == (vocabulary, width):
                met.add((weight.data_ptr(), bias is None))
                yield weight.detach(), fitting
            elif weight.shape == (width, vocabulary):
                met.add((weight.data_ptr(), bias is None))
                yield weight.detach().T, fitting
