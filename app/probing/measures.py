"""Measures of meaning in hidden states: NumPy in, numbers out, always in all dimensions.

States are (n, d) of one layer, one row a word; cosines are those of standardised states
(`app.probing.word_states.cosines`).  A pair of words that share letters can be near for its looks alone, so the
measures take a mask of the pairs that count.  These are the plain forms; `app.probing.probe_suite` computes the same
over many draws and shuffles at once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.probing.word_states import centred, cosines
from app.trace.record import Floats

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]


MOST_NEIGHBOURS = 5
"""Neighbours that purity looks at, where every label has more items than that."""


def neighbours_of(labels: Sequence[str]) -> int:
    """How many neighbours k purity looks at: no more than the smallest label has others, for with k above that no
    states at all could reach 1 (of 3 labels with 2 items each, 5 neighbours give 20 % whatever happens)."""
    return max(1, min(MOST_NEIGHBOURS, min(Counter(labels).values()) - 1))


def purity(states: Floats, labels: Sequence[str], neighbours: int | None = None, apart: Mask | None = None) -> float:
    """kNN purity: the mean share of each item's nearest others, by cosine, that carry its label, 0..1.  neighbours:
    `neighbours_of` the labels by default."""
    return float(agreement(nearest_rows(states, neighbours or neighbours_of(labels), apart), labels).mean())


def agreement(nearest: Rows, labels: Sequence[str]) -> Floats:
    """Each item's share (n,) of nearest others (n, k) with its own label; a place without an item (-1) has none."""
    names = np.unique(np.array(labels), return_inverse=True)[1]
    same = (names[nearest] == names[:, None]) & (nearest >= 0)
    shares: Floats = same.mean(axis=1).astype(np.float32)
    return shares


def best_purity(labels: Sequence[str], neighbours: int, apart: Mask) -> float:
    """The ceiling of purity over the pairs that count: an item may have fewer than k others of its label there."""
    others = (same_labels(labels) & apart).sum(axis=1)
    return float(np.minimum(others, neighbours).mean() / neighbours)


def chance_purity(labels: Sequence[str], apart: Mask | None = None) -> float:
    """What purity is on average if states say nothing of labels: the mean share of each item's others, or of those
    that count, that carry its label."""
    counted = ~np.eye(len(labels), dtype=bool) if apart is None else apart
    same = (same_labels(labels) & counted).sum(axis=1)
    return float((same / np.maximum(counted.sum(axis=1), 1)).mean())


def nearest_rows(states: Floats, neighbours: int, apart: Mask | None = None) -> Rows:
    """Rows (n, k) of each item's nearest others among states (n, d), best first; of `apart` (n, n) only
    those pairs count, and -1 stands where an item has no more of them."""
    return nearest_by(cosines(states), neighbours, apart)


def nearest_by(near: Floats, neighbours: int, apart: Mask | None = None) -> Rows:
    """The same from cosines (n, n)."""
    if apart is not None:
        near = np.where(apart, near, -np.inf)
    rows: Rows = np.argsort(-near, axis=1, kind="stable")[:, : min(neighbours, len(near) - 1)]
    return rows if apart is None else np.where(np.take_along_axis(apart, rows, 1), rows, -1)


def letters_apart(words: Sequence[str], languages: Sequence[str]) -> Mask:
    """Which pairs (n, n) of words share no letters that could make them near: no common character in
    Chinese; no three common letters in a row and no common ending of two letters elsewhere.  The diagonal
    is False."""
    pieces = [_pieces(word, language) for word, language in zip(words, languages, strict=True)]
    return np.array([[i != j and not (a & b) for j, b in enumerate(pieces)] for i, a in enumerate(pieces)])


def _pieces(word: str, language: str) -> set[str]:
    small = word.casefold()
    if language == "zh":
        return set(small)
    return {small[i : i + 3] for i in range(len(small) - 2)} | {f"…{small[-2:]}"}


def same_labels(labels: Sequence[str]) -> Mask:
    """(n, n): which pairs carry one label."""
    names = np.array(labels)
    return np.asarray(names[:, None] == names[None])


def pair_auc(states: Floats, same: Mask, apart: Mask) -> float:
    """Probability that a pair of one label is nearer, by cosine, than a pair of two labels, among the pairs
    that count: 0.5 says nothing, 1 says all (area under the ROC curve, Mann-Whitney)."""
    upper = np.triu(apart, 1)
    near, positive = cosines(states)[upper], same[upper]
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return 0.5
    return float((ranks(near)[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks from 1, ties averaged."""
    # Imported late, like scikit-learn below: both take a second that the page should not wait for.
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), np.float64)


def rank_correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman's correlation of two lists, 0 for a constant one."""
    return _pearson(ranks(a), ranks(b))


def _pearson(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def rsa(states: Floats, same: Mask, pictures: Floats) -> tuple[float, float, float]:
    """Representational similarity (Kriegeskorte 2008) of cosine distances with the labels' own matrix; the
    same, given the distances of the pictures (n, n) (partial correlation); and picture memory, the
    correlation with the pictures themselves.  All Spearman.  The pictures are of the very tokens whose states
    these are: a whole word's picture says little of its last token's state, and memory would look flat."""
    upper = np.triu_indices(len(states), 1)
    near = 1 - cosines(states)[upper]
    with_labels = rank_correlation(near, ~same[upper])
    with_pictures = rank_correlation(near, pictures[upper])
    between = rank_correlation(pictures[upper], ~same[upper])
    return with_labels, partial(with_labels, with_pictures, between), with_pictures


def partial(with_labels: Any, with_pictures: Any, between: Any) -> Any:
    """Partial correlation with the labels, given the pictures, from the three plain ones."""
    rest = np.sqrt(np.maximum((1 - with_pictures**2) * (1 - between**2), 1e-12))
    return (with_labels - with_pictures * between) / rest


def picture_distances(bitmaps: NDArray[np.bool_]) -> Floats:
    """1 - cosine (n, n) of pictures (n, 32, 32), centred on their mean; 1 for a picture without ink."""
    flat = bitmaps.reshape(len(bitmaps), -1).astype(np.float32)
    flat = flat - flat.mean(axis=0)
    sizes = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = np.divide(flat, sizes, out=np.zeros_like(flat), where=sizes > 0)
    distances: Floats = 1 - unit @ unit.T
    return distances


def retrieval(source: Floats, target: Floats, neighbours: int = 10) -> tuple[float, float]:
    """Translation retrieval@1 and mean reciprocal rank: row i of one language's states should find row i of
    the other's, by CSLS (Conneau 2018: twice the cosine less both words' mean cosine to their nearest),
    each language standardised by itself."""
    near = centred(source)[0] @ centred(target)[0].T
    count = min(neighbours, len(near))
    hubs = np.sort(near, axis=0)[-count:].mean(axis=0)
    own = np.sort(near, axis=1)[:, -count:].mean(axis=1)
    scores = 2 * near - hubs[None] - own[:, None]
    places = (scores > np.diag(scores)[:, None]).sum(axis=1) + 1
    return float((places == 1).mean()), float((1 / places).mean())


def cka(first: Floats, second: Floats) -> float:
    """Linear CKA (Kornblith 2019) of two sets of states (n, d) of the same n items, with the unbiased HSIC
    (Song 2012), which does not grow with d: 1 for the same up to rotation and scale, 0 for unrelated."""
    a, b = (_gram(states) for states in (first, second))
    norms = _hsic(a, a) * _hsic(b, b)
    return _hsic(a, b) / float(np.sqrt(norms)) if norms > 0 else 0.0


def _gram(states: Floats) -> NDArray[np.float64]:
    rows = states.astype(np.float64)
    gram: NDArray[np.float64] = rows @ rows.T
    np.fill_diagonal(gram, 0)
    return gram


def _hsic(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    n = len(a)
    if n < 4:
        raise ValueError(f"{n} items are too few for the unbiased HSIC: give at least 4.")
    ends = float(a.sum() * b.sum()) / ((n - 1) * (n - 2)) - 2 * float(a.sum(0) @ b.sum(0)) / (n - 2)
    return (float((a * b).sum()) + ends) / (n * (n - 3))


def selectivity(states: Floats, labels: Sequence[str], seed: int = 0, folds: int = 5) -> float:
    """Accuracy of a linear probe (ridge) on words it was not trained on, less that of the same probe on
    random labels (Hewitt 2019, arXiv 1909.03368)."""
    names = np.unique(np.array(labels), return_inverse=True)[1]
    from sklearn.model_selection import StratifiedKFold

    smallest = int(np.bincount(names).min())
    if smallest < 2:
        return 0.0
    rows = centred(states)[0]
    shuffled = np.random.default_rng(seed).permutation(names)
    parts = StratifiedKFold(min(folds, smallest), shuffle=True, random_state=seed)
    right = [
        np.mean([_probe(rows, truth, train, test) for train, test in parts.split(rows, truth)])
        for truth in (names, shuffled)
    ]
    return float(right[0] - right[1])


def _probe(rows: Floats, names: Rows, train: Rows, test: Rows) -> float:
    from sklearn.linear_model import RidgeClassifier

    return float(RidgeClassifier(alpha=1.0).fit(rows[train], names[train]).score(rows[test], names[test]))


def effective_rank(states: Floats) -> float:
    """exp of the entropy of the variance's spread over directions (Roy 2007): how many directions count.

    >>> round(effective_rank(np.eye(4, dtype=np.float32)), 3)  # four corners of a tetrahedron
    3.0
    """
    sizes = np.linalg.svd(states - states.mean(axis=0), compute_uv=False).astype(np.float64) ** 2
    shares = sizes / max(float(sizes.sum()), 1e-12)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def two_nn(states: Floats, dropped: float = 0.1) -> float:
    """Intrinsic dimension from the ratio of the second to the first neighbour's distance (Facco 2017), the
    largest ratios dropped; small samples bias it down."""
    rows = states.astype(np.float64)
    squares = (rows**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0))
    np.fill_diagonal(distances, np.inf)
    first, second = np.sort(distances, axis=1)[:, :2].T
    ratios = np.sort(second[first > 0] / first[first > 0])
    if not len(ratios):
        return 0.0
    kept = ratios[: max(1, int(len(ratios) * (1 - dropped)))]
    # the maximum-likelihood estimate of a sample cut off at its largest ratio
    total = np.log(kept).sum() + (len(ratios) - len(kept)) * np.log(kept[-1])
    return float(len(kept) / total) if total > 0 else 0.0


def item_draws(n: int, times: int, seed: int = 0) -> NDArray[np.float32]:
    """How often (times, n) each of n items is drawn, with replacement."""
    generator = np.random.default_rng(seed)
    counts = [np.bincount(generator.integers(n, size=n), minlength=n) for _ in range(times)]
    return np.stack(counts).astype(np.float32)


def bootstrap(per_item: NDArray[np.floating], draws: NDArray[np.float32]) -> NDArray[np.float64]:
    """Means (times, ...) of values per item (..., n) over draws (times, n) of the items."""
    shares = draws.astype(np.float64) / per_item.shape[-1]
    means: NDArray[np.float64] = np.tensordot(shares, per_item.astype(np.float64), axes=(1, per_item.ndim - 1))
    return means


@dataclass(frozen=True)
class Emergence:
    """Where a curve leaves its controls.  layer: the first whose lower bound exceeds every control, None
    if there is none; earliest: the first whose upper bound does, None if there is none."""

    layer: int | None
    earliest: int | None


def emergence(draws: NDArray[np.float64], controls: NDArray[np.floating]) -> Emergence:
    """Compare bootstrap draws (B, L + 1) of a curve, by their central 95 %, with the upper ends of all its
    controls (C, L + 1).  Layer 0 is itself a control: what emerges must exceed it."""
    ceiling = controls.max(axis=0)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    firsts = [np.flatnonzero((end > ceiling) & (np.arange(len(end)) > 0)) for end in (low, high)]
    layer, earliest = (int(found[0]) if len(found) else None for found in firsts)
    return Emergence(layer, earliest)
