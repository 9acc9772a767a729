"""Two texts side by side: what each expert gives every token, and at which layers their states diverge.

Works on finished traces: nothing is run."""

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from app.trace.fusion import next_log_probs
from app.trace.record import Floats, Trace


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two texts side by side."""

    first: Floats
    """(T, E + 1): natural log-probability of each token under each expert and the fusion, NaN for the start token."""
    second: Floats
    """The same of the second text."""
    pairs: NDArray[np.int64]
    """(n, 2): positions of the two that correspond."""
    distance: Floats
    """(E, L + 1, n): how far their states are apart, length of the difference by the mean length: 0 for the same state,
    about 1.4 for unrelated ones."""


def compare(first: Trace, second: Trace) -> Comparison:
    """Compare two traces of one model."""
    pairs = aligned(first.ids, second.ids)
    a = first.hidden[:, :, pairs[:, 0]].astype(np.float32)
    b = second.hidden[:, :, pairs[:, 1]].astype(np.float32)
    lengths = (np.linalg.norm(a, axis=-1) + np.linalg.norm(b, axis=-1)) / 2
    distance = np.linalg.norm(a - b, axis=-1) / np.maximum(lengths, 1e-12)
    return Comparison(token_log_probs(first), token_log_probs(second), pairs, distance.astype(np.float32))


def token_log_probs(trace: Trace) -> Floats:
    """Log-probability (T, E + 1) of each token given those before it; NaN for the first."""
    scores = next_log_probs(trace)
    return np.concatenate((np.full_like(scores[:1], np.nan), scores[:-1]))


def aligned(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions (n, 2) of two texts that correspond: all of texts of one length; else tokens that they have in common
    in the same order, and stretches of one length between those."""
    if len(first) == len(second):
        return np.stack((np.arange(len(first)), np.arange(len(first))), 1)
    codes = SequenceMatcher(None, first.tolist(), second.tolist(), autojunk=False).get_opcodes()
    pairs = [
        (i, j)
        for _, start, end, other, until in codes
        if end - start == until - other
        for i, j in zip(range(start, end), range(other, until), strict=True)
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)
