"""Measures of meaning in hidden states: NumPy in, numbers out, always in all dimensions."""

from collections.abc import Sequence

import numpy as np

from app.bank import cosines
from app.trace import Floats


def purity(states: Floats, labels: Sequence[str], neighbours: int = 5) -> float:
    """kNN purity of standardised states (n, d): the mean share of each item's nearest others, by cosine,
    that carry its label, 0..1."""
    nearest = nearest_rows(states, neighbours)
    names = np.array(labels)
    return float((names[nearest] == names[:, None]).mean())


def chance_purity(labels: Sequence[str]) -> float:
    """What purity is on average if labels say nothing: sum over labels of n_c/n (n_c - 1)/(n - 1)."""
    counts = np.unique(np.array(labels), return_counts=True)[1]
    total = len(labels)
    return float((counts * (counts - 1)).sum() / max(total * (total - 1), 1))


def nearest_rows(states: Floats, neighbours: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Rows (n, k) of each item's nearest others among states (n, d), best first."""
    count = min(neighbours, len(states) - 1)
    return np.argsort(-cosines(states), axis=1, kind="stable")[:, :count]
