"""The disagreement panel: where in the text the experts disagree, and how well they predicted each token."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import picture, token, visible

_DISPUTED = 6
"""Positions listed, from the most disputed on."""


class Bar(NamedTuple):
    """One token's disagreement as the template takes it: texts, but for the position of the token, from 1."""

    position: int
    pressed: str
    text: str
    picture: Markup
    number: str
    height: str


@dataclass(frozen=True, eq=False)
class Predicted:
    """log_probs (n, E + 1) in nats and ranks (n, E + 1) from 1 of each token of the text under each
    expert and, last, their fusion."""

    experts: tuple[str, ...]
    log_probs: NDArray[np.float32]
    ranks: NDArray[np.int32]


def disagreement_panel(
    values: NDArray[np.float32],
    predicted: Predicted,
    texts: tuple[str, ...],
    bitmaps: NDArray[np.bool_],
    selected: int,
    say: Say,
) -> str:
    """Disagreement in nats before each token of the text, as bars over two lines: log-probability
    and rank of the token itself.  A click on a bar reports the token.  Of a single expert: surprise.

    values (n,): before tokens 1 .. n; texts and bitmaps are theirs.
    """
    single = len(predicted.experts) == 1
    name = "surprise" if single else "disagreement"
    classes = sides(1) if single else (*sides(len(predicted.experts)), "fused")
    peak = max(float(values.max(initial=0.0)), 1e-9)
    bars = [
        Bar(
            i,
            "true" if i == selected else "false",
            visible(text),
            picture(bitmap),
            say.number(value, 2),
            f"{value / peak:.3f}",
        )
        for i, (value, text, bitmap) in enumerate(zip(values.tolist(), texts, bitmaps, strict=True), 1)
    ]
    order = np.argsort(-values, kind="stable")[:_DISPUTED]
    body = rendered(
        "disagreement.html",
        listed=say("most_surprising" if single else "most_disputed"),
        disputed=[(bars[i], token(texts[i])) for i in order],
        bars=bars,
        plots=_plots(predicted, classes, say),
        keys=list(zip(classes, (*predicted.experts, say("fused")), strict=False)),
    )
    summary = _summary(values, predicted, visible(texts[int(order[0])]), say)
    sources = (*predicted.experts, "fused")[: len(classes)]
    table = Table(
        {"position": range(1, len(texts) + 1)},
        {
            "text": texts,
            name: values,
            **{f"log_prob_{name}": predicted.log_probs[:, i] for i, name in enumerate(sources)},
            **{f"rank_{name}": predicted.ranks[:, i] for i, name in enumerate(sources)},
        },
    )
    if single:
        return panel(say, "surprise", body, summary, {}, table)
    return panel(say, "disagreement", body, summary, {}, table)


def _summary(values: NDArray[np.float32], predicted: Predicted, top: str, say: Say) -> str:
    """The most disputed token, and how well each expert predicted the text."""
    experts, means = predicted.experts, predicted.log_probs.mean(axis=0)
    known = {"token": top, "value": say.number(values.max(), 2), "mean": say.number(float(values.mean()), 2)}
    if len(experts) == 1:
        return say("surprise_summary", **known)
    if len(experts) == 2:
        each = dict(zip(("first_mean", "second_mean", "fused_mean"), (say.number(m, 2) for m in means), strict=True))
        return say("disagreement_summary", first=experts[0], second=experts[1], **each, **known)
    listed = zip((*experts, say("fused")), means, strict=True)
    return say("disagreement_summary_each", list=say.listed(f"{n} {say.number(m, 2)}" for n, m in listed), **known)


def _plots(predicted: Predicted, classes: tuple[str, ...], say: Say) -> list[tuple[str, list[tuple[str, str]]]]:
    """Log-probabilities and ranks as lines: a label, and the points of each source's line."""
    worst = max(2, int(predicted.ranks.max(initial=1)))
    deepest = max(4, int(np.ceil(-predicted.log_probs.min(initial=0.0))))
    heights = np.log(np.maximum(predicted.ranks, 1)) / np.log(worst)
    return [
        (say("log_prob_lines", deepest=deepest), _lines(-predicted.log_probs / deepest, classes)),
        (say("rank_lines", worst=worst), _lines(heights, classes)),
    ]


def _lines(depths: NDArray[np.floating], classes: tuple[str, ...]) -> list[tuple[str, str]]:
    """One line a source through depths (n, E + 1) in 0..1, 0 at the top."""
    heights = (2 + 56 * depths.astype(float)).T.tolist()
    return [
        (side, " ".join([f"{i}.5,{height:.1f}" for i, height in enumerate(heights[column])]))
        for column, side in enumerate(classes)
    ]
