"""Hidden states in two dimensions, turned so that a point's path between layers is its own.

Each layer gets the two directions of its largest variance (PCA), and is then turned or mirrored as
a whole onto the layer before it (orthogonal Procrustes: Schoenemann 1966), so that no layer jumps
for want of a common sign or angle.  Maps fitted layer by layer without this cannot be compared.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.trace.record import Floats

NEIGHBOURS = 10
ASPECT = 1.4
"""Width over height of the drawing area; both axes keep one scale."""


@dataclass(frozen=True, eq=False)
class Projection:
    """points (L + 1, n, 2), every layer scaled, both axes alike, to just fit |x| <= ASPECT and
    |y| <= 1; shown (L + 1,): share of each layer's variance that the two axes show, 0..1; trust
    (L + 1,): trustworthiness of each layer's picture, 0..1: 1 if points near in it are near in all
    dimensions (Venna 2001, by scikit-learn)."""

    points: Floats
    shown: Floats
    trust: Floats


def project(hidden: NDArray[np.floating]) -> Projection:
    """Project hidden states (L + 1, n, d) of one expert, each layer centred on its mean.

    Raises:
        ValueError: for fewer than three points, which have no spread to show.
    """
    points, shown = aligned_points(hidden)
    trust = [trustworthiness(layer, flat) for layer, flat in zip(_centred(hidden), points, strict=True)]
    return Projection(points, shown, np.array(trust, np.float32))


def aligned_points(hidden: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """The points (L + 1, n, 2) of a `Projection` and the share of the variance (L + 1,) that they show, without its
    trustworthiness, which takes longer than both.

    Raises:
        ValueError: for fewer than three points, which have no spread to show.
    """
    if hidden.shape[1] < 3:
        raise ValueError(f"{hidden.shape[1]} points cannot be projected: give at least 3.")
    layers: list[NDArray[np.float64]] = []
    shown: list[float] = []
    for layer in _centred(hidden):
        # PCA by the products of the few points, which is cheaper than by the many dimensions
        spreads, axes = np.linalg.eigh(layer @ layer.T)
        largest = np.maximum(spreads[:-3:-1], 0)
        flat = axes[:, :-3:-1] * np.sqrt(largest)
        shown.append(largest.sum() / max(spreads.sum(), 1e-12))
        turned = flat @ _turn(flat, layers[-1]) if layers else flat
        layers.append(turned / max(float(np.abs(turned / (ASPECT, 1)).max()), 1e-12))
    return np.stack(layers).astype(np.float32), np.array(shown, np.float32)


def _centred(hidden: NDArray[np.floating]) -> NDArray[np.float64]:
    states = hidden.astype(np.float64)
    states -= states.mean(axis=1, keepdims=True)
    return states


def trustworthiness(states: NDArray[np.floating], points: Floats) -> float:
    """Trustworthiness of a picture (n, 2) of states (n, d), 0..1: 1 if points near in it are near in all
    dimensions (Venna 2001)."""
    # Imported late: scikit-learn takes a second to import, and the page is up before anyone needs it.
    from sklearn.manifold import trustworthiness as measure

    neighbours = min(NEIGHBOURS, max(1, (len(points) - 1) // 2))
    return float(measure(states, points, n_neighbors=neighbours))


def _turn(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orthogonal 2 x 2 matrix that brings points (n, 2) nearest to the target."""
    left, _, right = np.linalg.svd(points.T @ target)
    return left @ right  # type: ignore[no-any-return]


def neighbour_change(hidden: NDArray[np.floating], neighbours: int = NEIGHBOURS) -> float:
    """How much the neighbourhood changes from the first to the last layer of (L + 1, n, d): the mean
    over points of 1 - Jaccard of the nearest others (of a short text at most half of them) by cosine of
    centred states, 0..1."""
    return float(neighbour_changes(hidden[[0, -1]], neighbours)[0])


def neighbour_changes(hidden: NDArray[np.floating], neighbours: int = NEIGHBOURS) -> Floats:
    """The same from each layer to the next: (L,) for hidden states (L + 1, n, d)."""
    count = min(neighbours, max(1, (hidden.shape[1] - 1) // 2))
    near = [_nearest_sets(layer.astype(np.float32), count) for layer in hidden]
    return np.array(
        [
            np.mean([1 - len(a & b) / len(a | b) for a, b in zip(before, after, strict=True)])
            for before, after in pairwise(near)
        ],
        np.float32,
    )


def _nearest_sets(states: Floats, count: int) -> list[set[int]]:
    states = states - states.mean(axis=0)
    states = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
    cosines = states @ states.T
    np.fill_diagonal(cosines, -np.inf)
    return [set(row.tolist()) for row in np.argsort(-cosines, axis=1, kind="stable")[:, :count]]
