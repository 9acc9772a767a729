"""Purity, the share of nearest words of the same group, and its chance level, counted by hand."""

import numpy as np
import pytest

from app.probing.measures import best_purity, chance_purity, nearest_rows, neighbours_of, purity


def test_purity_by_hand() -> None:
    generator = np.random.default_rng(0)
    labels = ["a"] * 6 + ["b"] * 6
    states = generator.normal(size=(12, 5)).astype(np.float32)
    z = (states - states.mean(0)) / states.std(0)
    shares = []
    for i in range(12):
        near = sorted(
            (j for j in range(12) if j != i), key=lambda j: -z[i] @ z[j] / np.linalg.norm(z[i]) / np.linalg.norm(z[j])
        )
        shares.append(sum(labels[j] == labels[i] for j in near[:5]) / 5)
        assert nearest_rows(states, 5)[i].tolist() == near[:5]
    assert purity(states, labels) == pytest.approx(np.mean(shares))
    assert chance_purity(labels) == pytest.approx(5 / 11)
    tight = np.repeat(generator.normal(size=(2, 5)) * 9, 6, axis=0) + 0.1 * states
    assert purity(tight.astype(np.float32), labels) == 1.0


def test_chance_purity_is_the_mean_over_shuffled_labels() -> None:
    generator = np.random.default_rng(1)
    labels = ["a"] * 3 + ["b"] * 7 + ["c"] * 10
    states = generator.normal(size=(20, 8)).astype(np.float32)
    shuffled = [purity(states, generator.permutation(labels).tolist()) for _ in range(2000)]
    assert np.mean(shuffled) == pytest.approx(chance_purity(labels), abs=0.01)


def test_small_groups_are_asked_for_no_more_neighbours_than_they_have() -> None:
    """Two groups of three told apart perfectly: of five neighbours two could be right, of two both are."""
    assert neighbours_of(["a"] * 3 + ["b"] * 9) == 2 and neighbours_of(["a"] * 6 + ["b"] * 60) == 5
    labels = ["a", "a", "a", "b", "b", "b"]
    states = np.array([[i < 3] * 9 + [i % 3] for i in range(6)], np.float32)
    assert purity(states, labels) == 1 and purity(states, labels, neighbours=5) == pytest.approx(0.4)


def test_neighbours_that_do_not_count_are_not_counted() -> None:
    """Where few pairs count, the places without a neighbour are no hits, and the ceiling says how high it can get:
    against a plain count, word by word."""
    generator = np.random.default_rng(3)
    labels = ["a"] * 4 + ["b"] * 5
    apart = np.triu(generator.random((9, 9)) < 0.5, 1)
    apart |= apart.T
    states = generator.normal(size=(9, 4)).astype(np.float32)
    z = (states - states.mean(0)) / states.std(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    shares, most, chance = [], [], []
    for i in range(9):
        others = sorted((j for j in range(9) if apart[i, j]), key=lambda j: -z[i] @ z[j])
        same = [labels[j] == labels[i] for j in others]
        shares.append(sum(same[:3]) / 3)
        most.append(min(sum(same), 3) / 3)
        chance.append(sum(same) / len(same))
    assert neighbours_of(labels) == 3 and np.mean(most) < 1
    assert purity(states, labels, apart=apart) == pytest.approx(np.mean(shares))
    assert best_purity(labels, 3, apart) == pytest.approx(np.mean(most))
    assert chance_purity(labels, apart) == pytest.approx(np.mean(chance))
