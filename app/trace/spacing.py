"""Rectangles moved apart until none covers another, each as near as may be to where it belongs."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

_ROUNDS = 400
_DAMPING = 0.6
"""Share of an overlap that is undone in one round: all pairs move at once, and the whole of it would overshoot."""


def keep_apart(centres: Places, sizes: Places, room: tuple[float, float]) -> Places:
    """Centres (n, 2) of rectangles with these sizes (n, 2), moved until none covers another and all are inside a room
    (width, height).

    Each overlapping pair is pushed apart along the side on which it overlaps less, over and over. Where that does
    not come to an end, the rectangles take the places of a grid that cost the least way in all.

    Raises:
        ValueError: when the room has fewer places than there are rectangles.
    """
    half = sizes / 2
    low, high = half, np.asarray(room, float) - half
    placed: Places = np.clip(centres.astype(float), low, high)
    for _ in range(_ROUNDS):
        step = _push(placed, sizes)
        if not step.any():
            return placed
        placed = np.clip(placed + step, low, high)
    return placed if not overlaps(placed, sizes).any() else _on_grid(centres, sizes, room)


def overlaps(centres: Places, sizes: Places) -> NDArray[np.bool_]:
    """Which pairs (n, n) of rectangles cover each other; touching is no covering."""
    _, depth = _depths(centres, sizes)
    found: NDArray[np.bool_] = np.logical_and(*np.moveaxis(depth > 1e-9, 2, 0)) & ~np.eye(len(centres), dtype=bool)
    return found


def _depths(centres: Places, sizes: Places) -> tuple[Places, Places]:
    """Ways (n, n, 2) between centres, and by how much each pair overlaps along either side."""
    ways = centres[:, None] - centres[None]
    return ways, (sizes[:, None] + sizes[None]) / 2 - np.abs(ways)


def _push(centres: Places, sizes: Places) -> Places:
    """The way (n, 2) that each rectangle goes in one round; 0 everywhere when none covers another."""
    covered = overlaps(centres, sizes)
    ways, depth = _depths(centres, sizes)
    order = np.arange(len(centres))
    sign = np.where(ways == 0, np.sign(order[:, None] - order[None])[..., None], np.sign(ways))
    lesser = depth.argmin(axis=2)[..., None] == np.arange(2)
    # a little more than the overlap, so that the last of it does not halve for ever
    step = np.where(covered[..., None] & lesser, sign * (depth / 2 + 0.25), 0.0)
    found: Places = _DAMPING * step.sum(axis=1)
    return found


def _on_grid(centres: Places, sizes: Places, room: tuple[float, float]) -> Places:
    # Imported late: it takes a quarter of a second, and is seldom needed.
    from scipy.optimize import linear_sum_assignment

    columns, rows = (max(1, int(length // side)) for length, side in zip(room, sizes.max(axis=0), strict=True))
    if columns * rows < len(centres):
        raise ValueError(f"{len(centres)} rectangles, {columns} x {rows} places")
    width, height = room[0] / columns, room[1] / rows
    across, down = np.meshgrid((np.arange(columns) + 0.5) * width, (np.arange(rows) + 0.5) * height)
    cells = np.stack([across.ravel(), down.ravel()], axis=1)
    cost = ((centres[:, None] - cells[None]) ** 2).sum(axis=2)
    found: Places = cells[linear_sum_assignment(cost)[1]]
    return found
