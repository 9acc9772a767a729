"""What each expert and the whole network expect, where no expert has an exact share: a single expert, a fusion
that was learned, more than two experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.experts import Candidate
from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible


@dataclass(frozen=True, eq=False)
class Expectations:
    """What is predicted after one token by E experts and their network."""

    before: str
    """The token read last."""
    columns: tuple[tuple[Candidate, ...], ...]
    """Candidates of each expert and, last, of the network; of a single expert, its own alone."""
    kind: str
    """How the experts are fused: `single`, `joined`, `probabilities`, `learned`, `mean`, `weighted`."""
    odds: NDArray[np.float32] | None
    """(E,): each expert's exact share of the winner's lead over the runner-up in nats, where the fusion is a weighted
    sum of logits; else None."""
    means: NDArray[np.float32]
    """(n,): probability of the network's candidates under the plain mean of the experts' logits."""
    alone: NDArray[np.float32]
    """(n, E): under each expert."""
    disagreement: float
    """In nats."""
    jensen_shannon: float
    """In bits."""
    spread: tuple[float, ...]
    """(E,): of each expert's logits."""
    glosses: str = ""
    """What is to be said of the candidates' translations."""


def expectations_panel(voices: Expectations, experts: tuple[str, ...], say: Say) -> str:
    """Columns of candidates, and what is still true of the experts."""
    heads = (*experts, say("fused")) if len(experts) > 1 else experts
    classes = (*sides(len(experts)), "fused") if len(experts) > 1 else sides(1)
    body = rendered(
        "experts_without_shares.html",
        say=say,
        kind=say("voices_" + voices.kind),
        columns=list(zip(classes, heads, voices.columns, strict=True)),
        names=(say("fused"), *experts, say("voices_mean_of_logits")),
        lines=_lines(voices, say) if len(experts) > 1 else [],
        split=_shares(voices, experts, say),
        known=_facts(voices, experts, say) if len(experts) > 1 else [],
        glosses=voices.glosses,
    )
    best = voices.columns[-1][0]
    summary = say("voices_summary", winner=visible(best.text), probability=say.percent(best.probability))
    table = Table(
        {"source": heads, "rank": range(1, len(voices.columns[0]) + 1)},
        {name: [[getattr(c, name) for c in rows] for rows in voices.columns] for name in ("id", "text", "probability")},
    )
    facts = {name: getattr(voices, name) for name in ("before", "kind", "disagreement", "jensen_shannon", "spread")}
    facts |= {"experts": experts, "odds": voices.odds, "mean_of_logits": voices.means, "alone": voices.alone}
    return panel(say, "experts", body, summary, facts, table, token=visible(voices.before))


def _lines(voices: Expectations, say: Say) -> list[tuple[str, list[str]]]:
    """The network's candidates: under the network, under each expert alone, under the plain mean of logits."""
    rows = zip(voices.columns[-1], voices.alone, voices.means, strict=True)
    return [(c.text, [say.percent(float(p)) for p in (c.probability, *alone, mean)]) for c, alone, mean in rows]


def _shares(voices: Expectations, experts: tuple[str, ...], say: Say) -> str:
    """Each expert's exact share of the winner's lead in one line, where there is one."""
    if voices.odds is None:
        return ""
    odds = zip(experts, voices.odds, strict=True)
    parts = say.listed(f"{name} {say.signed(share, 3)}" for name, share in odds)
    winner, rival = (visible(c.text) for c in voices.columns[-1][:2])
    title = say("margin_title", winner=winner, rival=rival)
    total = f"{say('sum')} {say.signed(voices.odds.sum(), 3)}"
    return f"{title}: {parts}; {total}"


def _facts(voices: Expectations, experts: tuple[str, ...], say: Say) -> list[tuple[str, str]]:
    spread = zip(experts, voices.spread, strict=True)
    return [
        (say("disagreement"), f"{say.number(voices.disagreement, 3)} {say('nats')}"),
        (say("jensen_shannon"), f"{say.number(voices.jensen_shannon, 3)} {say('bits')}"),
        (say("spread"), " · ".join(f"{name} {say.number(s, 2)}" for name, s in spread)),
    ]
