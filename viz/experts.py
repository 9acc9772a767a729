"""The experts panel: who expects what at one position, and where they disagree over the whole text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel
from viz.templates import rendered
from viz.tokens import visible

_COLUMNS = ("first", "fused", "second")
_BARS = ("first", "second", "fused")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A possible next token and its probability under one distribution; `actual` if it is what the
    text goes on with; `moved`: ranks it climbs (or, negative, falls) from this expert to the fusion,
    None in the fusion itself."""

    id: int
    text: str
    bitmap: NDArray[np.bool_]
    probability: float
    actual: bool
    moved: int | None = None
    gloss: str = ""
    """What it means in the visitor's language, where that is known."""


@dataclass(frozen=True, eq=False)
class ActualToken:
    """The token that the text goes on with where it is not among the candidates shown: its probability
    and rank under the first expert, the fusion and the second; rank 0 where it is not known."""

    text: str
    bitmap: NDArray[np.bool_]
    probabilities: tuple[float, ...]
    ranks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One candidate's lead over the winner (the winner's: over the runner-up), split between the experts.

    odds (E,): nats of log-odds under the mean of logits, else probability; they add up to the lead.
    added (E,): nats by which an expert raises the fused log-probability above the other's alone.
    """

    odds: NDArray[np.float32]
    added: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Position:
    """What is predicted after one token by two experts and their fusion."""

    before: str
    """The token read last."""
    columns: tuple[tuple[Candidate, ...], ...]
    """Candidates of the first expert, the fusion, the second."""
    parts: tuple[Part, ...]
    """Of the fusion's candidates."""
    fusion: str
    """How the experts are fused."""
    weight: float
    """Of the first expert."""
    shares: tuple[float, float]
    """Each expert's part of the winner's lead over the runner-up: nats of log-odds under the mean of logits, else
    probability."""
    disagreement: float
    """In nats."""
    jensen_shannon: float
    """In bits."""
    spread: tuple[float, float]
    """Standard deviation of each expert's logits."""
    certain: bool
    """Whether no token outside the stored candidates can be the fused winner."""
    original: str
    """The winner at the weights the text was made with."""
    changed: int
    """At how many positions of the text another token wins."""
    actual_token: ActualToken | None = None
    glosses: str = ""
    """What is to be said of the candidates' translations."""


def experts_panel(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """Three columns of candidates and the exact share of each expert in the winner's margin."""
    body = rendered(
        "experts.html",
        say=say,
        columns=_columns(position, experts, say),
        **_margin(position, experts, say),
        **_parts(position, experts, say),
        known=_facts(position, experts, say),
        glosses=position.glosses,
        counted=position.fusion == "logits",
    )
    summary = experts_summary(position, experts, say)
    table = Table(
        {"source": (experts[0], "fused", experts[1]), "rank": range(1, len(position.columns[0]) + 1)},
        {
            name: [[getattr(c, name) for c in rows] for rows in position.columns]
            for name in ("id", "text", "probability")
        },
    )
    return panel(say, "experts", body, summary, _data(position, experts), table, token=visible(position.before))


def _data(position: Position, experts: tuple[str, ...]) -> dict[str, Any]:
    names = ("before", "fusion", "weight", "shares", "disagreement", "jensen_shannon", "spread", "original")
    parts = {
        "odds": np.stack([part.odds for part in position.parts]),
        "added": np.stack([part.added for part in position.parts]),
    }
    return {"experts": experts, **{name: getattr(position, name) for name in names}, **parts}


def experts_summary(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """One sentence: what wins, which expert decided it, and what another weight changed."""
    fused = position.columns[1]
    first, second = position.shares
    lead = experts[0] if first > second else experts[1]
    kind = "experts_summary" if position.fusion == "logits" else "experts_summary_probability"
    parts = [
        say(
            kind,
            winner=visible(fused[0].text),
            rival=visible(fused[1].text),
            margin=say.number(first + second, 2),
            weight=say.number(position.weight, 2),
            first=experts[0],
            expert=lead,
            share=say.number(max(first, second), 2),
        )
    ]
    if fused[0].text != position.original:
        parts.append(say("winner_changed", original=visible(position.original)))
    if position.changed:
        parts.append(say("winners_changed", count=position.changed))
    if not position.certain:
        parts.append(say("winner_uncertain"))
    return say.sentences(parts)


def _columns(position: Position, experts: tuple[str, ...], say: Say) -> list[tuple[Any, ...]]:
    """Class, name and candidates of each column, and the text's own next token where they lack it."""
    heads = (experts[0], say("fused"), experts[1])
    return [
        (side, head, rows, None if any(row.actual for row in rows) else position.actual_token)
        for side, head, rows in zip(_COLUMNS, heads, position.columns, strict=True)
    ]


def _margin(position: Position, experts: tuple[str, ...], say: Say) -> dict[str, Any]:
    """Each expert's part of the margin as a bar from zero, and their sum."""
    first, second = position.shares
    total = first + second
    winner, rival = position.columns[1][0].text, position.columns[1][1].text
    kind = "margin_why" if position.fusion == "logits" else "margin_why_probability"
    return {
        "margin_title": say(kind, winner=visible(winner), rival=visible(rival)),
        "margin": list(zip(_BARS, (*experts, say("sum")), (first, second, total), strict=True)),
        "margin_reach": max(abs(first), abs(second), abs(total), 1e-9),
    }


def _parts(position: Position, experts: tuple[str, ...], say: Say) -> dict[str, Any]:
    """A line a candidate: each expert's part of its lead, their sum, and what each expert adds to it."""
    reach = max(max(float(np.abs(part.odds).max()), abs(float(part.odds.sum()))) for part in position.parts)
    rows = []
    for i, (candidate, part) in enumerate(zip(position.columns[1], position.parts, strict=True)):
        total = round(float(part.odds.sum()), 3)
        first = round(float(part.odds[0]), 3)
        cells = list(zip(_BARS, (first, round(total - first, 3), total), strict=True))
        over = say("parts_over", token=visible(position.columns[1][0 if i else 1].text))
        rows.append((candidate.text, over, cells, [_promoted(float(value), say) for value in part.added]))
    adds = (say("parts_adds", expert=name) for name in experts)
    return {
        "parts": rows,
        "parts_reach": max(reach, 1e-9),
        "parts_heads": (*experts, say("sum"), *adds),
        "unit": say("nats" if position.fusion == "logits" else "probability"),
    }


def _promoted(value: float, say: Say) -> str:
    """Promoted (▲) or suppressed (▼), in nats of log-probability."""
    sign = {1: "▲", -1: "▼"}.get(int(np.sign(value)), "")
    return f"{sign}{say.number(abs(value), 2)}"


def _facts(position: Position, experts: tuple[str, ...], say: Say) -> list[tuple[str, str]]:
    return [
        (say("disagreement"), f"{say.number(position.disagreement, 3)} {say('nats')}"),
        (say("jensen_shannon"), f"{say.number(position.jensen_shannon, 3)} {say('bits')}"),
        (say("spread"), " · ".join(f"{n} {say.number(s, 2)}" for n, s in zip(experts, position.spread, strict=True))),
    ]
