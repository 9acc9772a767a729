"""The experts panel: who expects what at one position, and where they part over the whole text."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, panel, percent, picture, token, visible


@dataclass(frozen=True, eq=False)
class Candidate:
    """A possible next token and its probability under one distribution, None where it is not known;
    `actual` if it is what the text goes on with."""

    id: int
    text: str
    bitmap: NDArray[np.bool_]
    probability: float
    actual: bool


@dataclass(frozen=True, eq=False)
class Position:
    """What is predicted after one token.

    before: the token read last.  columns: candidates of the first expert, the fusion, the second.
    weight: of the first expert in the fusion.  shares: each expert's part of the winner's margin
    over the runner-up, nats of log-odds.  disagreement in nats, jensen_shannon in bits, spread: the
    standard deviation of each expert's logits.  certain: the fused winner cannot be a token outside
    the stored candidates.  original: the winner at the weights the text was made with.
    """

    before: str
    columns: tuple[tuple[Candidate, ...], ...]
    weight: float
    shares: tuple[float, float]
    disagreement: float
    jensen_shannon: float
    spread: tuple[float, float]
    certain: bool
    original: str


def experts_panel(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """Three columns of candidates and the exact share of each expert in the winner's margin."""
    heads = (experts[0], say("fused"), experts[1])
    columns = "".join(
        f"<div class='gs-column gs-{side}'><h3>{escape(head)}</h3><ol>{''.join(map(_candidate, rows))}</ol></div>"
        for side, head, rows in zip(("first", "fused", "second"), heads, position.columns, strict=True)
    )
    body = f"<div class='gs-columns'>{columns}</div>{_margin(position, experts, say)}{_facts(position, experts, say)}"
    return panel(
        say("experts_title"),
        say("experts_lead", token=visible(position.before)),
        body,
        experts_summary(position, experts, say),
        "experts",
    )


def experts_summary(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """One sentence: what wins, by whose doing, and what another weight changed."""
    fused = position.columns[1]
    first, second = position.shares
    lead = experts[0] if first > second else experts[1]
    parts = [
        say(
            "experts_summary",
            winner=visible(fused[0].text),
            rival=visible(fused[1].text),
            margin=f"{first + second:.2f}",
            expert=lead,
            share=f"{max(first, second):.2f}",
        )
    ]
    if fused[0].text != position.original:
        parts.append(say("winner_changed", original=visible(position.original)))
    if not position.certain:
        parts.append(say("winner_uncertain"))
    return " ".join(parts)


def _candidate(candidate: Candidate) -> str:
    actual = " gs-actual" if candidate.actual else ""
    return (
        f"<li class='gs-candidate{actual}' data-id='{candidate.id}' style='--share:{candidate.probability:.4f}'>"
        f"{picture(candidate.bitmap)}{token(candidate.text)}"
        f"<span class='gs-number'>{percent(candidate.probability)}</span></li>"
    )


def _margin(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """Each expert's part of the margin as a bar from zero, and their sum."""
    first, second = position.shares
    total = first + second
    reach = max(abs(first), abs(second), abs(total), 1e-9)
    rows = zip(("first", "second", "fused"), (*experts, say("sum")), (first, second, total), strict=True)
    bars = "".join(
        f"<div class='gs-bar gs-{side}'><span>{escape(name)}</span>"
        f"<i class='{'gs-minus' if value < 0 else 'gs-plus'}' style='--length:{abs(value) / reach:.3f}'></i>"
        f"<span class='gs-number'>{value:+.3f}</span></div>"
        for side, name, value in rows
    )
    winner, rival = position.columns[1][0].text, position.columns[1][1].text
    title = say("margin_title", winner=visible(winner), rival=visible(rival))
    return f"<div class='gs-margin'><h3>{escape(title)}</h3>{bars}</div>"


def _facts(position: Position, experts: tuple[str, ...], say: Say) -> str:
    facts = (
        (say("disagreement"), f"{position.disagreement:.3f} {say('nats')}"),
        (say("jensen_shannon"), f"{position.jensen_shannon:.3f} {say('bits')}"),
        (say("spread"), " · ".join(f"{n} {s:.2f}" for n, s in zip(experts, position.spread, strict=True))),
    )
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f"<dl class='gs-facts'>{cells}</dl>"


def disagreement_chart(
    values: NDArray[np.float32], texts: tuple[str, ...], bitmaps: NDArray[np.bool_], selected: int, say: Say
) -> str:
    """Disagreement in nats before each token of the text, as bars; a click reports the token.

    values (n,): before tokens 1 .. n; texts and bitmaps are theirs.
    """
    peak = max(float(values.max(initial=0.0)), 1e-9)
    bars = "".join(
        f"<button type='button' class='gs-peak' data-index='{i}' aria-pressed='{str(i == selected).lower()}' "
        f"title='{escape(f'{visible(text)}: {value:.2f}', quote=True)}'>"
        f"<i style='--height:{value / peak:.3f}'></i>{picture(bitmap)}</button>"
        for i, (value, text, bitmap) in enumerate(zip(values, texts, bitmaps, strict=True), 1)
    )
    top = int(values.argmax())
    summary = say(
        "disagreement_summary",
        token=visible(texts[top]),
        value=f"{values[top]:.2f}",
        mean=f"{float(values.mean()):.2f}",
    )
    body = f"<div class='gs-peaks'>{bars}</div>"
    return panel(say("disagreement_title"), say("disagreement_lead"), body, summary, "disagreement")
