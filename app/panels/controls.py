"""From the record of the controls to their panel: charts of loss and purity, each with its sentence."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from app.probing.control_record import LINES, ControlRecord, ControlRun
from app.wording.catalogue import LANGUAGES
from viz.charts import Chart
from viz.controls import Merge, RunRow, controls_panel
from viz.html import SIDES, Say
from viz.plotly_figure import Line, curve_figure

_LOOKS = {
    "frozen": ("", "solid", "circle"),
    "trained": ("--gs-accent", "dash", "square"),
    "permuted": ("--gs-dim", "dot", "x"),
    "random": ("--gs-other", "dashdot", "diamond"),
    "grown": ("--gs-accent", "longdash", "triangle-up"),
}
"""Colour, dash and mark of every kind of run; the frozen one has its expert's colour."""
_OWN = {"RU": "ru", "ZH": "zh"}


def controls_view(controls: ControlRecord | None, training: Mapping[str, Any], say: Say) -> str:
    """The panel; empty for a model without such a record.  training: the record of the experts on display."""
    if controls is None or not controls.runs:
        return ""
    experts = sorted({run.expert for run in controls.runs})
    sides = dict(zip(experts, SIDES, strict=False))
    charts = [chart for expert in experts for chart in _charts(controls, expert, sides[expert], say)]
    runs = [
        RunRow(t.expert, sides[t.expert], _kind(t, say), t.tokens, t.minutes, t.bits, t.answer) for t in controls.runs
    ]
    merges = [Merge(say("merge_" + way), bits) for way, bits in controls.fusions.items()]
    seen = max(run.tokens for run in controls.runs)
    shown = max(run["tokens"] for run in training["experts"].values())
    budget = say("controls_budget", controls=say.compact(seen), shown=say.compact(shown))
    return controls_panel(charts, runs, merges, controls.prompt, budget, LINES, _summary(controls, say), say)


def _kind(run: ControlRun, say: Say) -> str:
    return say("control_grown_to", layers=run.layers) if run.kind == "grown" else say("control_" + run.kind)


def _charts(controls: ControlRecord, expert: str, side: str, say: Say) -> list[Chart]:
    mine = [run for run in controls.runs if run.expert == expert]
    like = [run for run in mine if run.kind not in ("alone", "grown")]
    grown = [run for run in mine if run.kind == "grown"]
    languages = (_OWN.get(expert, "en"), "en")
    probed = [run for run in like if run.curves]
    charts = [_loss(like, expert, side, say)] if like else []
    charts += [_purity(probed, expert, language, side, say) for language in languages if probed]
    if grown:
        whole = [run for run in like if run.kind == "frozen"]
        charts += [_growth(grown, whole, expert, side, say)]
        ends = [run for run in (*whole, grown[-1]) if run.curves]
        charts += [_purity(ends, expert, language, side, say, "controls_grown") for language in languages if ends]
    return charts


def _line(run: ControlRun, side: str, say: Say, values: Sequence[float], **more: Sequence[float]) -> Line:
    ink, dash, symbol = _LOOKS[run.kind]
    return Line(
        say("control_" + run.kind), np.array(values), ink or f"--gs-{side}", dash, symbol,
        **{name: np.array(value) for name, value in more.items()},
    )  # fmt: skip


def _loss(controls: Sequence[ControlRun], expert: str, side: str, say: Say) -> Chart:
    """Training loss by tokens seen."""
    lines = [
        _line(run, side, say, [loss for _, loss in run.curve], x=[tokens / 1e6 for tokens, _ in run.curve])
        for run in controls
    ]
    label = say("controls_loss", expert=expert)
    listed = say.clauses(f"{say('control_' + run.kind)} {say.number(run.curve[-1][1], 2)}" for run in controls)
    sentence = say("controls_loss_says", tokens=say.compact(controls[0].curve[-1][0]), list=listed)
    return Chart(f"loss_{expert}", label, curve_figure(lines, None, (), say("controls_tokens")), sentence)


def _purity(
    controls: Sequence[ControlRun], expert: str, language: str, side: str, say: Say, code: str = "controls_purity"
) -> Chart:
    """Concept purity by layer with its intervals."""
    lines, best = [], []
    for run in controls:
        values, low, high = zip(*run.curves[language]["purity"], strict=True)
        lines.append(_line(run, side, say, values, low=low, high=high))
        top = int(np.argmax(values))
        value, *ends = (say.number(row[top], 2) for row in (values, low, high))
        best.append(f"{say('control_' + run.kind)} {value} ({'–'.join(ends)})")
    label = say(code, expert=expert, language=say("words_" + language))
    start = controls[0].curves[language]["purity"][0][0]
    sentence = say("controls_purity_says", start=say.number(start, 2), list=say.clauses(best))
    return Chart(f"{code}_{expert}_{language}", label, curve_figure(lines, None, (), say("layer_slider")), sentence)


def _growth(stages: Sequence[ControlRun], whole: Sequence[ControlRun], expert: str, side: str, say: Say) -> Chart:
    """Training loss by tokens seen over all stages, each of which begins with one layer more."""
    begins = [0.0, *accumulate(stage.tokens / 1e6 for stage in stages)]
    x = [begin + seen / 1e6 for stage, begin in zip(stages, begins, strict=False) for seen, _ in stage.curve]
    values = [loss for stage in stages for _, loss in stage.curve]
    jumps = [after.curve[0][1] - before.curve[-1][1] for before, after in pairwise(stages)]
    marks = [(str(stage.layers), "--gs-dim", begin) for stage, begin in zip(stages, begins, strict=False)]
    lines = [_line(stages[-1], side, say, values, x=x)]
    lines += [
        _line(run, side, say, [loss for _, loss in run.curve], x=[seen / 1e6 for seen, _ in run.curve]) for run in whole
    ]
    own = _OWN.get(expert, "en")
    ends = " → ".join(say.number(stage.bits[own], 2) for stage in stages)
    jump = say.signed(max(jumps, default=0.0), 2)
    sentence = say("controls_growth_says", jump=jump, list=ends, language=say("words_" + own))
    figure = curve_figure(lines, None, marks, say("controls_tokens"))
    return Chart(f"growth_{expert}", say("controls_growth", expert=expert), figure, sentence)


MATTERS = 0.02
"""A merge costs as much as another if their costs differ by less than this share of the bits."""


def _summary(controls: ControlRecord, say: Say) -> str:
    """What averaging costs, merge by merge, as the mean over the languages; then what of it is due to the
    shared table, and what to having seen the other's script; and what the pictures change against random vectors."""
    merges = {way: Merge(say("merge_" + way), bits) for way, bits in controls.fusions.items()}
    costs = {
        way: float(np.mean([merge.cost(language, "mean of logits") for language in LANGUAGES]))
        for way, merge in merges.items()
    }
    listed = say.clauses(f"{merges[way].name} {say.change(cost)}" for way, cost in costs.items())
    sentences = [say("controls_summary", list=listed)]
    for way in ("unshared", "alone"):
        if {way, "some"} <= set(costs):
            more = costs[way] - costs["some"]
            code = f"verdict_{way}" + ("" if more > MATTERS else "_not")
            sentences.append(say(code, more=say.signed(100 * more, 1)))
    if changes := _pictures_change(controls, say):
        sentences.append(say("controls_pictures", list=say.clauses(changes)))
    return say.sentences(sentences)


def _pictures_change(controls: ControlRecord, say: Say) -> list[str]:
    """How much the pictures change each expert's bits in its own language against random vectors, where both were
    trained."""
    bits = {(run.expert, run.kind): run.bits[own] for run in controls.runs if (own := _OWN.get(run.expert))}
    return [
        f"{say.listed((expert, say('words_' + own)))} {say.change(bits[expert, 'frozen'] / bits[expert, 'random'] - 1)}"
        for expert, own in _OWN.items()
        if {(expert, "frozen"), (expert, "random")} <= set(bits)
    ]
