"""The record of one text seen by the model: plain NumPy, small, never changed.

Shapes: T positions, E experts, L layers, d width, K = 32 candidates, W = 21 weights.  Position t
holds what the model said after reading tokens 0 .. t, that is, its prediction of token t + 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.substrate.byte_text import joined

CANDIDATES = 32
WEIGHT_GRID = np.linspace(0.0, 1.0, 21, dtype=np.float32)
"""Weights of the first expert for which fused log-sum-exps are stored (the second gets the rest)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Trace:
    """The record of one text of T tokens that was read by E experts of L + 1 layers: what panels are drawn from."""

    ids: NDArray[np.int64]
    """(T,): start token included."""
    texts: tuple[str, ...]
    """Text of each token."""
    experts: tuple[str, ...]
    """Their names."""
    prompt: int
    """So many tokens were given; the rest was written."""
    weights: Floats
    """(E,): of the fusion."""
    candidates: NDArray[np.int32]
    """(T, E + 1, K): ids of the top K under each expert and, last, under their fusion, best first."""
    candidate_logits: Floats
    """(T, E + 1, K, E): logits of those ids under each expert; the fused logit is their weighted sum."""
    log_sum_exp: Floats
    """(T, E + 1): over the whole vocabulary, of each expert and of the fusion."""
    mixed_log_sum_exp: Floats
    """(T, W): of the fusion at every weight of `WEIGHT_GRID` (two experts only, else (T, 1), of the plain mean)."""
    next_logits: Floats
    """(T, E): of the token that follows; NaN at the last position."""
    next_ranks: NDArray[np.int32]
    """(T, E + 1): of the token that follows, from 1; 0 at the last position."""
    jensen_shannon: Floats
    """(T,): divergence of the experts' distributions in bits, 0..log2 E."""
    spread: Floats
    """(T, E): standard deviation of each expert's logits over the vocabulary."""
    hidden: NDArray[np.floating]
    """(E, L + 1, T, d), float16 (float32 where a state is too large for it): layer 0 is the frozen embedding, layer L
    is what the head reads."""
    seconds: tuple[float, ...]
    """Wall time of the forward passes, one a step."""
    model: str
    """Name of the model that made it."""
    fused_logits: Floats | None = None
    """(T, K): the fusion's own, of its candidates; only where it is no weighted sum of the experts' logits, and no
    expert has a share."""
    next_fused: Floats | None = None
    """(T,): the fusion's own, of the token that follows; likewise."""
    sampling: Mapping[str, float] | None = None
    """The settings that the written tokens were drawn with, by name; None where nothing was written."""

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
        return joined(self.texts[1:])
