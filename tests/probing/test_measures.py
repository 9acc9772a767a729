"""Measures on data with a known answer, and against independent computations."""

import doctest
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from app.probing import measures, probe_measures
from app.probing.measures import (
    bootstrap,
    cka,
    effective_rank,
    emergence,
    item_draws,
    letters_apart,
    pair_auc,
    picture_distances,
    purity,
    rank_correlation,
    retrieval,
    rsa,
    same_labels,
    selectivity,
    two_nn,
)
from app.probing.word_states import centred, cosines

RANDOM = np.random.default_rng(5)
LABELS = ["a"] * 20 + ["b"] * 15 + ["c"] * 25


def clusters(noise: float, dimensions: int = 16) -> np.ndarray:
    """States (60, d) around one centre a label."""
    centres = {label: RANDOM.normal(size=dimensions) for label in "abc"}
    return np.stack([centres[x] + noise * RANDOM.normal(size=dimensions) for x in LABELS]).astype(np.float32)


def test_letters_that_words_share() -> None:
    words = ["кошка", "мошка", "красный", "белый", "mother", "brother", "cat", "二月", "三月", "火", "a", "b"]
    languages = ["ru"] * 4 + ["en"] * 3 + ["zh"] * 3 + ["en"] * 2
    apart = letters_apart(words, languages)
    shared = {(words[i], words[j]) for i, j in np.argwhere(~apart) if i < j}
    assert shared == {("кошка", "мошка"), ("красный", "белый"), ("mother", "brother"), ("二月", "三月")}
    assert not apart.diagonal().any() and np.array_equal(apart, apart.T)


def test_pair_auc_against_scikit_learn() -> None:
    states = clusters(2.0)
    same, apart = same_labels(LABELS), RANDOM.random((60, 60)) < 0.7
    apart = np.triu(apart, 1) | np.triu(apart, 1).T
    upper = np.triu(apart, 1)
    expected = roc_auc_score(same[upper], cosines(states)[upper])
    assert pair_auc(states, same, apart) == pytest.approx(expected, abs=1e-6)
    assert pair_auc(clusters(0.01), same, apart) == 1.0
    noise = RANDOM.normal(size=(60, 16)).astype(np.float32)
    assert pair_auc(noise, same, apart) == pytest.approx(0.5, abs=0.06)
    assert pair_auc(states, np.zeros_like(same), apart) == 0.5


def test_purity_of_pairs_that_count() -> None:
    """With all pairs of one label left out, no neighbour carries one's label."""
    states = clusters(0.5)
    assert purity(states, LABELS) > 0.9 and purity(states, LABELS, apart=~same_labels(LABELS)) == 0


def test_rsa_against_scipy() -> None:
    states = clusters(1.0)
    bitmaps = RANDOM.random((60, 32, 32)) < 0.3
    pictures = picture_distances(bitmaps)
    with_labels, given, memory = rsa(states, same_labels(LABELS), pictures)
    near = pdist(centred(states)[0], "cosine")
    other = np.array([LABELS[i] != LABELS[j] for i in range(60) for j in range(i + 1, 60)])
    flat = bitmaps.reshape(60, -1).astype(float)
    drawn = pdist(flat - flat.mean(0), "cosine")
    h_m, h_p, m_p = (spearmanr(a, b).statistic for a, b in ((near, other), (near, drawn), (other, drawn)))
    assert with_labels == pytest.approx(h_m, abs=1e-4) and memory == pytest.approx(h_p, abs=1e-3)
    assert given == pytest.approx((h_m - h_p * m_p) / np.sqrt((1 - h_p**2) * (1 - m_p**2)), abs=1e-3)
    assert (
        rank_correlation(np.arange(9), np.arange(9) ** 3) == pytest.approx(1)
        and rank_correlation(np.arange(9), np.ones(9)) == 0
    )


def test_what_follows_the_pictures_alone_is_no_meaning() -> None:
    """States that are the pictures: memory is whole; given the pictures, nothing is left."""
    bitmaps = RANDOM.random((60, 32, 32)) < 0.3
    bitmaps[:20, :4] = True  # one label has a picture of its own
    states = bitmaps.reshape(60, -1).astype(np.float32)
    states = (states - states.mean(0)).astype(np.float32)
    pictures = 1 - cosines(states)
    with_labels, given, memory = rsa(states, same_labels(LABELS), pictures)
    assert memory == pytest.approx(1, abs=1e-6) and abs(given) < 0.05 < with_labels


def test_retrieval_finds_a_rotated_language_after_alignment_and_not_noise() -> None:
    source = RANDOM.normal(size=(50, 20)).astype(np.float32)
    near = source + 0.05 * RANDOM.normal(size=(50, 20)).astype(np.float32)
    assert retrieval(source, near) == (1.0, 1.0)
    first, rank = retrieval(source, RANDOM.normal(size=(50, 20)).astype(np.float32))
    assert first < 0.15 and rank < 0.3
    assert retrieval(source, 3 * near + 7) == (1.0, 1.0)  # each language is standardised by itself


def test_a_hub_does_not_win_under_csls() -> None:
    """A point in the middle of all others is everybody's nearest by cosine; CSLS takes its hubness off."""
    source = np.eye(12, dtype=np.float32)[:, :11] + 0.2
    z = centred(source)[0]
    plain = z @ z.T
    found, _ = retrieval(source, source)
    assert found == 1.0 and np.all(plain.argmax(1) == np.arange(12))


def test_cka_of_the_same_up_to_rotation_is_one_and_of_noise_is_nothing() -> None:
    states = RANDOM.normal(size=(40, 60)).astype(np.float32)
    turn = np.linalg.qr(RANDOM.normal(size=(60, 60)))[0].astype(np.float32)
    assert cka(states, 3 * states @ turn) == pytest.approx(1, abs=1e-4)
    noise = [cka(states, RANDOM.normal(size=(40, 60)).astype(np.float32)) for _ in range(30)]
    assert abs(np.mean(noise)) < 0.03  # the biased one would say 0.6 here
    with pytest.raises(ValueError, match="at least 4"):
        cka(states[:3], states[:3])


def test_unbiased_hsic_by_its_definition() -> None:
    """The sum over all quadruples of different items (Song 2012, equation 4)."""
    from itertools import permutations

    x, y = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 2))
    k, m = x @ x.T, y @ y.T
    quadruples = list(permutations(range(6), 4))

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        return float(np.mean([k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]) for i, j, q, r in quadruples]))

    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert cka(x.astype(np.float32), y.astype(np.float32)) == pytest.approx(expected, abs=1e-4)


def test_a_linear_probe_is_selective_where_labels_are_linear() -> None:
    assert selectivity(clusters(0.3), LABELS) > 0.5
    scores = [selectivity(RANDOM.normal(size=(60, 16)).astype(np.float32), LABELS, seed) for seed in range(10)]
    assert abs(np.mean(scores)) < 0.1
    assert selectivity(clusters(0.3), [str(i) for i in range(60)]) == 0


def test_effective_rank_counts_directions() -> None:
    flat = np.zeros((400, 10), np.float32)
    flat[:, :3] = np.linalg.qr(RANDOM.normal(size=(400, 3)) - 0)[0]
    assert effective_rank(flat) == pytest.approx(3, abs=0.05)
    assert effective_rank(RANDOM.normal(size=(5000, 6)).astype(np.float32)) == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_two_nn_finds_the_dimension(dimension: int) -> None:
    points = RANDOM.random((3000, dimension)) @ RANDOM.normal(size=(dimension, 20))
    assert two_nn(points.astype(np.float32)) == pytest.approx(dimension, rel=0.12)


def test_two_nn_of_one_repeated_point_is_nothing() -> None:
    assert two_nn(np.ones((9, 4), np.float32)) == 0


def test_bootstrap_spreads_like_the_standard_error() -> None:
    values = RANDOM.random((2, 80))
    means = bootstrap(values, item_draws(80, 4000))
    assert means.shape == (4000, 2)
    assert means.mean(axis=0) == pytest.approx(values.mean(axis=1), abs=0.004)
    assert means.std(axis=0) == pytest.approx(values.std(axis=1) / np.sqrt(80), rel=0.06)
    assert np.all(item_draws(80, 10).sum(axis=1) == 80)


def test_emergence_is_the_first_layer_above_every_control() -> None:
    draws = np.array([0.5, 0.5, 0.6, 0.9]) + 0.1 * RANDOM.normal(size=(4000, 4)).clip(-2, 2)
    found = emergence(draws, np.stack([np.full(4, 0.55), np.array([0.5, 0.1, 0.1, 0.1])]))
    assert (found.layer, found.earliest) == (3, 1)
    none = emergence(draws, np.full((1, 4), 2.0))
    assert (none.layer, none.earliest) == (None, None)
    assert emergence(draws + np.array([9, 0, 0, 0]), np.full((1, 4), 0.55)).layer == 3  # layer 0 never emerges


@pytest.mark.parametrize("module", [measures, probe_measures], ids=lambda module: module.__name__.rpartition(".")[2])
def test_examples_in_docstrings_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
