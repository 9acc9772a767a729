"""Hidden states in two dimensions, the same two for every layer, so that a point's path is its own.

Linear and aligned by construction: each layer is centred and scaled to the same total variance,
then one PCA over all layers gives one pair of axes.  Positions of two layers can be compared, which
is not true of maps fitted layer by layer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.trace import Floats


@dataclass(frozen=True, eq=False)
class Projection:
    """points (L + 1, n, 2), within -1..1; shown (L + 1,): share of each layer's variance that the
    two axes show, 0..1."""

    points: Floats
    shown: Floats


def project(hidden: NDArray[np.floating]) -> Projection:
    """Project hidden states (L + 1, n, d) of one expert onto one pair of axes.

    Raises:
        ValueError: for fewer than three points, which have no spread to show.
    """
    if hidden.shape[1] < 3:
        raise ValueError(f"{hidden.shape[1]} points cannot be projected: give at least 3.")
    states = hidden.astype(np.float32)
    states = states - states.mean(axis=1, keepdims=True)
    states /= np.maximum(np.linalg.norm(states, axis=(1, 2), keepdims=True), 1e-12)
    stacked = states.reshape(-1, states.shape[-1])
    _, axes = np.linalg.eigh(stacked.T @ stacked)  # ascending
    axes = axes[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])  # one sign, whatever the solver
    flat = states @ axes
    reach = max(float(np.abs(flat).max()), 1e-12)
    return Projection((flat / reach).astype(np.float32), (flat**2).sum(axis=(1, 2)))


def neighbour_change(hidden: NDArray[np.floating], neighbours: int = 5) -> float:
    """How much the neighbourhood changes from the first to the last layer of (L + 1, n, d): the mean
    over points of 1 - Jaccard of the nearest others by cosine of centred states, 0..1."""
    count = min(neighbours, hidden.shape[1] - 1)
    first, last = (_nearest_sets(hidden[i].astype(np.float32), count) for i in (0, -1))
    return float(np.mean([1 - len(a & b) / len(a | b) for a, b in zip(first, last, strict=True)]))


def _nearest_sets(states: Floats, count: int) -> list[set[int]]:
    states = states - states.mean(axis=0)
    states = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
    cosines = states @ states.T
    np.fill_diagonal(cosines, -np.inf)
    return [set(row.tolist()) for row in np.argsort(-cosines, axis=1, kind="stable")[:, :count]]
