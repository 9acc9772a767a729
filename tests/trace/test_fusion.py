"""Identities of the fusion against full rows of logits, computed another way."""

import math

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.trace.fusion import (
    disagreement,
    fusion_weights,
    gate_weights,
    known_candidates,
    margin_shares,
    next_log_probs,
    normaliser,
    outside_bound,
    overlap,
    pair_weights,
    preference,
    probability_shares,
    rescore,
    winner_balance,
    winners,
)
from app.trace.projection import NEIGHBOURS, neighbour_change, neighbour_changes, project
from app.trace.record import Trace

GRID = [0.0, 0.05, 0.35, 0.5, 0.8, 1.0]


@pytest.fixture(scope="module")
def trace(engine: Engine) -> Trace:
    return engine.look("Мама видит кота. My sister likes the cat. 爸爸找书。")


@pytest.fixture(scope="module")
def rows(engine: Engine, trace: Trace) -> np.ndarray:
    """Raw logits (E, T, V), double precision."""
    with torch.inference_mode():
        return engine.model(torch.tensor([trace.ids.tolist()])).logits[:, 0].double().numpy()


def log_softmax(z: np.ndarray) -> np.ndarray:
    return z - np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True)) - z.max(-1, keepdims=True)


def test_log_probabilities_of_the_text(trace: Trace, rows: np.ndarray) -> None:
    expected = [log_softmax(z) for z in (rows[0], rows[1], rows.mean(0))]
    scores = next_log_probs(trace)
    for t in range(len(trace) - 1):
        assert scores[t] == pytest.approx([z[t, trace.ids[t + 1]] for z in expected], abs=1e-4)
    assert preference(trace)[3] == pytest.approx(expected[0][3, trace.ids[4]] - expected[1][3, trace.ids[4]], abs=1e-4)


def test_disagreement_is_the_mean_divergence_from_the_fusion(trace: Trace, rows: np.ndarray) -> None:
    """-log BC = mean_e KL(fused || expert), and BC = sum sqrt(p q): two other ways to compute it."""
    first, second, fused = (log_softmax(z) for z in (rows[0], rows[1], rows.mean(0)))
    divergences = [(np.exp(fused) * (fused - q)).sum(-1) for q in (first, second)]
    overlap = np.sqrt(np.exp(first) * np.exp(second)).sum(-1)
    assert disagreement(trace) == pytest.approx(np.mean(divergences, axis=0), abs=1e-3)
    assert disagreement(trace) == pytest.approx(-np.log(overlap), abs=1e-3)


def test_disagreement_does_not_depend_on_the_weights_of_the_text(engine: Engine, trace: Trace) -> None:
    alone = engine.look(trace.text, (1.0, 0.0))
    assert np.allclose(disagreement(alone), disagreement(trace), atol=1e-4)


@pytest.mark.parametrize("weight", GRID)
def test_rescoring_equals_fusing_full_rows(trace: Trace, rows: np.ndarray, weight: float) -> None:
    for position in range(0, len(trace), 5):
        mixed = log_softmax(weight * rows[0, position] + (1 - weight) * rows[1, position])
        ranking = rescore(trace, position, pair_weights(weight))
        assert np.allclose(ranking.log_probs, mixed[ranking.ids], atol=1e-3)
        best = np.sort(mixed)[::-1][: ranking.certain]
        assert np.allclose(ranking.log_probs[: ranking.certain], best, atol=1e-3)


def test_no_outsider_exceeds_the_bound(trace: Trace, rows: np.ndarray) -> None:
    for position in range(len(trace)):
        ids, _ = known_candidates(trace, position)
        outside = np.setdiff1d(np.arange(rows.shape[-1]), ids)
        for weight in GRID:
            mixed = weight * rows[0, position, outside] + (1 - weight) * rows[1, position, outside]
            assert mixed.max() <= outside_bound(trace, position, pair_weights(weight)) + 1e-4


def test_shares_add_up_to_the_margin(trace: Trace, rows: np.ndarray) -> None:
    for position in range(0, len(trace), 3):
        for weight in (0.5, 0.2):
            weights = pair_weights(weight)
            ranking = rescore(trace, position, weights)
            shares = margin_shares(ranking, weights)
            mixed = weight * rows[0, position] + (1 - weight) * rows[1, position]
            margin = mixed[ranking.ids[0]] - mixed[ranking.ids[1]]
            assert shares.sum() == pytest.approx(margin, abs=1e-3)
            assert shares.sum() == pytest.approx(ranking.log_probs[0] - ranking.log_probs[1], abs=1e-3)
            assert shares[0] == pytest.approx(
                weight * (rows[0, position, ranking.ids[0]] - rows[0, position, ranking.ids[1]]), abs=1e-3
            )


@pytest.mark.parametrize("weight", GRID)
def test_mean_of_probabilities_equals_mixing_full_rows(trace: Trace, rows: np.ndarray, weight: float) -> None:
    p = np.exp(log_softmax(rows))
    for position in range(0, len(trace), 5):
        mixed = weight * p[0, position] + (1 - weight) * p[1, position]
        ranking = rescore(trace, position, pair_weights(weight), "probabilities")
        assert np.allclose(np.exp(ranking.log_probs), mixed[ranking.ids], atol=1e-4)
        assert np.allclose(
            np.exp(ranking.log_probs[: ranking.certain]), np.sort(mixed)[::-1][: ranking.certain], atol=1e-4
        )
        shares = probability_shares(trace, position, ranking, pair_weights(weight))
        assert shares.sum() == pytest.approx(mixed[ranking.ids[0]] - mixed[ranking.ids[1]], abs=1e-4)


@pytest.mark.parametrize("weight", GRID)
def test_winners_are_those_of_full_rows(trace: Trace, rows: np.ndarray, weight: float) -> None:
    weights, p = np.array([weight, 1 - weight]), np.exp(log_softmax(rows))
    everywhere = fusion_weights(trace, "logits", weight)
    np.testing.assert_array_equal(winners(trace, everywhere), np.tensordot(weights, rows, 1).argmax(-1))
    mixed = winners(trace, everywhere, "probabilities")
    np.testing.assert_array_equal(mixed, np.tensordot(weights, p, 1).argmax(-1))
    if weight in (0.0, 1.0):
        assert (mixed == winners(trace, everywhere)).all(), "one expert alone"


def test_gate_weighs_experts_by_the_likelihood_of_the_text_so_far(trace: Trace, rows: np.ndarray) -> None:
    logs = log_softmax(rows)
    gates = gate_weights(trace)
    assert gates[0] == pytest.approx([0.5, 0.5])
    for t in range(1, len(trace)):
        likelihood = [math.exp(sum(logs[e, s, trace.ids[s + 1]] for s in range(t))) for e in (0, 1)]
        assert gates[t] == pytest.approx([x / sum(likelihood) for x in likelihood], abs=2e-3)
    position = len(trace) - 2
    mixed = gates[position] @ np.exp(logs[:, position])
    ranking = rescore(trace, position, fusion_weights(trace, "gate", 0.9)[position], "gate")
    assert np.exp(ranking.log_probs[0]) == pytest.approx(mixed.max(), abs=1e-3)


def test_balance_and_overlap_of_full_rows(trace: Trace, rows: np.ndarray) -> None:
    balance, common = winner_balance(trace), overlap(trace)
    for t in range(len(trace)):
        first, second = np.argsort(-rows.mean(0)[t])[:2]
        a, b = ((rows[e, t, first] - rows[e, t, second]) / 2 for e in (0, 1))
        assert balance[t] == pytest.approx((a - b) / (abs(a) + abs(b)), abs=1e-2)
        tops = [set(np.argsort(-rows[e, t])[:10].tolist()) for e in (0, 1)]
        assert common[t] == pytest.approx(len(tops[0] & tops[1]) / 10)


def test_weights_off_the_grid_are_refused(trace: Trace) -> None:
    with pytest.raises(ValueError, match="No log-sum-exp"):
        normaliser(trace, 0, pair_weights(0.123))


def test_projection_keeps_distances_up_to_one_scale_a_layer() -> None:
    """Two-dimensional data: a projection onto two axes is a turn and a scale, whatever the layer."""
    generator = np.random.default_rng(0)
    plane = generator.normal(size=(40, 2))
    basis = np.linalg.qr(generator.normal(size=(16, 2)))[0]
    angle = 1.0
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    hidden = np.stack([plane @ basis.T, 5 * plane @ turn @ basis.T + 3])
    projection = project(hidden)
    assert projection.shown == pytest.approx([1, 1], abs=1e-5)
    for points in projection.points:
        ours, theirs = (np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (points, plane))
        ratio = ours[theirs > 0] / theirs[theirs > 0]
        assert ratio.max() == pytest.approx(ratio.min(), rel=1e-3)
    assert np.allclose(projection.points[0], projection.points[1], atol=1e-3)  # Procrustes undid the turn
    assert np.abs(projection.points[..., 0]).max() <= 1.4001 and np.abs(projection.points[..., 1]).max() <= 1.0001


def test_projection_reports_the_variance_it_shows() -> None:
    spread = np.diag([3.0, 2.0, 1.0, 1.0]) * 10
    hidden = np.concatenate([spread, -spread])[None].repeat(2, 0)
    assert project(hidden).shown == pytest.approx([(9 + 4) / (9 + 4 + 1 + 1)] * 2, abs=1e-5)
    with pytest.raises(ValueError, match="at least 3"):
        project(np.zeros((2, 2, 4)))


def test_trustworthiness_by_hand() -> None:
    """The definition of Venna and Kaski (2001), point by point."""
    generator = np.random.default_rng(3)
    states = generator.normal(size=(30, 6))
    projection = project(np.stack([states, states]))
    flat, count = projection.points[0].astype(float), 30
    near_all = np.argsort(np.linalg.norm(states[:, None] - states[None], axis=-1), axis=1)[:, 1:]
    near_flat = np.argsort(np.linalg.norm(flat[:, None] - flat[None], axis=-1), axis=1)[:, 1:]
    k = NEIGHBOURS
    lost = 0
    for i in range(count):
        ranks = {int(j): r for r, j in enumerate(near_all[i], 1)}
        lost += sum(ranks[int(j)] - k for j in near_flat[i, :k] if ranks[int(j)] > k)
    expected = 1 - lost * 2 / (count * k * (2 * count - 3 * k - 1))
    assert projection.trust[0] == pytest.approx(expected, abs=1e-4)


def test_changes_from_layer_to_layer() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 30, 8))
    changes = neighbour_changes(np.stack([first, 3 * first, second]))
    assert changes[0] == 0 and 0.5 < changes[1] <= 1


def test_neighbour_change_is_none_for_equal_layers_and_all_for_split_ones() -> None:
    generator = np.random.default_rng(1)
    layer = generator.normal(size=(30, 8))
    assert neighbour_change(np.stack([layer, 2 * layer])) == 0
    centres = 20 * np.eye(4)
    before = np.repeat(centres, 3, axis=0) + 0.1 * generator.normal(size=(12, 4))
    after = np.tile(centres, (3, 1)) + 0.1 * generator.normal(size=(12, 4))
    assert neighbour_change(np.stack([before, after]), neighbours=2) == 1
