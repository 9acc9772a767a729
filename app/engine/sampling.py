"""Sampling settings, checked; and one token drawn from a row of fused logits."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from app.system.topk import largest
from app.wording.errors import UserError

MAX_NEW_TOKENS = 128
MAX_TEMPERATURE = 2.0
MAX_TOP_K = 1_000
MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.  temperature 0 takes the most likely one; top_k 0 and top_p 1
    are off.

    Raises:
        UserError: when a value is no number or out of its range (NaN and infinities included).
    """

    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.95
    seed: int = 0
    new_tokens: int = 48

    def __post_init__(self) -> None:
        _check("temperature", self.temperature, 0, MAX_TEMPERATURE)
        _check("top_k", self.top_k, 0, MAX_TOP_K, whole=True)
        _check("top_p", self.top_p, 0, 1, above=True)
        _check("seed", self.seed, 0, MAX_SEED, whole=True)
        _check("new_tokens", self.new_tokens, 1, MAX_NEW_TOKENS, whole=True)


def _check(name: str, value: Any, low: float, high: float, whole: bool = False, above: bool = False) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number and low <= value <= high and not (above and value == low) and not (whole and value != int(value))
    if not fits:
        raise UserError(f"bad_{name}", low=low, high=high)


def nucleus(scores: Tensor, top_p: float) -> Tensor:
    """Scores (n,) of which the least likely, with together no more than 1 - top_p, are -inf (Holtzman et al. 2020); the
    likeliest always stays.  Step for step what transformers does, which takes .3 s to import; the first page waits."""
    rising, order = scores.sort()
    left_out = rising.softmax(-1).cumsum(-1) <= 1 - top_p
    left_out[-1] = False
    return scores.masked_fill(left_out.scatter(0, order, left_out), float("-inf"))


def draw(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """Draw one id from fused logits (V,): temperature, top k, top p, in transformers' order but that the top k are
    taken out first, which leaves the same and is quicker than the whole vocabulary with the rest struck out."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    best, ids = largest(logits, min(int(sampling.top_k), len(logits))) if sampling.top_k else (logits, None)
    scores = best if sampling.temperature == 1 else best / sampling.temperature
    chances = (nucleus(scores, sampling.top_p) if sampling.top_p < 1 else scores).softmax(-1)
    race = chances / torch.empty_like(chances).exponential_(generator=generator)
    drawn = int(race.argmax())  # what `torch.multinomial` draws, in half its time
    return drawn if ids is None else int(ids[drawn])
