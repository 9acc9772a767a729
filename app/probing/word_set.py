"""What the measures of one word set share, and what several of them take from one layer's states.

Every measure is a product of one layer's ranks with matrices that do not depend on the layer: over B bootstrap draws
of words, S shuffles of the labels and m pairs of words.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.probing.curves import Curves
from app.probing.measures import (
    best_purity,
    chance_purity,
    item_draws,
    letters_apart,
    neighbours_of,
    picture_distances,
    ranks,
)
from app.probing.word_list import Word
from app.probing.word_states import cosines
from app.trace.record import Floats

DRAWS = 200
SHUFFLES = 200

Pairs = tuple[NDArray[Any], ...]
Numbers = NDArray[np.float64]


def _none() -> Numbers:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Measured:
    """One measure at one layer."""

    value: float
    draws: Numbers = field(default_factory=_none)
    """(B,): under each bootstrap draw of the words; (0,) for a measure without an interval."""
    shuffled: Numbers = field(default_factory=_none)
    """(S,): under shuffled labels; (0,) for a measure that is not about the labels."""


class WordSet:
    """Words with their groups: which pairs count, pictures, draws of words, shuffled labels."""

    def __init__(self, words: tuple[Word, ...], pictures: NDArray[np.bool_]) -> None:
        """pictures (n, 32, 32): of the tokens whose states are measured, one a word."""
        self.labels = [word.concept for word in words]
        """Group of each word."""
        self.apart = letters_apart([word.text for word in words], [word.language for word in words])
        """(n, n): pairs of words that share no letters."""
        self.neighbours = neighbours_of(self.labels)
        """How many neighbours purity looks at."""
        counted = {"purity": ~np.eye(len(words), dtype=bool), "purity_apart": self.apart}
        self.chance = {name: chance_purity(self.labels, pairs) for name, pairs in counted.items()}
        """Purity if states say nothing of the labels."""
        self.best = {name: best_purity(self.labels, self.neighbours, pairs) for name, pairs in counted.items()}
        """The most that purity can be."""
        self.draws = item_draws(len(words), DRAWS)
        """(B, n): how often each word is drawn."""
        names = np.unique(np.array(self.labels), return_inverse=True)[1]
        generator = np.random.default_rng(1)
        self.shuffled = np.stack([names, *(generator.permutation(names) for _ in range(SHUFFLES))])
        """(1 + S, n): labels as numbers, the true ones first."""
        self.upper: Pairs = np.triu_indices(len(words), 1)
        """All pairs of words, m of them."""
        self.kept: Pairs = np.nonzero(np.triu(self.apart, 1))
        """The pairs without common letters."""
        self.kept_same = self._same(self.kept)
        self.kept_weights = self._weights(self.kept)
        self.other = standardised(~self._same(self.upper))
        """(1 + S, m): standardised, 1 for a pair of two labels."""
        self.pictures = standardised(ranks(picture_distances(pictures)[self.upper]))
        """(m,): standardised ranks of the distances of the pictures."""
        self.weights = self._weights(self.upper)

    def _same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """(1 + S, m): which pairs carry one label, under the true labels and under every shuffle."""
        return np.asarray(self.shuffled[:, pairs[0]] == self.shuffled[:, pairs[1]])

    def _weights(self, pairs: Pairs) -> Curves:
        """(B, m): how often each pair is drawn."""
        return self.draws[:, pairs[0]] * self.draws[:, pairs[1]]


class LayerStates:
    """One layer's states (n, d) of a word set."""

    def __init__(self, words: WordSet, states: Floats) -> None:
        self.words, self.states = words, states

    @cached_property
    def near(self) -> Floats:
        """(n, n): cosines of the standardised states."""
        return cosines(self.states)

    @cached_property
    def distance_ranks(self) -> Curves:
        """(m,): standardised ranks of the cosine distances of all pairs."""
        return standardised(ranks(1 - self.near[self.words.upper]))


def standardised(values: NDArray[Any]) -> Curves:
    """Rows (..., m) with mean 0 and deviation 1; a constant row becomes 0."""
    values = np.asarray(values, np.float64)
    values = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(values / np.maximum(values.std(axis=-1, keepdims=True), 1e-12), np.float32)
