"""The whole battery of probes over one word set, with every control a curve needs to prove anything.

Controls: layer 0 (the pictures alone); labels shuffled 200 times, of which the 95th percentile of the
maximum over layers counts; an untrained twin of the same shape over the same frozen table; pairs of
words that share letters left out; for words read in sentences of their own, the states of the token
before each, since a sentence can tell the group before the word is read.  Beside them, where they are
known, twins whose table was trained along with them: not a control, for meaning can arise there too, but
what the frozen experts are compared with.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.network.experts import StackedExperts
from app.probing.control_states import ControlStates
from app.probing.curves import Battery, Curve, Curves
from app.probing.measures import (
    agreement,
    best_purity,
    bootstrap,
    chance_purity,
    effective_rank,
    emergence,
    item_draws,
    letters_apart,
    nearest_by,
    neighbours_of,
    partial,
    picture_distances,
    ranks,
    selectivity,
    two_nn,
)
from app.probing.word_list import Word, check_groups
from app.probing.word_states import Progress, WordStates, cosines, part_of, token_pictures, word_states
from app.trace.record import Floats
from app.wording.errors import UserError

DRAWS = 200
SHUFFLES = 200
MEASURES = (
    "purity", "purity_apart", "auc", "rsa", "rsa_given", "memory", "selectivity", "effective_rank", "dimension",
)  # fmt: skip
LABELLED = ("purity", "purity_apart", "auc", "rsa", "rsa_given")
"""Measures of the labels: only these have shuffled labels as a control, and a layer of emergence."""
_TWIN_SEED = 7

Pairs = tuple[NDArray[Any], ...]


def untrained_twin(engine: Engine) -> Engine:
    """One expert of the same shape over the same frozen table, as training would begin it; without a head
    where the network is not ours, since only its states are read."""
    ours = isinstance(engine.model, StackedExperts)
    shape = replace(engine.model.shape, experts=1)
    model = StackedExperts(shape if ours else replace(shape, vocabulary=1))
    model.initialise(torch.Generator().manual_seed(_TWIN_SEED))
    model.embedding = engine.model.embedding
    model.requires_grad_(False).eval()
    return Engine(replace(engine.bundle, model=model, experts=("untrained",)))


def run_battery(
    engine: Engine,
    states: WordStates,
    progress: Progress = lambda share: True,
    twins: ControlStates | None = None,
    context: Floats | None = None,
) -> Battery:
    """All measures of a word set, with their controls.  twins: what is known of other networks on the words;
    else the untrained twin reads them now, in carrier sentences.  context (E, L + 1, n, d): states of the
    tokens before the words, for words that were not all read in the same sentences.

    Raises:
        UserError: `few_groups` for too few groups or words a group; `cancelled` when `progress` says so.
    """
    check_groups(states.words)
    begun = 0.0 if twins else 0.3
    if twins is None:
        untrained = word_states(untrained_twin(engine), states.words, part_of(progress, 0.0, begun)).states
    else:
        untrained = twins.untrained[None]
    others = [*(() if context is None else context), *(twins.unfrozen if twins else ())]
    layers = [*states.states, *untrained, *others]
    jobs = _Jobs(states.words, token_pictures(engine, states.words))
    total = len(layers) * states.states.shape[1]
    found = []
    for number, expert in enumerate(layers):
        rows = []
        for at, layer in enumerate(expert):
            if not progress(begun + (1 - begun) * (number * len(expert) + at) / total):
                raise UserError("cancelled")
            rows.append(jobs.measure(layer))
        found.append(rows)
    count = len(states.states)
    end = count + 1 + (0 if context is None else count)
    parts = found[:count], found[count], found[count + 1 : end], found[end:]
    curves = {name: _curve(name, *parts) for name in MEASURES}
    groups = len({word.concept for word in states.words})
    return Battery(
        engine.bundle.experts,
        len(states.words),
        groups,
        states.in_text,
        jobs.neighbours,
        jobs.chance,
        jobs.best,
        curves,
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    """One measure at one layer: its value, bootstrap draws (B,) and values under shuffled labels (S,)."""

    value: float
    draws: NDArray[np.float64]
    shuffled: NDArray[np.float64]


class _Jobs:
    """What all layers of one word set share: which pairs count, pictures, draws of words, shuffled labels.

    Every measure is then a product of one layer's ranks with matrices that do not depend on the layer:
    over B draws, S shuffles and m pairs.
    """

    def __init__(self, words: tuple[Word, ...], pictures: NDArray[np.bool_]) -> None:
        texts = [word.text for word in words]
        self.labels = [word.concept for word in words]
        self.names = np.unique(np.array(self.labels), return_inverse=True)[1]
        self.apart = letters_apart(texts, [word.language for word in words])
        self.neighbours = neighbours_of(self.labels)
        pairs = {"purity": ~np.eye(len(words), dtype=bool), "purity_apart": self.apart}
        self.chance = {name: chance_purity(self.labels, counted) for name, counted in pairs.items()}
        self.best = {name: best_purity(self.labels, self.neighbours, counted) for name, counted in pairs.items()}
        self.draws = item_draws(len(words), DRAWS)
        generator = np.random.default_rng(1)
        self.shuffled = np.stack([self.names, *(generator.permutation(self.names) for _ in range(SHUFFLES))])
        self.upper = np.triu_indices(len(words), 1)
        self.kept = np.nonzero(np.triu(self.apart, 1))
        self.kept_same = self._same(self.kept)
        self.kept_weights = self._weights(self.kept)
        self.other = _standard(~self._same(self.upper))
        self.pictures = _standard(ranks(picture_distances(pictures)[self.upper]))
        self.weights = self._weights(self.upper)

    def _same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """(1 + S, m): which pairs carry one label, under the true labels and under every shuffle."""
        return np.asarray(self.shuffled[:, pairs[0]] == self.shuffled[:, pairs[1]])

    def _weights(self, pairs: Pairs) -> Curves:
        """(B, m): how often each pair is drawn."""
        return self.draws[:, pairs[0]] * self.draws[:, pairs[1]]

    def measure(self, layer: Curves) -> dict[str, _Measured]:
        """Every measure of one layer's states (n, d)."""
        plain = {
            "selectivity": selectivity(layer, self.labels),
            "effective_rank": effective_rank(layer),
            "dimension": two_nn(layer),
        }
        none = np.zeros(0)
        near = cosines(layer)
        return {
            "purity": self._purity(nearest_by(near, self.neighbours)),
            "purity_apart": self._purity(nearest_by(near, self.neighbours, self.apart)),
            "auc": self._auc(near[self.kept]),
            **self._similarity(1 - near[self.upper]),
            **{name: _Measured(value, none, none) for name, value in plain.items()},
        }

    def _purity(self, nearest: NDArray[np.int64]) -> _Measured:
        shares = agreement(nearest, self.labels)
        same = (self.shuffled[1:, nearest] == self.shuffled[1:, :, None]) & (nearest >= 0)
        shuffled = same.mean(axis=(1, 2))
        return _Measured(float(shares.mean()), bootstrap(shares, self.draws), shuffled)

    def _auc(self, near: Curves) -> _Measured:
        """Area under the ROC curve of the pairs without common letters (m,): by rank sums for the labels,
        by weighted counts of lower pairs for the draws."""
        order = np.argsort(near, kind="stable")
        place = np.empty(len(near))
        place[order] = np.arange(1, len(near) + 1)
        ones = self.kept_same.sum(axis=1).astype(np.float64)
        sums = self.kept_same.astype(np.float32) @ (place / len(near))
        by_labels = _ratio(sums * len(near) - ones * (ones + 1) / 2, ones * (len(near) - ones))
        weights, same = self.kept_weights[:, order], self.kept_same[0, order]
        positive, negative = weights * same, weights * ~same
        below = np.cumsum(negative, axis=1, dtype=np.float64) - negative / 2
        counted = np.einsum("bm,bm->b", positive, below)
        draws = _ratio(counted, positive.sum(1, dtype=np.float64) * negative.sum(1, dtype=np.float64))
        return _Measured(float(by_labels[0]), draws, by_labels[1:])

    def _similarity(self, distances: Curves) -> dict[str, _Measured]:
        """Correlations of the distances (m,) with the labels, with the labels given the pictures, and with
        the pictures."""
        near, pictures = _standard(ranks(distances)), self.pictures
        memory = float(near @ pictures) / len(near)
        labelled = self.other @ near / len(near)  # (1 + S,)
        given = partial(labelled, memory, self.other @ pictures / len(near))
        with_labels, with_pictures, between = (
            _weighted(a, b, self.weights)
            for a, b in ((near, self.other[0]), (near, pictures), (self.other[0], pictures))
        )
        return {
            "rsa": _Measured(float(labelled[0]), with_labels, labelled[1:]),
            "rsa_given": _Measured(float(given[0]), partial(with_labels, with_pictures, between), given[1:]),
            "memory": _Measured(memory, with_pictures, np.zeros(0)),
        }


def _standard(values: NDArray[Any]) -> Curves:
    """Rows (..., m) with mean 0 and deviation 1; a constant row becomes 0."""
    values = np.asarray(values, np.float64)
    values = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(values / np.maximum(values.std(axis=-1, keepdims=True), 1e-12), np.float32)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """above / below, one half where there is nothing to compare."""
    return np.divide(above, below, out=np.full_like(above, 0.5), where=below > 0)


def _weighted(a: Curves, b: Curves, weights: Curves) -> NDArray[np.float64]:
    """Pearson's correlations (B,) of two standardised lists (m,) under weights (B, m)."""
    sums = (weights @ np.stack((np.ones_like(a), a, b, a * b, a * a, b * b), 1)).astype(np.float64)
    mean_a, mean_b, both, square_a, square_b = (sums[:, 1:] / np.maximum(sums[:, :1], 1e-12)).T
    spread = np.sqrt(np.maximum((square_a - mean_a**2) * (square_b - mean_b**2), 0))
    found: NDArray[np.float64] = np.divide(
        both - mean_a * mean_b, spread, out=np.zeros_like(spread), where=spread > 1e-9
    )
    return found


_Layers = list[dict[str, _Measured]]


def _curve(name: str, experts: list[_Layers], twins: _Layers, context: list[_Layers], unfrozen: list[_Layers]) -> Curve:
    values = np.array([[layer[name].value for layer in expert] for expert in experts])
    around, others = (
        np.array([[layer[name].value for layer in expert] for expert in part])
        if part
        else np.full(values.shape, np.nan)
        for part in (context, unfrozen)
    )
    untrained = np.array([layer[name].value for layer in twins])
    drawn = len(experts[0][0][name].draws) > 0
    draws = [np.stack([layer[name].draws for layer in expert], 1) for expert in experts]  # (B, L + 1) each
    twin_high = np.quantile([layer[name].draws for layer in twins], 0.975, axis=1) if drawn else untrained
    if name in LABELLED:
        nulls = [np.stack([layer[name].shuffled for layer in expert], 1) for expert in experts]  # (S, L + 1) each
        band = np.stack([np.quantile(null, [0.025, 0.975], axis=0) for null in nulls], 1)  # (2, E, L + 1)
        ceiling = np.array([np.quantile(null.max(axis=1), 0.95) for null in nulls])
        found = tuple(
            emergence(draw, np.stack([np.full(len(untrained), control) for control in (top, own[0])] + rest))
            for draw, top, own, rest in zip(draws, ceiling, values, _each(twin_high, context, name), strict=False)
        )
    else:
        band, ceiling, found = np.full((2, *values.shape), np.nan), np.full(len(values), np.nan), ()
    low, high = _interval(draws) if drawn else (values, values)
    single: Callable[[Any], Curves] = lambda array: np.asarray(array, np.float32)  # noqa: E731
    return Curve(
        single(values), single(low), single(high), single(band[0]), single(band[1]), single(ceiling),
        single(untrained), single(twin_high), single(others), single(around), found,
    )  # fmt: skip


def _each(twin: NDArray[np.float64], context: list[_Layers], name: str) -> Iterator[list[NDArray[np.float64]]]:
    """The controls of each expert that differ from layer to layer, by their upper ends (L + 1,)."""
    if not context:
        return repeat([twin])
    return iter([[twin, np.quantile([layer[name].draws for layer in own], 0.975, axis=1)] for own in context])


def _interval(draws: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ends = np.stack([np.quantile(draw, [0.025, 0.975], axis=0) for draw in draws], 1)
    return ends[0], ends[1]
