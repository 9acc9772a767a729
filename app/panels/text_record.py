"""A text that the model read or wrote, as plain JSON values: what the public API answers."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.panels.lens import LENS_WORK
from app.trace.fusion import (
    FUSED,
    Fusion,
    Ranking,
    disagreement,
    fusion_weights,
    margin_shares,
    next_log_probs,
    next_probability,
    probability_shares,
    rescore,
)
from app.trace.record import CANDIDATES, Floats, Trace
from app.wording.errors import UserError

PARTS = ("top", "shares", "jsd", "lens", "hidden")
"""What an answer holds on request."""
MAX_NUMBERS = 2**23
"""Numbers of hidden states in one answer: 16 MB in half precision."""
DIGITS = 6


@dataclass(frozen=True)
class Wanted:
    """What an answer should hold: some of `PARTS`; so many candidates; the fusion; the layers of lens and hidden
    states."""

    parts: frozenset[str]
    top: int
    fusion: Fusion
    layers: tuple[int, ...]


def text_record(engine: Engine, trace: Trace, wanted: Wanted) -> dict[str, Any]:
    """One record a token after the start token, each with what was predicted before it; `next`: after the last token.

    Raises:
        UserError: `large_lens` for a lens that would take long.
    """
    scores, apart = next_log_probs(trace).copy(), disagreement(trace)
    weights = None
    if trace.additive and len(trace.experts) == 2:
        weights = fusion_weights(trace, wanted.fusion, float(trace.weights[0]))
        if wanted.fusion != "logits":
            chances = [next_probability(trace, t, weights[t], wanted.fusion) for t in range(len(trace) - 1)]
            scores[:-1, FUSED] = np.log(np.maximum(chances, np.finfo(np.float32).tiny))
    predictions = [_prediction(engine, trace, t, weights, wanted) for t in range(len(trace))]
    tokens = [
        {
            "id": int(trace.ids[t]),
            "text": trace.texts[t],
            "log_probs": numbers(scores[t - 1]),
            "disagreement": round(float(apart[t - 1]), DIGITS),
            **predictions[t - 1],
        }
        for t in range(1, len(trace))
    ]
    return {
        "model": trace.model,
        "experts": list(trace.experts),
        "tokens": tokens,
        **({"next": predictions[-1]} if predictions[-1] else {}),
        **({"lens": lens_record(engine, trace, wanted.layers)} if "lens" in wanted.parts else {}),
        **({"hidden": hidden_record(trace, wanted.layers)} if "hidden" in wanted.parts else {}),
    }


def _prediction(engine: Engine, trace: Trace, position: int, weights: Floats | None, wanted: Wanted) -> dict[str, Any]:
    """What was predicted after a position, as far as it is wanted."""
    found: dict[str, Any] = {}
    ranks = weights is not None and bool(wanted.parts & {"top", "shares"})
    ranking = None if weights is None or not ranks else rescore(trace, position, weights[position], wanted.fusion)
    if "top" in wanted.parts:
        found["top"] = {
            name: [[i, engine.text_of(i), score] for i, score in rows]
            for name, rows in _tops(trace, position, ranking, wanted.top).items()
        }
    if "shares" in wanted.parts and ranking is not None and weights is not None:
        found["shares"] = _shares(trace, position, ranking, weights[position], wanted.fusion)
    if "jsd" in wanted.parts:
        found["jsd"] = round(float(trace.jensen_shannon[position]), DIGITS)
    return found


def _tops(trace: Trace, position: int, ranking: Ranking | None, count: int) -> dict[str, list[tuple[int, float]]]:
    """The likeliest tokens under each expert and the fusion, best first, with their log-probabilities."""
    experts = len(trace.experts)
    columns = {name: e for e, name in enumerate(trace.experts)} | {"fused": experts}
    found = {}
    for name, column in columns.items():
        ids = trace.candidates[position, column, :count]
        logits = trace.candidate_logits[position, column, :count]
        own = logits[:, column] if column < experts else logits @ trace.weights
        if column == experts and trace.fused_logits is not None:
            own = trace.fused_logits[position, :count]
        logs: NDArray[np.floating] = own - trace.log_sum_exp[position, column]
        if column == experts and ranking is not None:
            ids, logs = ranking.ids[:count], ranking.log_probs[:count]
        found[name] = list(zip(map(int, ids), numbers(logs), strict=True))
    return found


def _shares(trace: Trace, position: int, ranking: Ranking, weights: Floats, fusion: Fusion) -> dict[str, Any]:
    """Each expert's exact part of the winner's lead over the runner-up: nats of log-odds under a mean of logits, else
    probability."""
    additive = fusion == "logits"
    parts = margin_shares(ranking, weights) if additive else probability_shares(trace, position, ranking, weights)
    winner, runner_up = (int(i) for i in ranking.ids[:2])
    return {"winner": winner, "runner_up": runner_up, "parts": numbers(parts), "unit": "nats" if additive else "0 to 1"}


def lens_record(engine: Engine, trace: Trace, layers: Sequence[int]) -> dict[str, Any]:
    """The logit lens: the token that each layer would predict after each position, [expert][layer][position]."""
    shape = engine.model.shape
    if len(layers) * len(trace) * shape.experts * shape.width * shape.vocabulary > LENS_WORK:
        raise UserError("large_lens")
    lens = engine.lens(trace, top=1, layers=layers)
    ids = lens.ids[..., 0]
    return {
        "layers": list(layers),
        "ids": ids.tolist(),
        "texts": [[[engine.text_of(int(i)) for i in row] for row in rows] for rows in ids],
        "log_probs": np.round(lens.log_probs[..., 0].astype(float), DIGITS).tolist(),
    }


def hidden_record(trace: Trace, layers: Sequence[int]) -> dict[str, Any]:
    """Hidden states by layer: base64 of .npy files, each (expert, position, width), start token first."""
    experts, _, length, width = trace.hidden.shape
    return {
        "shape": [experts, length, width],
        "dtype": str(trace.hidden.dtype),
        "layers": {str(layer): npy(trace.hidden[:, layer]) for layer in layers},
    }


def npy(array: NDArray[Any]) -> str:
    """An array as base64 of a .npy file; read it with `numpy.load(io.BytesIO(base64.b64decode(text)))`."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode()


def numbers(values: NDArray[np.floating]) -> list[float]:
    """Values as JSON takes them."""
    rounded: list[float] = np.round(values.astype(float), DIGITS).tolist()
    return rounded


def check_size(engine: Engine, texts: int, tokens: int, wanted: Wanted) -> None:
    """Refuse an answer with too many hidden states, before anything is read.

    Raises:
        UserError: `large_answer`.
    """
    shape = engine.model.shape
    asked = texts * tokens * len(wanted.layers) * shape.experts * shape.width if "hidden" in wanted.parts else 0
    if asked > MAX_NUMBERS:
        raise UserError("large_answer", numbers=asked, limit=MAX_NUMBERS)


MAX_TOP = CANDIDATES
