"""The largest numbers of long rows, sooner than by sorting all of them."""

from torch import Tensor

_STRETCH = 32


def largest(rows: Tensor, count: int) -> Tensor:
    """Indices (..., count) of the largest numbers of rows (..., V), best first: they lie in the `count` stretches
    with the largest maxima, and only those are sorted."""
    width = rows.shape[-1]
    if width % _STRETCH or width // _STRETCH <= count:
        return rows.topk(count, dim=-1).indices
    stretches = rows.view(*rows.shape[:-1], -1, _STRETCH)
    chosen = stretches.amax(-1).topk(count, dim=-1, sorted=False).indices  # (..., count)
    inside = stretches.gather(-2, chosen[..., None].expand(*chosen.shape, _STRETCH)).flatten(-2)
    best = inside.topk(count, dim=-1).indices
    found: Tensor = chosen.gather(-1, best // _STRETCH) * _STRETCH + best % _STRETCH
    return found
