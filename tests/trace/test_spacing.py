"""Rectangles moved apart."""

import numpy as np
import pytest

from app.trace.spacing import keep_apart, overlaps, spread


def areas_overlap(centres: np.ndarray, sizes: np.ndarray) -> bool:
    """Painted on a fine grid, each cell belongs to one rectangle at the most."""
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    step = 0.5
    xs, ys = (np.arange(corners[:, k].min(), corners[:, k + 2].max(), step) + step / 2 for k in (0, 1))
    inside = [
        ((xs[:, None] > x0) & (xs[:, None] < x1) & (ys[None] > y0) & (ys[None] < y1)) for x0, y0, x1, y1 in corners
    ]
    return bool((np.sum(inside, axis=0) > 1).any())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("room", [(1000, 452), (360, 400)])
def test_none_covers_another_and_all_are_inside(seed: int, room: tuple[int, int]) -> None:
    draw = np.random.default_rng(seed)
    sizes = np.stack([draw.uniform(40, 62, 24), np.full(24, 48.0)], axis=1)
    centres = draw.normal(size=(24, 2)) * (30, 30) + np.array(room) / 2  # a crowd in the middle
    assert areas_overlap(centres, sizes) and overlaps(centres, sizes).any()
    placed = keep_apart(centres, sizes, room)
    assert not areas_overlap(placed, sizes)
    assert (placed - sizes / 2 >= -1e-6).all() and (placed + sizes / 2 <= np.array(room) + 1e-6).all()


def test_those_that_are_apart_stay_where_they_are() -> None:
    centres, sizes = np.array([[20.0, 20], [80, 20], [20, 80]]), np.full((3, 2), 30.0)
    np.testing.assert_array_equal(keep_apart(centres, sizes, (100, 100)), centres)


def test_the_same_point_twice_is_separated() -> None:
    placed = keep_apart(np.full((2, 2), 50.0), np.full((2, 2), 20.0), (100, 100))
    assert not overlaps(placed, np.full((2, 2), 20.0)).any() and np.abs(placed - 50).max() < 15


def test_more_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="10 rectangles"):
        keep_apart(np.zeros((10, 2)), np.full((10, 2), 50.0), (100, 100))


def test_spreading_keeps_the_order_and_the_range() -> None:
    points = np.array([[0.0, 3], [0.1, 1], [0.2, 2], [9, 0]])
    found = spread(points, 0.5)
    assert (found.argsort(axis=0) == points.argsort(axis=0)).all()
    np.testing.assert_allclose(found[:, 0], [0, 0.5 * 0.1 + 1.5, 0.5 * 0.2 + 3, 9])
    np.testing.assert_array_equal(spread(points, 0.0), points)
