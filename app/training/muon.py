"""Muon (Jordan 2024) for stacks of matrices: momentum whose singular values are pressed towards one.

`torch.optim.Muon` does the same for single matrices, always in bfloat16, which a processor without AVX-512 only
emulates, 50 times slower than float32.  This one takes stacks (E, m, n), one matrix an expert, and takes the precision
to work in.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_MOMENTUM = 0.95
_QUINTIC = 3.4445, -4.775, 2.0315
_ROUNDS = 5


def orthogonalised(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """Matrices (E, m, n) with their singular vectors kept and all singular values near one: five rounds
    of the quintic Newton-Schulz iteration."""
    wide = matrices.mT if matrices.shape[-2] > matrices.shape[-1] else matrices
    x = wide.to(dtype)
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-7)
    a, b, c = _QUINTIC
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(matrices.dtype)
    return x.mT if wide is not matrices else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, with decoupled weight decay; the step is scaled by
    0.2 sqrt(max(m, n)) to match AdamW's (Liu 2025, arXiv 2502.16982)."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float, dtype: torch.dtype) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        assert closure is None, "this optimizer takes no closure"
        for group in self.param_groups:
            for weights in _by_shape(group["params"]):
                self._step(weights, group["lr"], group["weight_decay"])

    def _step(self, weights: list[Tensor], rate: float | Tensor, decay: float) -> None:
        """Update weights of one shape, all in one stack: a graphics card waits for the number of products."""
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        momenta = [self.state[weight]["momentum"].lerp_(weight.grad, 1 - _MOMENTUM) for weight in weights]
        ahead = torch.cat(
            [w.grad.lerp(m, _MOMENTUM) for w, m in zip(weights, momenta, strict=True) if w.grad is not None]
        )
        updates = torch.split(orthogonalised(ahead, self._dtype), [len(weight) for weight in weights])
        scale = 0.2 * max(weights[0].shape[-2:]) ** 0.5
        for weight, update in zip(weights, updates, strict=True):
            weight.mul_(1 - rate * decay).sub_(update * (rate * scale))


def _by_shape(weights: Iterable[Tensor]) -> list[list[Tensor]]:
    groups: dict[torch.Size, list[Tensor]] = {}
    for weight in weights:
        groups.setdefault(weight.shape, []).append(weight)
    return list(groups.values())
