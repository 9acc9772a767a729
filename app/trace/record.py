"""The record of one text seen by the model: plain NumPy, small, never changed.

Shapes: T positions, E experts, L layers, d width, K = 32 candidates, W = 21 weights.  Position t
holds what the model said after reading tokens 0 .. t, that is, its prediction of token t + 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 32
WEIGHT_GRID = np.linspace(0.0, 1.0, 21, dtype=np.float32)
"""Weights of the first expert for which fused log-sum-exps are stored (the second gets the rest)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Trace:
    """ids (T,), texts T strings, experts E names; `prompt` tokens were given, the rest was written.

    candidates (T, E + 1, K): ids of the top K under each expert and, last, under their fusion,
        best first.
    candidate_logits (T, E + 1, K, E): logits of those ids under each expert; the fused logit is
        their weighted sum.
    log_sum_exp (T, E + 1): over the whole vocabulary, of each expert and of the fusion.
    mixed_log_sum_exp (T, W): of the fusion at every weight of WEIGHT_GRID (two experts only,
        else (T, 1), of the plain mean).
    next_logits (T, E) and next_ranks (T, E + 1): of the token that follows, ranks from 1;
        NaN and 0 at the last position.
    jensen_shannon (T,): divergence of the experts' distributions in bits, 0..log2 E.
    spread (T, E): standard deviation of each expert's logits over the vocabulary.
    hidden (E, L + 1, T, d) float16 (float32 where a state is too large for it): layer 0 is the frozen
        embedding, layer L is what the head reads.
    weights (E,): of the fusion.  seconds: wall time of the forward passes, one a step.
    fused_logits (T, K) of the fusion's own candidates and next_fused (T,) of the token that follows:
        only where the fusion is no weighted sum of the experts' logits; then no expert has a share.
    """

    ids: NDArray[np.int64]
    texts: tuple[str, ...]
    experts: tuple[str, ...]
    prompt: int
    weights: Floats
    candidates: NDArray[np.int32]
    candidate_logits: Floats
    log_sum_exp: Floats
    mixed_log_sum_exp: Floats
    next_logits: Floats
    next_ranks: NDArray[np.int32]
    jensen_shannon: Floats
    spread: Floats
    hidden: NDArray[np.floating]
    seconds: tuple[float, ...]
    model: str
    fused_logits: Floats | None = None
    next_fused: Floats | None = None

    def __post_init__(self) -> None:
        length, experts = len(self.ids), len(self.experts)
        assert self.candidates.shape[:2] == (length, experts + 1), f"{self.candidates.shape} for {length}"
        assert self.candidate_logits.shape == (*self.candidates.shape, experts), f"{self.candidate_logits.shape}"
        assert self.hidden.shape[0] == experts and self.hidden.shape[2] == length, f"{self.hidden.shape}"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def additive(self) -> bool:
        """Whether each expert has an exact share in every fused logit."""
        return self.fused_logits is None

    @property
    def text(self) -> str:
        """The text as written, without the start token."""
        return "".join(self.texts[1:])
