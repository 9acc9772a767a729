"""The experts panel: what each expert expects at one position, and what each adds to the fusion."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.probing.glosses import gloss_report, token_gloss
from app.trace.fusion import (
    FUSED,
    Fusion,
    added,
    disagreement,
    fusion_weights,
    margin_shares,
    next_log_probs,
    next_probability,
    pair_weights,
    probability_shares,
    rescore,
    winners,
)
from app.trace.record import Floats, Trace
from viz.experts import ActualToken, Candidate, Part, Position, experts_panel
from viz.experts_without_shares import Expectations, expectations_panel
from viz.html import Say

SHOWN_CANDIDATES = 8


def experts_view(
    engine: Engine, trace: Trace, selected: int, weight: float, say: Say, fusion: Fusion = "logits"
) -> str:
    """The experts panel: what was expected just before the selected token, re-scored under a
    fusion; `weight` is the first expert's (the gate sets its own)."""
    if not engine.bundle.adjustable:
        return expectations_view(engine, trace, selected, say)
    position = selected - 1
    actual = int(trace.ids[selected]) if selected < len(trace) else -1
    everywhere = fusion_weights(trace, fusion, weight)
    weights = everywhere[position]
    first, second = (rescore(trace, position, pair_weights(share)) for share in (1.0, 0.0))
    fused = rescore(trace, position, weights, fusion)
    columns = tuple(
        tuple(
            _candidate(
                engine, int(i), p, actual, say, None if ranking is fused else _moved(ranking.ids, fused.ids, rank)
            )
            for rank, (i, p) in enumerate(zip(ranking.ids[:SHOWN_CANDIDATES], ranking.log_probs, strict=False))
        )
        for ranking in (first, fused, second)
    )

    def odds(first: int, second: int) -> Floats:
        """The experts' shares in the lead of one fused candidate over another."""
        if fusion == "logits":
            return margin_shares(fused, weights, first, second)
        return probability_shares(trace, position, fused, weights, first, second)

    leads = [Part(odds(i, 0 if i else 1), added(trace, position, fused, i)) for i in range(len(columns[1]))]
    view = Position(
        before=trace.texts[position] if position else say("start"),
        columns=columns,
        parts=tuple(leads),
        fusion=fusion,
        weight=float(weights[0]),
        shares=(float(leads[0].odds[0]), float(leads[0].odds[1])),
        disagreement=float(disagreement(trace)[position]),
        jensen_shannon=float(trace.jensen_shannon[position]),
        spread=(float(trace.spread[position, 0]), float(trace.spread[position, 1])),
        certain=fused.certain > 0,
        original=engine.text_of(int(trace.candidates[position, -1, 0])),
        changed=winners_changed(trace, everywhere, fusion),
        actual_token=_beyond(engine, trace, selected, weights, fusion) if actual >= 0 else None,
        glosses=_said_of_glosses(columns, say),
    )
    return experts_panel(view, trace.experts, say)


def expectations_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """The experts panel of a model whose experts cannot be weighed anew: a single one, more than two, a fusion
    that was learned."""
    position, actual = selected - 1, int(trace.ids[selected]) if selected < len(trace) else -1
    count, totals = len(trace.experts), trace.log_sum_exp[position]
    own = [trace.candidate_logits[position, e, :, e] - totals[e] for e in range(count)]
    logits = trace.candidate_logits[position, FUSED]  # (K, E) of the network's candidates
    fused = logits @ trace.weights if trace.fused_logits is None else trace.fused_logits[position]

    def column(which: int, log_probs: Floats) -> tuple[Candidate, ...]:
        ids = trace.candidates[position, which, :SHOWN_CANDIDATES]
        return tuple(_candidate(engine, int(i), p, actual, say) for i, p in zip(ids, log_probs, strict=False))

    columns = [column(e, own[e]) for e in range(count)] if count > 1 else []
    network = column(FUSED, fused - totals[FUSED])
    shown = logits[:SHOWN_CANDIDATES]
    half = len(trace.mixed_log_sum_exp[position]) // 2  # of equal weights
    kind = "single" if count == 1 else engine.bundle.fusion
    if engine.bundle.report is not None:
        kind = engine.bundle.report.fusion
    odds = trace.weights * (logits[0] - logits[1]) if engine.bundle.additive else None
    return expectations_panel(
        Expectations(
            before=trace.texts[position] if position else say("start"),
            columns=(*columns, network),
            kind=kind,
            odds=odds if count > 1 else None,
            means=np.exp(shown.mean(axis=1) - trace.mixed_log_sum_exp[position, half]),
            alone=np.exp(shown - totals[:FUSED]),
            disagreement=float(disagreement(trace)[position]),
            jensen_shannon=float(trace.jensen_shannon[position]),
            spread=tuple(float(s) for s in trace.spread[position]),
            glosses=_said_of_glosses([*columns, network], say),
        ),
        trace.experts,
        say,
    )


def _candidate(
    engine: Engine, token: int, log_prob: float, actual: int, say: Say, moved: int | None = None
) -> Candidate:
    """A token as a candidate, with its picture and what it means in the visitor's language."""
    text = engine.text_of(token)
    return Candidate(
        id=token,
        text=text,
        bitmap=engine.bundle.substrate.pictures[token],
        probability=float(np.exp(log_prob)),
        actual=token == actual,
        moved=moved,
        gloss=token_gloss(text, say.language),
    )


def _said_of_glosses(columns: Iterable[Iterable[Candidate]], say: Say) -> str:
    """Where the translations beside the candidates come from; nothing where there are none."""
    if not any(candidate.gloss for column in columns for candidate in column):
        return ""
    report = gloss_report(say.language)
    return say("gloss_note", covered=say.percent(report["covered"], 0), right=say.percent(report["right"], 0))


def _beyond(engine: Engine, trace: Trace, selected: int, weights: Floats, fusion: Fusion) -> ActualToken:
    """The selected token under each expert and their fusion; its fused rank where the trace has it."""
    position, token = selected - 1, int(trace.ids[selected])
    alone = np.exp(next_log_probs(trace)[position, :FUSED])
    ranks = trace.next_ranks[position]
    if fusion == "logits" and np.allclose(weights, trace.weights):
        fused = int(ranks[FUSED])
    else:  # one expert alone ranks like that expert
        fused = int(ranks[weights.argmax()]) if weights.max() == 1 else 0
    return ActualToken(
        text=trace.texts[selected],
        bitmap=engine.bundle.substrate.pictures[token],
        probabilities=(float(alone[0]), next_probability(trace, position, weights, fusion), float(alone[1])),
        ranks=(int(ranks[0]), fused, int(ranks[1])),
    )


def _moved(ids: NDArray[np.int32], fused: NDArray[np.int32], rank: int) -> int:
    """Ranks that a candidate climbs (positive) or falls from one expert to the fusion."""
    there = np.flatnonzero(fused == ids[rank])
    return rank - int(there[0]) if len(there) else 0


def winners_changed(trace: Trace, weights: Floats, fusion: Fusion) -> int:
    """At how many positions another token would win, under weights (T, E), than at those the text was
    made with."""
    return int((winners(trace, weights, fusion) != trace.candidates[:, FUSED, 0]).sum())
