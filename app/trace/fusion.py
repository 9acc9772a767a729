"""What follows from a trace about its experts: shares, disagreement, other weights.

Nothing here runs the model.  Exact identities for fused logits z = sum_e w_e z_e (product of
experts: Hinton 2002; Bochkov 2025 uses the plain mean):

    margin of t over u:  z(t) - z(u) = sum_e w_e [z_e(t) - z_e(u)]
    log p(t) = sum_e w_e log p_e(t) - log BC,   BC = sum_v prod_e p_e(v) ** w_e
    -log BC  = sum_e w_e KL(p_fused || p_e)     (at equal weights the Bhattacharyya distance)
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.trace.record import WEIGHT_GRID, Floats, Trace

FUSED = -1
"""Index of the fusion on the axes of length E + 1."""


Fusion = Literal["logits", "probabilities", "gate"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates of one position under one fusion, best first.

    ids (n,), expert_logits (n, E), log_probs (n,): natural logarithms.
    certain: how many of the leading ranks no token outside the stored candidates can have taken.
    """

    ids: NDArray[np.int32]
    expert_logits: Floats
    log_probs: Floats
    certain: int


def next_log_probs(trace: Trace) -> Floats:
    """Natural log-probability (T, E + 1) of the token that follows, under each expert and, last,
    their fusion; NaN at the last position."""
    fused = trace.next_logits @ trace.weights if trace.next_fused is None else trace.next_fused
    scores: Floats = np.concatenate((trace.next_logits, fused[:, None]), axis=1) - trace.log_sum_exp
    return scores


def preference(trace: Trace) -> Floats:
    """log p_0 - log p_1 (T,) of the token that follows: positive where the first expert expected it
    more.  Two experts only."""
    scores = next_log_probs(trace)
    return scores[:, 0] - scores[:, 1]


def surprise(trace: Trace) -> Floats:
    """-log p (T,) in nats of the token that follows, under the network as a whole; NaN at the end."""
    return -next_log_probs(trace)[:, FUSED]


def disagreement(trace: Trace) -> Floats:
    """-log BC (T,) in nats at equal weights, whatever weights the text was made with: 0 where the
    experts say the same, or where there is but one."""
    half = int(np.abs(WEIGHT_GRID - 0.5).argmin()) if len(trace.experts) == 2 else 0
    apart: Floats = trace.log_sum_exp[:, :FUSED].mean(axis=1) - trace.mixed_log_sum_exp[:, half]
    return np.maximum(apart, np.float32(0))


def known_candidates(trace: Trace, position: int) -> tuple[NDArray[np.int32], Floats]:
    """All distinct stored candidates (n,) of a position and their logits (n, E)."""
    ids, first = np.unique(trace.candidates[position], return_index=True)
    return ids, trace.candidate_logits[position].reshape(-1, len(trace.experts))[first]


def outside_bound(trace: Trace, position: int, weights: Floats) -> float:
    """No token outside the stored candidates has a fused logit above this: it is in no expert's
    top K, so each of its logits is at most that expert's last stored one."""
    return float(_last_logits(trace, position) @ weights)


def _last_logits(trace: Trace, position: int) -> Floats:
    """Each expert's own logit (E,) of its last stored candidate."""
    return np.array([trace.candidate_logits[position, e, -1, e] for e in range(len(trace.experts))], np.float32)


def normaliser(trace: Trace, position: int, weights: Floats) -> float:
    """Log-sum-exp of the fusion at `weights`, which the trace must hold.

    Raises:
        ValueError: for weights that are neither the trace's own nor on WEIGHT_GRID.
    """
    if np.array_equal(weights, trace.weights):
        return float(trace.log_sum_exp[position, FUSED])
    if trace.mixed_log_sum_exp.shape[1] == len(WEIGHT_GRID) and np.isclose(weights.sum(), 1.0):
        nearest = int(np.abs(WEIGHT_GRID - weights[0]).argmin())
        if abs(WEIGHT_GRID[nearest] - weights[0]) < 1e-4:
            return float(trace.mixed_log_sum_exp[position, nearest])
    raise ValueError(f"No log-sum-exp is stored for the weights {weights.tolist()}.")


def fusion_weights(trace: Trace, fusion: Fusion, weight: float) -> Floats:
    """Weights (T, E) of a fusion at every position: the gate's own, else `weight` for the first expert; those
    of the text where `weight` is the nearest to them on the grid."""
    if fusion == "gate":
        return gate_weights(trace)
    own = abs(weight - float(trace.weights[0])) < 0.5 * float(WEIGHT_GRID[1])
    return np.tile(trace.weights if own else pair_weights(weight), (len(trace), 1))


def rescore(trace: Trace, position: int, weights: Floats, fusion: Fusion = "logits") -> Ranking:
    """Rank the stored candidates of a position under another fusion, exactly.

    `logits`: mean of logits, weighted by `weights` (E,).  `probabilities` and `gate`: mean of
    probabilities; the gate's weights come from `fusion_weights`.
    """
    ids, logits = known_candidates(trace, position)
    if fusion == "logits":
        scores = logits @ weights
        bound = outside_bound(trace, position, weights)
        log_probs = scores - normaliser(trace, position, weights)
    else:
        totals = trace.log_sum_exp[position, :FUSED]
        scores = np.exp(logits - totals) @ weights
        bound = float(np.exp(_last_logits(trace, position) - totals) @ weights)
        log_probs = np.log(np.maximum(scores, np.finfo(np.float32).tiny))
    order = np.lexsort((ids, -scores))
    certain = int((scores > bound).sum())
    return Ranking(ids[order], logits[order], log_probs[order].astype(np.float32), certain)


def winners(trace: Trace, weights: Floats, fusion: Fusion = "logits") -> NDArray[np.int32]:
    """The first id (T,) of every position's `rescore`, under weights (T, E), all positions at once."""
    ids, logits = trace.candidates.reshape(len(trace), -1), trace.candidate_logits
    if fusion != "logits":
        logits = np.exp(logits - trace.log_sum_exp[:, None, None, :FUSED])
    scores = (logits * weights[:, None, None]).sum(axis=-1).reshape(ids.shape)
    best = scores == scores.max(axis=1, keepdims=True)
    found: NDArray[np.int32] = np.where(best, ids, np.iinfo(np.int32).max).min(axis=1)
    return found


def next_probability(trace: Trace, position: int, weights: Floats, fusion: Fusion) -> float:
    """Probability of the token that follows a position, under a fusion at weights that the trace holds."""
    logits = trace.next_logits[position]
    if fusion == "logits":
        return float(np.exp(logits @ weights - normaliser(trace, position, weights)))
    return float(np.exp(logits - trace.log_sum_exp[position, :FUSED]) @ weights)


def gate_weights(trace: Trace) -> Floats:
    """Weights (T, E) of the likelihood gate at each position: each expert's likelihood of the text
    up to there, normalised; equal before the first token (Bayesian model averaging)."""
    known = next_log_probs(trace)[:-1, :FUSED]
    so_far = np.concatenate((np.zeros((1, len(trace.experts))), np.cumsum(known, axis=0)))
    likelihood = np.exp(so_far - so_far.max(axis=1, keepdims=True))
    gates: Floats = (likelihood / likelihood.sum(axis=1, keepdims=True)).astype(np.float32)
    return gates


def margin_shares(ranking: Ranking, weights: Floats, winner: int = 0, rival: int = 1) -> Floats:
    """Each expert's exact part (E,) of one candidate's lead over another under the mean of logits,
    in nats of log-odds; the parts add up to the lead."""
    shares: Floats = weights * (ranking.expert_logits[winner] - ranking.expert_logits[rival])
    return shares


def probability_shares(
    trace: Trace, position: int, ranking: Ranking, weights: Floats, winner: int = 0, rival: int = 1
) -> Floats:
    """Each expert's exact part (E,) of one candidate's lead over another under a mean of
    probabilities; the parts add up to the lead."""
    each = np.exp(ranking.expert_logits[[winner, rival]] - trace.log_sum_exp[position, :FUSED])
    shares: Floats = weights * (each[0] - each[1])
    return shares


def added(trace: Trace, position: int, ranking: Ranking, candidate: int) -> Floats:
    """What each of two experts adds (E,): nats by which the fused log-probability of a ranked candidate
    lies above the other expert's own; negative where the expert suppresses it."""
    alone = ranking.expert_logits[candidate] - trace.log_sum_exp[position, :FUSED]
    more: Floats = ranking.log_probs[candidate] - alone[::-1]
    return more


def winner_balance(trace: Trace) -> Floats:
    """Who decides, -1..1 at each position (T,): (a - b) / (|a| + |b|) of the two experts' exact shares of the fused
    winner's lead; 1: the first expert alone decides."""
    logits = trace.candidate_logits[:, FUSED, :2]  # (T, 2, E)
    shares = trace.weights * (logits[:, 0] - logits[:, 1])
    balance: Floats = (shares[:, 0] - shares[:, 1]) / np.maximum(np.abs(shares).sum(axis=1), 1e-9)
    return balance


def overlap(trace: Trace, count: int = 10) -> Floats:
    """Share (T,) of the two experts' top `count` candidates that they have in common, 0..1."""
    tops = trace.candidates[:, :2, :count]
    return np.array([len(set(a) & set(b)) / count for a, b in tops.tolist()], np.float32)


def pair_weights(first: float) -> Floats:
    """Weights (2,) of two experts from the share of the first."""
    return np.array([first, 1.0 - first], np.float32)
