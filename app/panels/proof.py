"""The proof panel: every measure of meaning as a chart beside its controls, each with its sentence."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.probing.curves import Curve, ProbeResults
from app.probing.probe_measures import MEASURES
from app.probing.word_proof import PAIRS, Crossings
from app.wording.catalogue import LANGUAGES
from viz.charts import Chart
from viz.html import Say, Table, sides
from viz.plotly_figure import Line, curve_figure
from viz.proof import CrossingRows, proof_panel


def proof_view(
    own: ProbeResults | None,
    shipped: tuple[str, ProbeResults] | None,
    crossings: Crossings | None,
    say: Say,
    classes: tuple[ProbeResults, ProbeResults] | None = None,
    paired: float = 0.0,
) -> str:
    """Every measure as a chart with its controls: of a visitor's own words, beside a shipped set (the code of
    its name, and its results) in the same plot; or of the shipped set alone.  classes: results of all groups and
    of those that are nouns, for a sentence on what word classes add; paired: largest share of translated sentences
    in what an expert was trained on."""
    sets = [("proof_set_map", own)] if own is not None else []
    if shipped is not None:
        sets.append(shipped)
    assert sets, "nothing to show"
    results, beside = sets[0][1], sets[1] if len(sets) > 1 else None
    names = [name for name in MEASURES if name in results.curves]  # a record may be older than a measure
    subject = say.clauses(subject_of(part, say, code) for code, part in sets)
    charts = [_chart(name, results, beside, say) for name in names]
    note = "" if classes is None else _word_classes(*classes, say)
    crossed = None if crossings is None else _crossed(crossings, paired, say)
    return proof_panel(charts, _table(names, results), crossed, subject, note, say)


def _table(names: list[str], results: ProbeResults) -> Table:
    """All curves, as they are exported."""
    curves = [results.curves[name] for name in names]
    shape = curves[0].values.shape
    fields = ("values", "low", "high", "shuffled_low", "shuffled_high", "unfrozen", "context", "untrained")
    return Table(
        {"measure": names, "expert": results.experts, "layer": range(shape[1])},
        {
            field: np.stack([_known(np.broadcast_to(getattr(curve, field), shape)) for curve in curves])
            for field in fields
        },
    )


def probe_charts(results: ProbeResults, say: Say) -> list[Chart]:
    """Every measure of one word set as a chart with its controls."""
    return [_chart(name, results, None, say) for name in MEASURES]


def subject_of(results: ProbeResults, say: Say, code: str) -> str:
    """Which words some results are about: the sentence of a code, with their number and how they were read."""
    read = say("proof_read", text=results.in_text, carriers=results.words - results.in_text)
    return say("proof_subject", set=say(code), count=results.words, groups=results.groups, read=read)


_MARKS = (("circle", "solid"), ("square", "dash"), ("diamond", "longdash"), ("cross", "dashdot"))
"""Mark and dash of each expert's line; what stands beside an expert has its mark without the filling."""


def _known(values: NDArray[np.floating]) -> NDArray[np.object_]:
    """What a measure does not have (no shuffled labels) as empty cells."""
    cells = np.round(values.astype(float), 6).astype(object)
    cells[~np.isfinite(values)] = None
    return cells


def _chart(name: str, results: ProbeResults, beside: tuple[str, ProbeResults] | None, say: Say) -> Chart:
    curve, inks = results.curves[name], sides(len(results.experts))
    lines = _lines(name, results, beside, say)
    labelled = MEASURES[name].labelled
    band = (say("shuffled"), curve.shuffled_low.min(axis=0), curve.shuffled_high.max(axis=0)) if labelled else None
    marks = [
        (say("emerges", expert=expert, layer=found.layer), f"--gs-{side}", found.layer)
        for expert, side, found in zip(results.experts, inks, curve.emergence, strict=False)
        if found.layer is not None
    ]
    sentences = [_sentence(name, curve, e, expert, say) for e, expert in enumerate(results.experts)]
    if name in results.best:
        chance, best = (say.number(values[name], 2) for values in (results.chance, results.best))
        sentences.append(say("says_best", k=results.neighbours, chance=chance, best=best))
    title = say("measure_of_" + name, k=results.neighbours)
    return Chart(name, title, curve_figure(lines, band, marks, say("layer_slider")), say.sentences(sentences))


def _lines(name: str, results: ProbeResults, beside: tuple[str, ProbeResults] | None, say: Say) -> list[Line]:
    """Each expert with its interval; what stands beside it; the same measure of another set; the untrained network."""
    curve = results.curves[name]
    sampled = not np.array_equal(curve.low, curve.values)
    experts = list(zip(results.experts, sides(len(results.experts)), cycle(_MARKS), strict=False))
    lines = [
        Line(expert, curve.values[e], f"--gs-{side}", dash, mark, *((curve.low[e], curve.high[e]) if sampled else ()))
        for e, (expert, side, (mark, dash)) in enumerate(experts)
    ]
    others = [("unfrozen", "dot", curve.unfrozen), ("context", "dashdot", curve.context)]
    lines += [
        Line(say(code, expert=expert), rows[e], f"--gs-{side}", dash, f"{mark}-open")
        for code, dash, rows in others
        for e, (expert, side, (mark, _)) in enumerate(experts)
        if np.isfinite(rows[e]).all()
    ]
    if beside is not None:
        code, other = beside
        lines += [
            Line(f"{expert}, {say(code)}", other.curves[name].values[e], f"--gs-{side}", "longdashdot", f"{mark}-open")
            for e, (expert, side, (mark, _)) in enumerate(experts)
            if name in other.curves
        ]
    return [*lines, Line(say("untrained"), curve.untrained, "--gs-dim", "dot", "x")]


def _sentence(name: str, curve: Curve, expert: int, title: str, say: Say) -> str:
    """What one expert's curve shows, effect or none."""
    values = curve.values[expert]
    known: dict[str, Any] = {
        "expert": title,
        "start": say.number(values[0], 2),
        "end": say.number(values[-1], 2),
        "last": len(values) - 1,
        "untrained": say.number(curve.untrained[-1], 2),
    }
    if not MEASURES[name].labelled:
        return say("says_plain", **known)
    if np.isfinite(curve.context[expert]).all():
        known["untrained"] += say("says_context", value=say.number(curve.context[expert].max(), 2))
    found = curve.emergence[expert]
    known["shuffled"] = say.number(curve.ceiling[expert], 2)
    if found.layer is None:
        return say("says_none", **known)
    return say("says_from", layer=found.layer, earliest=min(found.earliest or found.layer, found.layer), **known)


def _word_classes(every: ProbeResults, nouns: ProbeResults, say: Say) -> str:
    """What the groups that are word classes add to the last layer's purity above chance, of pairs without common
    letters: chance differs with the number of groups."""
    whole, part = (results.curves["purity_apart"].values[:, -1] for results in (every, nouns))
    lifts = (whole - every.chance["purity_apart"]) - (part - nouns.chance["purity_apart"])

    def listed(values: NDArray[np.floating], written: Callable[[float, int], str] = say.number) -> str:
        return say.listed(f"{name} {written(float(v), 2)}" for name, v in zip(every.experts, values, strict=True))

    last = every.curves["purity_apart"].values.shape[1] - 1
    return say("proof_classes", last=last, list=listed(lifts, say.signed), all=listed(whole), nouns=listed(part))


def _crossed(crossings: Crossings, paired: float, say: Say) -> CrossingRows:
    assert set(LANGUAGES) == {language for pair in PAIRS for language in pair}, "a language without a pair"
    names = tuple(f"{say('words_' + one)} → {say('words_' + other)}" for one, other in PAIRS)
    return CrossingRows(crossings.experts, crossings.alike, names, crossings.found, crossings.chance, paired)
