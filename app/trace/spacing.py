"""Rectangles moved apart until none covers another, each as near as may be to where it belongs."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

_TOUCH = 1e-9
_ROUNDS = 150
_RETURNS = 12


def keep_apart(centres: Places, sizes: Places, room: tuple[float, float]) -> Places:
    """Centres (n, 2) of rectangles with these sizes (n, 2), moved until none covers another and all are inside a room
    (width, height).

    Each overlapping pair is pushed apart along the side on which it overlaps less, over and over. Where that does
    not come to an end, the rectangles take the places of a grid, those with the least way first, and go back from there
    towards their own as far as the others let them.

    Raises:
        ValueError: when the room has fewer places than there are rectangles.
    """
    half = sizes / 2
    low, high = half, np.asarray(room, float) - half
    placed: Places = np.clip(centres.astype(float), low, high)
    reach = _reach(sizes)
    for _ in range(_ROUNDS):
        step = _push(placed, reach)
        if step is None:
            return placed
        placed = np.clip(placed + step, low, high)
    if not overlaps(placed, sizes).any():
        return placed
    wanted = np.clip(centres, low, high)
    return _drawn_back(_on_grid(wanted, sizes, room), wanted, sizes)


def spread(points: Places, share: float) -> Places:
    """Points (..., n, 2) with each coordinate brought so far, 0..1, towards even steps over the range that it takes: a
    crowd gets room, and who is left of or above whom stays as it is."""
    low, high = points.min(axis=-2, keepdims=True), points.max(axis=-2, keepdims=True)
    ranks = points.argsort(axis=-2).argsort(axis=-2) / max(1, points.shape[-2] - 1)
    found: Places = (1 - share) * points + share * (low + ranks * (high - low))
    return found


def overlaps(centres: Places, sizes: Places) -> NDArray[np.bool_]:
    """Which pairs (n, n) of rectangles cover each other; touching is no covering."""
    return _covered(*_depths(_ways(centres), _reach(sizes)))


def _reach(sizes: Places) -> Places:
    """How far (2, n, n) the centres of each pair have to be apart along either side; no rectangle covers itself."""
    reach: Places = (sizes.T[:, :, None] + sizes.T[:, None]) / 2
    reach[:, np.arange(len(sizes)), np.arange(len(sizes))] = -np.inf
    return reach


def _ways(centres: Places) -> Places:
    """Ways (2, n, n) between centres."""
    found: Places = centres.T[:, :, None] - centres.T[:, None]
    return found


def _depths(ways: Places, reach: Places) -> Places:
    """By how much each pair overlaps along either side, (2, n, n)."""
    found: Places = reach - np.abs(ways)
    return found


def _covered(across: Places, down: Places) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (across > _TOUCH) & (down > _TOUCH)
    return found


def _push(centres: Places, reach: Places) -> Places | None:
    """The way (n, 2) that each rectangle goes in one round; none when none covers another.  Sides come first in all
    arrays here: a start of the server takes this thousands of times."""
    ways = _ways(centres)
    across, down = _depths(ways, reach)
    first, second = np.nonzero(_covered(across, down))
    if not len(first):
        return None
    across, down = across[first, second], down[first, second]
    side = (down < across).astype(int)
    way = ways[side, first, second]
    sign = np.where(way == 0, np.sign(first - second), np.sign(way))
    # a little more than the overlap, so that the last of it does not halve for ever
    step = np.zeros_like(centres)
    np.add.at(step, (first, side), sign * (np.minimum(across, down) / 2 + 0.25))
    return step


def _on_grid(centres: Places, sizes: Places, room: tuple[float, float]) -> Places:
    columns, rows = (max(1, int(length // side)) for length, side in zip(room, sizes.max(axis=0), strict=True))
    if columns * rows < len(centres):
        raise ValueError(f"{len(centres)} rectangles, {columns} x {rows} places")
    width, height = room[0] / columns, room[1] / rows
    across, down = np.meshgrid((np.arange(columns) + 0.5) * width, (np.arange(rows) + 0.5) * height)
    cells = np.stack([across.ravel(), down.ravel()], axis=1)
    cost = ((centres[:, None] - cells[None]) ** 2).sum(axis=2)
    taken = np.full(len(centres), -1)
    # SciPy's `linear_sum_assignment` would shorten the mean way by 4 %, and takes .4 s to import when a server starts.
    for pair in cost.argsort(axis=None):
        rectangle, cell = divmod(int(pair), len(cells))
        if taken[rectangle] < 0 and cell not in taken:
            taken[rectangle] = cell
    found: Places = cells[taken]
    return found


def _drawn_back(placed: Places, wanted: Places, sizes: Places) -> Places:
    """Rectangles that cover none, moved one after the other along one side at a time towards the wanted centres."""
    placed = placed.copy()
    for _ in range(_RETURNS):
        for i in np.abs(placed - wanted).sum(axis=1).argsort():
            for side in (0, 1):
                there = placed[i].copy()
                there[side] += (wanted[i, side] - there[side]) / 2
                near = (np.abs(placed - there) < (sizes + sizes[i]) / 2).all(axis=1)
                if near.sum() == near[i]:
                    placed[i] = there
    return placed
