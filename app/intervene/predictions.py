"""What is predicted next, small enough to show: the best tokens under each expert and the fusion, and how far two
predictions are apart."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.trace.record import Floats

TOP = 8


@dataclass(frozen=True, eq=False)
class Predictions:
    """ids (E + 1, k) of the likeliest next tokens, best first, and their natural log-probabilities (E + 1, k), under
    each expert and, last, the fusion."""

    ids: NDArray[np.int64]
    log_probs: Floats


@dataclass(frozen=True, eq=False)
class Change:
    """Predictions before and after something was changed."""

    before: Predictions
    after: Predictions
    before_again: Floats
    """(E + 1, k): log-probabilities that the tokens of `after` had before, for bars side by side."""
    after_again: Floats
    """(E + 1, k): those that the tokens of `before` have after it."""
    jensen_shannon: Floats
    """(E + 1,): divergence of the two whole distributions in bits, 0..1 (Lin 1991)."""


def best(logits: Tensor, count: int = TOP) -> Predictions:
    """The best tokens of logits (E + 1, V)."""
    log_probs, ids = logits.float().log_softmax(-1).topk(min(count, logits.shape[-1]), -1)
    return Predictions(ids.numpy(), log_probs.numpy())


def change(before: Tensor, after: Tensor, count: int = TOP) -> Change:
    """What changed between logits (E + 1, V) and others."""
    old, new = best(before, count), best(after, count)
    return Change(old, new, _of(before, new), _of(after, old), jensen_shannon(before, after))


def _of(logits: Tensor, tokens: Predictions) -> Floats:
    """Log-probabilities (E + 1, k) of some tokens in logits (E + 1, V)."""
    found: Floats = logits.float().log_softmax(-1).gather(-1, torch.from_numpy(tokens.ids)).numpy()
    return found


def jensen_shannon(first: Tensor, second: Tensor) -> Floats:
    """Jensen-Shannon divergence (...,) in bits of the distributions of logits (..., V)."""
    p, q = (logits.float().log_softmax(-1) for logits in (first, second))
    mixture = torch.logaddexp(p, q) - math.log(2)
    nats = ((p.exp() * (p - mixture)).sum(-1) + (q.exp() * (q - mixture)).sum(-1)) / 2
    bits: Floats = (nats / math.log(2)).clamp(0, 1).numpy()
    return bits


def margins(logits: Tensor, answers: tuple[int, int]) -> Tensor:
    """Margin (...,) in nats of the first answer over the second, of logits (..., V)."""
    return logits[..., answers[0]] - logits[..., answers[1]]
