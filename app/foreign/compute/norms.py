"""Which normalisation a module computes, by its results."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.foreign.compute.widened import kept_float32

_LARGE = 2**25  # numbers of a matrix that is not widened as a whole
_EPSILONS = (1e-5, 1e-6, 1e-8, 1e-12, 0.0, float(torch.finfo(torch.float32).eps))


@dataclass(frozen=True, eq=False)
class Norm:
    """LayerNorm (centred) or RMSNorm with an optional weight and bias (d,)."""

    centred: bool
    epsilon: float
    weight: Tensor | None = None
    bias: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """(..., d) -> (..., d), in the type of x."""
        width = x.shape[-1:]
        if self.centred:
            weight, bias = (None if t is None else t.to(x.dtype) for t in (self.weight, self.bias))
            return F.layer_norm(x, width, weight, bias, self.epsilon)
        y = F.rms_norm(x.float(), width, self.weight, self.epsilon)
        return (y if self.bias is None else y + self.bias).to(x.dtype)

    @staticmethod
    def plain() -> list["Norm"]:
        """Those without weights, which need no module."""
        return [Norm(centred, epsilon) for centred in (True, False) for epsilon in (1e-5, 1e-6)]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map in the type of x; a large matrix stored in another one is widened a few rows at a time."""
    bias = None if bias is None else bias.to(x.dtype)
    if weight.dtype != x.dtype == torch.float32 and (wide := kept_float32(weight)) is not None:
        return F.linear(x, wide, bias)
    if weight.dtype == x.dtype or weight.numel() < _LARGE:
        return F.linear(x, weight.to(x.dtype), bias)
    y = torch.cat([F.linear(x, part.to(x.dtype)) for part in torch.split(weight, 8_192)], -1)
    return y if bias is None else y + bias


def find_norm(module: nn.Module, given: Tensor, gave: Tensor) -> Norm | None:
    """The norm that a module computes, if it is one and does so on (T, d)."""
    if given.shape != gave.shape or not given.is_floating_point():
        return None
    if any(weight.dim() > 1 for weight in module.parameters()):
        return None
    for norm in _candidates(module):
        found = norm(given)
        if float((found - gave).abs().max()) <= 1e-5 * max(1.0, float(gave.abs().max())):
            return norm
    return None


def _candidates(module: nn.Module) -> Iterator[Norm]:
    vectors = [weight.detach().flatten().float() for weight in module.parameters()]
    stated = [value for value in vars(module).values() if isinstance(value, float) and 0 < value < 1e-2]
    for epsilon in dict.fromkeys((*stated, *_EPSILONS)):
        for centred in (True, False):
            if not vectors:
                yield Norm(centred, epsilon)
            elif len(vectors) == 1:
                yield Norm(centred, epsilon, vectors[0])
                yield Norm(centred, epsilon, 1 + vectors[0])
            elif len(vectors) == 2:
                yield Norm(centred, epsilon, vectors[0], vectors[1])
                yield Norm(centred, epsilon, vectors[1], vectors[0])
