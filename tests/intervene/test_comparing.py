"""Two traces compared against plain loops."""

import numpy as np

from app.engine.engine import Engine
from app.intervene.comparing import aligned, compare


def test_log_probabilities_stand_with_their_own_token(tiny: Engine) -> None:
    first, second = tiny.look("the cat."), tiny.look("the dog.")
    found = compare(first, second)
    assert np.isnan(found.first[0]).all()
    logs = tiny.read_position(first, 1)[:, -1]  # after " the", read from stored states
    assert np.allclose(found.first[2, :2], logs[:, first.ids[2]], atol=5e-2)
    assert np.allclose(found.first[1], found.second[1], atol=1e-5)  # the same beginning


def test_distances_of_states(tiny: Engine) -> None:
    first, second = tiny.look("the cat."), tiny.look("the dog.")
    found = compare(first, second)
    a, b = (trace.hidden[1, 2, 2].astype(float) for trace in (first, second))
    wanted = np.linalg.norm(a - b) / ((np.linalg.norm(a) + np.linalg.norm(b)) / 2)
    assert found.distance.shape == (2, 4, len(first)) and abs(found.distance[1, 2, 2] - wanted) < 1e-3
    assert found.distance[:, :, :2].max() < 1e-4 and found.distance[:, 0, 3].max() < 1e-4


def test_texts_of_different_length_share_what_they_have_in_common(tiny: Engine) -> None:
    assert aligned(np.array([1, 2, 3, 4]), np.array([1, 9, 3, 5, 4])).tolist() == [[0, 0], [1, 1], [2, 2], [3, 4]]
    assert aligned(np.array([1]), np.array([2, 3])).shape == (0, 2)
    found = compare(tiny.look("the cat"), tiny.look("the cat dog"))
    assert found.pairs.tolist() == [[0, 0], [1, 1], [2, 2]] and found.distance.max() < 1e-4
