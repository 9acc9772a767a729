"""The largest numbers of long rows, sooner than by sorting all of them."""

import numpy as np
import torch
from torch import Tensor

_STRETCHES = (32, 8)
_FEW = 16_384
"""Up to so many numbers in all, torch's own way takes no longer."""


def largest(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest numbers of rows (..., V), best first, and their indices, (..., count) each: they lie in the `count`
    stretches with the largest maxima, and within these in as many shorter stretches; only what lies there is sorted.

    NumPy partitions and sorts without branches, which here would be guesses."""
    if count == 1:
        best = torch.from_numpy(np.asarray(rows.numpy().argmax(-1)))[..., None]  # of one row it gives a plain number
        return rows.gather(-1, best), best
    left, kept = rows, []
    for stretch in _STRETCHES:
        width = left.shape[-1]
        if rows.numel() > _FEW and width % stretch == 0 and width // stretch > count:
            stretches = left.view(*left.shape[:-1], -1, stretch)
            order = np.argpartition(stretches.amax(-1).numpy(), -count, axis=-1)
            chosen = torch.from_numpy(order[..., -count:])  # (..., count)
            left = stretches.gather(-2, chosen[..., None].expand(*chosen.shape, stretch)).flatten(-2)
            kept.append((stretch, chosen))
    if not kept:
        values, indices = rows.topk(count, dim=-1)
        return values, indices
    indices = torch.from_numpy(np.argsort(left.numpy(), axis=-1)[..., : -count - 1 : -1].copy())
    values = left.gather(-1, indices)
    for stretch, chosen in reversed(kept):
        indices = chosen.gather(-1, indices // stretch) * stretch + indices % stretch
    return values, indices
