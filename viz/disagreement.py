"""The disagreement panel: where in the text the experts disagree, and how well they predicted each token."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, line_legend, panel, picture, sides, token, visible

_DISPUTED = 6
"""Positions listed, from the most disputed on."""


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
    peak = max(float(values.max(initial=0.0)), 1e-9)
    bars = "".join(
        f"<button type='button' class='gs-peak' data-index='{i}' aria-pressed='{str(i == selected).lower()}' "
        f"title='{escape(f'{visible(text)}: {say.number(value, 2)}', quote=True)}'>"
        f"<i style='--height:{value / peak:.3f}'></i>{picture(bitmap)}</button>"
        for i, (value, text, bitmap) in enumerate(zip(values, texts, bitmaps, strict=True), 1)
    )
    order = np.argsort(-values, kind="stable")[:_DISPUTED]
    top = int(order[0])
    disputed = "".join(
        f"<li><button type='button' class='gs-option gs-disputed' data-index='{i + 1}' "
        f"aria-pressed='{str(i + 1 == selected).lower()}'>{picture(bitmaps[i])}{token(texts[i])}"
        f"<span class='gs-number'>{say.number(values[i], 2)}</span></button></li>"
        for i in order
    )
    means = predicted.log_probs.mean(axis=0)
    known = {
        "token": visible(texts[top]),
        "value": say.number(values[top], 2),
        "mean": say.number(float(values.mean()), 2),
    }
    if len(predicted.experts) == 2:
        summary = say(
            "disagreement_summary",
            first=predicted.experts[0],
            second=predicted.experts[1],
            first_mean=say.number(means[0], 2),
            second_mean=say.number(means[1], 2),
            fused_mean=say.number(means[2], 2),
            **known,
        )
    elif single:
        summary = say("surprise_summary", **known)
    else:
        each = zip((*predicted.experts, say("fused")), means, strict=True)
        summary = say("disagreement_summary_each", list=", ".join(f"{n} {say.number(m, 2)}" for n, m in each), **known)
    classes = sides(1) if single else (*sides(len(predicted.experts)), "fused")
    worst = max(2, int(predicted.ranks.max(initial=1)))
    deepest = max(4, int(np.ceil(-predicted.log_probs.min(initial=0.0))))
    depths = -predicted.log_probs / deepest
    heights = np.log(np.maximum(predicted.ranks, 1)) / np.log(worst)
    listed = say("most_surprising" if single else "most_disputed")
    body = (
        f"<h3>{escape(listed)}</h3><ol class='gs-options'>{disputed}</ol>"
        f"<div class='gs-text-scroll' tabindex='0'><div class='gs-text-wide' style='--tokens:{len(texts)}'>"
        f"<div class='gs-peaks'>{bars}</div>"
        f"{_lines(depths, classes, say('log_prob_lines', deepest=deepest))}"
        f"{_lines(heights, classes, say('rank_lines', worst=worst))}"
        f"</div></div>{line_legend((*predicted.experts, say('fused'))[: len(classes)], classes)}"
    )
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


def _lines(depths: NDArray[np.floating], classes: tuple[str, ...], label: str) -> str:
    """One line a source through depths (n, E + 1) in 0..1, 0 at the top."""
    lines = "".join(
        f"<polyline class='gs-line gs-{side}' points='"
        + " ".join(f"{i + 0.5:.1f},{2 + 56 * float(depth):.1f}" for i, depth in enumerate(depths[:, column]))
        + "'/>"
        for column, side in enumerate(classes)
    )
    return (
        f"<div class='gs-lines'><span>{escape(label)}</span><svg viewBox='0 0 {len(depths)} 60' "
        f"preserveAspectRatio='none' role='img' aria-label='{escape(label, quote=True)}'>{lines}</svg></div>"
    )
