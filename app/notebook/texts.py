"""Texts that a model read or wrote, and what its layers would say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.lens import Lens
from app.notebook.record import Record
from app.panels.experts import experts_view
from app.panels.lens import lens_view
from app.panels.provenance import text_source
from app.panels.strip import most_disputed, strip_view
from app.trace.fusion import Fusion, disagreement, fusion_weights, next_log_probs, rescore
from app.trace.record import Floats, Trace
from viz.html import Table


@dataclass(frozen=True, eq=False)
class ReadText(Record):
    """A text token by token; trace: everything that was recorded of it."""

    trace: Trace

    @property
    def text(self) -> str:
        """The text, without the start token."""
        return self.trace.text

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens after the start token."""
        return self.trace.texts[1:]

    @property
    def log_probs(self) -> Floats:
        """(T, E + 1): natural log-probability of each token under each expert and, last, their fusion."""
        return next_log_probs(self.trace)[:-1]

    @property
    def disagreement(self) -> Floats:
        """(T,): how far apart the experts were before each token, nats."""
        return disagreement(self.trace)[:-1]

    @property
    def hidden(self) -> NDArray[np.floating]:
        """(E, L + 1, T + 1, d): hidden states, start token first; layer 0 is the frozen picture."""
        return self.trace.hidden

    def expected(self, position: int, count: int = 8, fusion: Fusion = "logits") -> "Expected":
        """What was expected in the place of token `position` (from 1), under a fusion of the experts."""
        about = text_source(self.model, self.trace, token=position, fusion=fusion)
        return Expected(self.model, self.say, about, self.trace, position, min(count, 32), fusion)

    def table(self) -> Table:
        ids, names = self.trace.ids[1:], (*self.trace.experts, "fused")
        scores, ranks = self.log_probs, self.trace.next_ranks[:-1]
        return Table(
            {"position": range(1, len(self.trace))},
            {
                "id": ids,
                "text": self.tokens,
                **{f"log_prob_{name}": scores[:, i] for i, name in enumerate(names)},
                **{f"rank_{name}": ranks[:, i] for i, name in enumerate(names)},
                "disagreement": self.disagreement,
                "jensen_shannon": self.trace.jensen_shannon[:-1],
            },
        )

    def html(self) -> str:
        return strip_view(self.model.engine, self.trace, most_disputed(self.trace), self.say, "preference")


@dataclass(frozen=True, eq=False)
class Expected(Record):
    """The likeliest tokens in the place of one token, under each expert and their fusion."""

    trace: Trace
    position: int
    """Of the token, from 1."""
    count: int
    """So many tokens of each."""
    fusion: Fusion
    """How the experts are fused."""

    def columns(self) -> Mapping[str, tuple[NDArray[np.int32], Floats]]:
        """Name -> ids (n,) and natural log-probabilities (n,), best first."""
        trace, at = self.trace, self.position - 1
        found = {
            name: (
                trace.candidates[at, e, : self.count],
                trace.candidate_logits[at, e, : self.count, e] - trace.log_sum_exp[at, e],
            )
            for e, name in enumerate(trace.experts)
        }
        weights = fusion_weights(trace, self.fusion, float(trace.weights[0]))[at]
        ranking = rescore(trace, at, weights, self.fusion)
        return {**found, "fused": (ranking.ids[: self.count], ranking.log_probs[: self.count])}

    def table(self) -> Table:
        columns = self.columns()
        ids = np.stack([ids for ids, _ in columns.values()])
        return Table(
            {"source": list(columns), "rank": range(1, ids.shape[1] + 1)},
            {
                "id": ids,
                "text": [[self.model.engine.text_of(int(i)) for i in row] for row in ids],
                "probability": np.exp(np.stack([logs for _, logs in columns.values()])),
            },
        )

    def html(self) -> str:
        weight = float(self.trace.weights[0])
        return experts_view(self.model.engine, self.trace, self.position, weight, self.say, self.fusion)


@dataclass(frozen=True, eq=False)
class TextLens(Record):
    """The logit lens of a text: ids (E, L + 1, T, K) and their natural log-probabilities, best first."""

    trace: Trace
    lens: Lens

    def table(self) -> Table:
        ids = self.lens.ids
        _, layers, length, top = ids.shape
        return Table(
            {
                "expert": self.trace.experts,
                "layer": range(layers),
                "position": range(length),
                "rank": range(1, top + 1),
            },
            {
                "read": np.broadcast_to(np.array(self.trace.texts, object)[:, None], ids.shape),
                "id": ids,
                "text": np.vectorize(self.model.engine.text_of, otypes=[object])(ids),
                "log_prob": self.lens.log_probs,
            },
        )

    def facts(self) -> dict[str, Any]:
        return {"texts": self.trace.texts}

    def html(self) -> str:
        return lens_view(self.model.engine, self.trace, most_disputed(self.trace), self.say)
