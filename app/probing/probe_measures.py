"""The measures of the Proof panel: each a function of one layer of a word set, and an entry in `MEASURES`.

To add one: its function and its entry here, and its title, `measure_of_NAME`, in the three files of `app/wording/`.
Curves, controls, chart, sentence and export follow from the entry; an example in a docstring is run as a test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.probing.curves import Curves
from app.probing.measures import (
    agreement,
    bootstrap,
    effective_rank,
    nearest_by,
    partial,
    selectivity,
    two_nn,
)
from app.probing.word_set import LayerStates, Measured, Numbers
from app.trace.record import Floats


@dataclass(frozen=True)
class ProbeMeasure:
    """One measure of meaning, by layer."""

    compute: Callable[[LayerStates], Measured]
    labelled: bool = False
    """Whether it is about the groups of the words.  Then `compute` also gives draws and values under shuffled labels,
    and the panel draws their band and says at which layer meaning emerges."""


def unlabelled(measure: Callable[[Floats], float]) -> ProbeMeasure:
    """A measure of states (n, d) alone: a number a layer, without an interval."""
    return ProbeMeasure(lambda layer: Measured(measure(layer.states)))


def purity(layer: LayerStates) -> Measured:
    """kNN purity over all pairs (see `measures.purity`)."""
    return _purity(layer, nearest_by(layer.near, layer.words.neighbours))


def purity_apart(layer: LayerStates) -> Measured:
    """kNN purity over the pairs without common letters."""
    return _purity(layer, nearest_by(layer.near, layer.words.neighbours, layer.words.apart))


def _purity(layer: LayerStates, nearest: NDArray[np.int64]) -> Measured:
    """Of the nearest others (n, k) of each word."""
    words = layer.words
    shares = agreement(nearest, words.labels)
    same = (words.shuffled[1:, nearest] == words.shuffled[1:, :, None]) & (nearest >= 0)
    return Measured(float(shares.mean()), bootstrap(shares, words.draws), same.mean(axis=(1, 2)))


def auc(layer: LayerStates) -> Measured:
    """Area under the ROC curve of the pairs without common letters (see `measures.pair_auc`): by rank sums for the
    labels, by weighted counts of lower pairs for the draws."""
    words, near = layer.words, layer.near[layer.words.kept]
    order = np.argsort(near, kind="stable")
    place = np.empty(len(near))
    place[order] = np.arange(1, len(near) + 1)
    ones = words.kept_same.sum(axis=1).astype(np.float64)
    sums = words.kept_same.astype(np.float32) @ (place / len(near))
    by_labels = _ratio(sums * len(near) - ones * (ones + 1) / 2, ones * (len(near) - ones))
    weights, same = words.kept_weights[:, order], words.kept_same[0, order]
    positive, negative = weights * same, weights * ~same
    below = np.cumsum(negative, axis=1, dtype=np.float64) - negative / 2
    counted = np.einsum("bm,bm->b", positive, below)
    draws = _ratio(counted, positive.sum(1, dtype=np.float64) * negative.sum(1, dtype=np.float64))
    return Measured(float(by_labels[0]), draws, by_labels[1:])


def rsa(layer: LayerStates) -> Measured:
    """Correlation of the distances with the labels (see `measures.rsa`)."""
    words, near = layer.words, layer.distance_ranks
    labelled = words.other @ near / len(near)  # (1 + S,)
    return Measured(float(labelled[0]), _weighted(near, words.other[0], words.weights), labelled[1:])


def rsa_given(layer: LayerStates) -> Measured:
    """The same, given the pictures."""
    words, near, draws = layer.words, layer.distance_ranks, layer.words.weights
    with_pictures = float(near @ words.pictures) / len(near)
    given = partial(words.other @ near / len(near), with_pictures, words.other @ words.pictures / len(near))
    drawn = partial(
        _weighted(near, words.other[0], draws),
        _weighted(near, words.pictures, draws),
        _weighted(words.other[0], words.pictures, draws),
    )
    return Measured(float(given[0]), drawn, given[1:])


def memory(layer: LayerStates) -> Measured:
    """Correlation of the distances with those of the pictures."""
    words, near = layer.words, layer.distance_ranks
    return Measured(float(near @ words.pictures) / len(near), _weighted(near, words.pictures, words.weights))


MEASURES: Mapping[str, ProbeMeasure] = {
    "purity": ProbeMeasure(purity, labelled=True),
    "purity_apart": ProbeMeasure(purity_apart, labelled=True),
    "auc": ProbeMeasure(auc, labelled=True),
    "rsa": ProbeMeasure(rsa, labelled=True),
    "rsa_given": ProbeMeasure(rsa_given, labelled=True),
    "memory": ProbeMeasure(memory),
    "selectivity": ProbeMeasure(lambda layer: Measured(selectivity(layer.states, layer.words.labels))),
    "effective_rank": unlabelled(effective_rank),
    "dimension": unlabelled(two_nn),
}
"""By name, in the order in which the panel offers them."""


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    """above / below, one half where there is nothing to compare."""
    return np.divide(above, below, out=np.full_like(above, 0.5), where=below > 0)


def _weighted(a: Curves, b: Curves, weights: Curves) -> Numbers:
    """Pearson's correlations (B,) of two standardised lists (m,) under weights (B, m)."""
    sums = (weights @ np.stack((np.ones_like(a), a, b, a * b, a * a, b * b), 1)).astype(np.float64)
    mean_a, mean_b, both, square_a, square_b = (sums[:, 1:] / np.maximum(sums[:, :1], 1e-12)).T
    spread = np.sqrt(np.maximum((square_a - mean_a**2) * (square_b - mean_b**2), 0))
    correlations: Numbers = np.divide(both - mean_a * mean_b, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    return correlations
