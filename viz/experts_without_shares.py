"""What each expert and the whole network expect, where no expert has an exact share: a single expert, a fusion
that was learned, more than two experts."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.experts import Candidate, candidate_row
from viz.html import Say, Table, panel, sides, token, visible


@dataclass(frozen=True, eq=False)
class Expectations:
    """What is predicted after one token.

    before: the token read last.  columns: candidates of each expert and, last, of the network; of a single
    expert, its own alone.  kind: how the experts are fused (`single`, `joined`, `probabilities`,
    `learned`, `mean`, `weighted`).  odds (E,): each expert's exact share of the winner's lead over the
    runner-up in nats, where the fusion is a weighted sum of logits; else None.  means (n,): probability of
    the network's candidates under the plain mean of the experts' logits; alone (n, E): under each expert.
    disagreement in nats, jensen_shannon in bits, spread (E,): of each expert's logits.
    """

    before: str
    columns: tuple[tuple[Candidate, ...], ...]
    kind: str
    odds: NDArray[np.float32] | None
    means: NDArray[np.float32]
    alone: NDArray[np.float32]
    disagreement: float
    jensen_shannon: float
    spread: tuple[float, ...]


def expectations_panel(voices: Expectations, experts: tuple[str, ...], say: Say) -> str:
    """Columns of candidates, and what is still true of the experts."""
    heads = (*experts, say("fused")) if len(experts) > 1 else experts
    classes = (*sides(len(experts)), "fused") if len(experts) > 1 else sides(1)
    columns = "".join(
        f"<div class='gs-column gs-{side}'><h3>{escape(head)}</h3><ol>"
        f"{''.join(candidate_row(row, say) for row in rows)}"
        "</ol></div>"
        for side, head, rows in zip(classes, heads, voices.columns, strict=True)
    )
    note = f"<p class='gs-note gs-kind'>{escape(say('voices_' + voices.kind))}</p>"
    many = _table(voices, experts, say) + _shares(voices, experts, say) + _facts(voices, experts, say)
    body = f"{note}<div class='gs-columns'>{columns}</div>{many if len(experts) > 1 else ''}"
    best = voices.columns[-1][0]
    summary = say("voices_summary", winner=visible(best.text), probability=say.percent(best.probability))
    table = Table(
        {"source": heads, "rank": range(1, len(voices.columns[0]) + 1)},
        {name: [[getattr(c, name) for c in rows] for rows in voices.columns] for name in ("id", "text", "probability")},
    )
    facts = {name: getattr(voices, name) for name in ("before", "kind", "disagreement", "jensen_shannon", "spread")}
    facts |= {"experts": experts, "odds": voices.odds, "mean_of_logits": voices.means, "alone": voices.alone}
    return panel(say, "experts", body, summary, facts, table, token=visible(voices.before))


def _table(voices: Expectations, experts: tuple[str, ...], say: Say) -> str:
    """The network's candidates: under the network, under each expert alone, under the plain mean of logits."""
    names = (say("fused"), *experts, say("voices_mean_of_logits"))
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr><th scope='row'>{token(c.text)}</th>"
        + "".join(f"<td>{say.percent(float(p))}</td>" for p in (c.probability, *alone, mean))
        + "</tr>"
        for c, alone, mean in zip(voices.columns[-1], voices.alone, voices.means, strict=True)
    )
    return (
        f"<h3>{escape(say('voices_title'))}</h3><div class='gs-scroll gs-parts' tabindex='0'><table>"
        f"<thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _shares(voices: Expectations, experts: tuple[str, ...], say: Say) -> str:
    if voices.odds is None:
        return ""
    odds = zip(experts, voices.odds, strict=True)
    parts = ", ".join(f"{name} {say.signed(share, 3)}" for name, share in odds)
    winner, rival = (visible(c.text) for c in voices.columns[-1][:2])
    title = say("margin_title", winner=winner, rival=rival)
    total = f"{say('sum')} {say.signed(voices.odds.sum(), 3)}"
    return f"<p class='gs-note'>{escape(title)}: {escape(parts)}; {escape(total)}</p>"


def _facts(voices: Expectations, experts: tuple[str, ...], say: Say) -> str:
    facts = [
        (say("disagreement"), f"{say.number(voices.disagreement, 3)} {say('nats')}"),
        (say("jensen_shannon"), f"{say.number(voices.jensen_shannon, 3)} {say('bits')}"),
    ]
    spread = zip(experts, voices.spread, strict=True)
    facts.append((say("spread"), " · ".join(f"{name} {say.number(s, 2)}" for name, s in spread)))
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f"<dl class='gs-facts'>{cells}</dl>"
