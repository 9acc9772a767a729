"""The largest numbers of long rows, sooner than by sorting all of them."""

import numpy as np
import torch
from torch import Tensor

_STRETCH = 32
_FEW = 16_384
"""Up to so many numbers in all, torch's own way takes no longer."""


def largest(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest numbers of rows (..., V), best first, and their indices, (..., count) each: they lie in the `count`
    stretches with the largest maxima, and only what lies there is partitioned and sorted."""
    width = rows.shape[-1]
    if rows.numel() <= _FEW or width % _STRETCH or width // _STRETCH <= count:
        values, indices = rows.topk(count, dim=-1)
        return values, indices
    stretches = rows.view(*rows.shape[:-1], -1, _STRETCH)
    chosen = stretches.amax(-1).topk(count, dim=-1, sorted=False).indices  # (..., count)
    inside = stretches.gather(-2, chosen[..., None].expand(*chosen.shape, _STRETCH)).flatten(-2)
    partitioned = torch.from_numpy(np.argpartition(inside.numpy(), -count, axis=-1)[..., -count:])
    best = partitioned.gather(-1, inside.gather(-1, partitioned).argsort(-1, descending=True))
    return inside.gather(-1, best), chosen.gather(-1, best // _STRETCH) * _STRETCH + best % _STRETCH
