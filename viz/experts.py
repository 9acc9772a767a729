"""The experts panel: who expects what at one position, and where they part over the whole text."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, picture, token, visible


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
    """What is predicted after one token.

    before: the token read last.  columns: candidates of the first expert, the fusion, the second; parts:
    of the fusion's candidates.
    fusion: how the experts are fused; weight: of the first one.  shares: each expert's part of the
    winner's lead over the runner-up: nats of log-odds under the mean of logits, else probability.
    disagreement in nats, jensen_shannon in bits, spread: the standard deviation of each expert's
    logits.  certain: the fused winner cannot be a token outside the stored candidates.  original: the
    winner at the weights the text was made with; changed: at how many positions of the text another
    token wins.
    """

    before: str
    columns: tuple[tuple[Candidate, ...], ...]
    parts: tuple[Part, ...]
    fusion: str
    weight: float
    shares: tuple[float, float]
    disagreement: float
    jensen_shannon: float
    spread: tuple[float, float]
    certain: bool
    original: str
    changed: int
    actual_token: ActualToken | None = None


def experts_panel(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """Three columns of candidates and the exact share of each expert in the winner's margin."""
    heads = (experts[0], say("fused"), experts[1])
    columns = "".join(
        f"<div class='gs-column gs-{side}'><h3>{escape(head)}</h3><ol>"
        f"{''.join(candidate_row(row, say) for row in rows)}"
        f"{_beyond(position, i, say)}</ol></div>"
        for i, (side, head, rows) in enumerate(zip(("first", "fused", "second"), heads, position.columns, strict=True))
    )
    body = (
        f"<div class='gs-columns'>{columns}</div>{_margin(position, experts, say)}"
        f"{_parts(position, experts, say)}{_facts(position, experts, say)}"
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
    """One sentence: what wins, by whose doing, and what another weight changed."""
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
    return " ".join(parts)


def candidate_row(candidate: Candidate, say: Say) -> str:
    actual = " gs-actual" if candidate.actual else ""
    return (
        f"<li class='gs-candidate{actual}' data-id='{candidate.id}' style='--share:{candidate.probability:.4f}'>"
        f"{picture(candidate.bitmap)}{token(candidate.text)}{_arrow(candidate.moved)}"
        f"<span class='gs-number'>{say.percent(candidate.probability)}</span></li>"
    )


def _beyond(position: Position, column: int, say: Say) -> str:
    """The text's own next token under a column that does not list it."""
    actual_token = position.actual_token
    if actual_token is None or any(candidate.actual for candidate in position.columns[column]):
        return ""
    rank = f"<span class='gs-moved'>#{actual_token.ranks[column]}</span>" if actual_token.ranks[column] else ""
    return (
        f"<li class='gs-beyond gs-actual'>{picture(actual_token.bitmap)}{token(actual_token.text)}{rank}"
        f"<span class='gs-number'>{say.percent(actual_token.probabilities[column])}</span></li>"
    )


def _arrow(moved: int | None) -> str:
    """How far the fusion promotes (▲) or suppresses (▼) a candidate of one expert."""
    if not moved:
        return ""
    return f"<span class='gs-moved'>{'▲' if moved > 0 else '▼'}{abs(moved)}</span>"


def _margin(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """Each expert's part of the margin as a bar from zero, and their sum."""
    first, second = position.shares
    total = first + second
    reach = max(abs(first), abs(second), abs(total), 1e-9)
    rows = zip(("first", "second", "fused"), (*experts, say("sum")), (first, second, total), strict=True)
    bars = "".join(
        f"<div class='gs-bar gs-{side}'><span>{escape(name)}</span>"
        f"<i class='{'gs-minus' if value < 0 else 'gs-plus'}' style='--length:{abs(value) / reach:.3f}'></i>"
        f"<span class='gs-number'>{say.signed(value, 3)}</span></div>"
        for side, name, value in rows
    )
    winner, rival = position.columns[1][0].text, position.columns[1][1].text
    kind = "margin_title" if position.fusion == "logits" else "margin_title_probability"
    title = say(kind, winner=visible(winner), rival=visible(rival))
    return f"<div class='gs-margin'><h3>{escape(title)}</h3>{bars}</div>"


def _parts(position: Position, experts: tuple[str, ...], say: Say) -> str:
    """A line a candidate: each expert's part of its lead, their sum, and what each expert adds to it."""
    reach = max(max(float(np.abs(part.odds).max()), abs(float(part.odds.sum()))) for part in position.parts)
    rows = ""
    for i, (candidate, part) in enumerate(zip(position.columns[1], position.parts, strict=True)):
        total = round(float(part.odds.sum()), 3)
        first = round(float(part.odds[0]), 3)
        cells = zip(("first", "second", "fused"), (first, round(total - first, 3), total), strict=True)
        bars = "".join(
            f"<td class='gs-{side}'>{_bar(value, reach)}{say.signed(value, 3)}</td>" for side, value in cells
        )
        added = "".join(f"<td>{_promoted(float(value), say)}</td>" for value in part.added)
        against = position.columns[1][0 if i else 1].text
        rows += (
            f"<tr><th scope='row'>{token(candidate.text)}</th>"
            f"<td>{escape(say('parts_over', token=visible(against)))}</td>{bars}{added}</tr>"
        )
    unit = say("nats" if position.fusion == "logits" else "probability")
    heads = (
        f"<th scope='col' colspan='2'>{escape(say('parts_lead', unit=unit))}</th>"
        + "".join(f"<th scope='col'>{escape(name)}</th>" for name in (*experts, say("sum")))
        + "".join(f"<th scope='col'>{escape(say('parts_adds', expert=name))}</th>" for name in experts)
    )
    return (
        f"<h3>{escape(say('parts_title'))}</h3><div class='gs-scroll gs-parts' tabindex='0'><table>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _bar(value: float, reach: float) -> str:
    kind = "gs-minus" if value < 0 else "gs-plus"
    return f"<i class='{kind}' style='--length:{abs(value) / max(reach, 1e-9):.3f}'></i>"


def _promoted(value: float, say: Say) -> str:
    """Promoted (▲) or suppressed (▼), in nats of log-probability."""
    return f"{'▲' if value > 0 else '▼' if value < 0 else ''}{say.number(abs(value), 2)}"


def _facts(position: Position, experts: tuple[str, ...], say: Say) -> str:
    facts = (
        (say("disagreement"), f"{say.number(position.disagreement, 3)} {say('nats')}"),
        (say("jensen_shannon"), f"{say.number(position.jensen_shannon, 3)} {say('bits')}"),
        (say("spread"), " · ".join(f"{n} {say.number(s, 2)}" for n, s in zip(experts, position.spread, strict=True))),
    )
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f"<dl class='gs-facts'>{cells}</dl>"
