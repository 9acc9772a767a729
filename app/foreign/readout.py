"""What turns a tower's last hidden states into logits: found by trying every norm and matrix on a probe text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from app.foreign.norms import Norm, find_norm, linear
from app.foreign.observe import Call, Observation

TOLERANCE = 5e-4
"""Largest difference of two float32 results that are called equal, in units of their root mean square.
Rounding stays ten times below; half precision is ten times above."""
_FEW = 64  # columns of logits that are tried before all of them


def apart(a: Tensor, b: Tensor) -> float:
    """Largest difference of two float tensors in units of b's root mean square; infinite for other shapes."""
    if a.shape != b.shape:
        return float("inf")
    size = float(b.float().pow(2).mean().sqrt())
    return float((a.float() - b.float()).abs().max()) / max(size, 1e-9)


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
    wanted = seen.logits[:, :_FEW]
    for options in product(*each):
        found = torch.stack([o.few(chain[-1].gave) for o, chain in zip(options, chains, strict=True)])
        if equal(found.mean(0), wanted) or equal(found.sum(0), wanted):
            return tuple((o(chain[-1].gave), o) for o, chain in zip(options, chains, strict=True))
    return None


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
