"""The proof panel: every measure of meaning as a chart beside its controls, each with its sentence."""

from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.probing.curves import Battery, Curve
from app.probing.probe_suite import LABELLED, MEASURES
from app.probing.word_proof import PAIRS, Crossings
from app.wording.catalogue import LANGUAGES
from viz.charts import Chart
from viz.html import Say, Table, sides
from viz.plotly_figure import Line, curve_figure
from viz.proof import CrossingRows, proof_panel


def proof_view(
    own: Battery | None,
    shipped: tuple[str, Battery] | None,
    crossings: Crossings | None,
    say: Say,
    classes: tuple[Battery, Battery] | None = None,
) -> str:
    """Every measure as a chart with its controls: of a visitor's own words, beside a shipped set (the code of
    its name, and its battery) in the same plot; or of the shipped set alone.  classes: batteries of all groups and
    of those that are nouns, for a sentence on what word classes add."""
    assert own is not None or shipped is not None, "nothing to show"
    battery, beside = (own, shipped) if own is not None else (shipped[1], None) if shipped else (None, None)
    assert battery is not None
    named = [("proof_set_map", own)] if own is not None else []
    subject = "; ".join(subject_of(part, say, code) for code, part in [*named, *([shipped] if shipped else [])])
    charts = [_chart(name, battery, beside, say) for name in MEASURES]
    layers = range(battery.curves[MEASURES[0]].values.shape[1])
    fields = ("values", "low", "high", "shuffled_low", "shuffled_high")
    table = Table(
        {"measure": MEASURES, "expert": battery.experts, "layer": layers},
        {field: np.stack([_known(getattr(battery.curves[m], field)) for m in MEASURES]) for field in fields}
        | {
            **{
                field: np.stack([_known(getattr(battery.curves[m], field)) for m in MEASURES])
                for field in ("unfrozen", "context")
            },
            "untrained": np.stack(
                [np.broadcast_to(battery.curves[m].untrained, battery.curves[m].values.shape) for m in MEASURES]
            ),
        },
    )
    note = "" if classes is None else _word_classes(*classes, say)
    return proof_panel(charts, table, None if crossings is None else _crossed(crossings, say), subject, note, say)


def subject_of(battery: Battery, say: Say, code: str) -> str:
    """Which words a battery is about: the sentence of a code, with their number and how they were read."""
    read = say("proof_read", text=battery.in_text, carriers=battery.words - battery.in_text)
    return say("proof_subject", set=say(code), count=battery.words, groups=battery.groups, read=read)


_OPEN = ("circle-open", "square-open", "diamond-open", "cross-open")
"""Marks of what stands beside each expert."""


def _known(values: NDArray[np.floating]) -> NDArray[np.object_]:
    """What a measure does not have (no shuffled labels) as empty cells."""
    cells = np.round(values.astype(float), 6).astype(object)
    cells[~np.isfinite(values)] = None
    return cells


def _chart(name: str, battery: Battery, beside: tuple[str, Battery] | None, say: Say) -> Chart:
    curve, label = battery.curves[name], say("measure_of_" + name, k=battery.neighbours)
    labelled, inks = name in LABELLED, sides(len(battery.experts))
    sampled = not np.array_equal(curve.low, curve.values)
    lines = [
        Line(expert, values, f"--gs-{side}", dash, symbol, low if sampled else None, high if sampled else None)
        for expert, side, dash, symbol, values, low, high in zip(
            battery.experts, inks, cycle(("solid", "dash", "longdash", "dashdot")),
            cycle(("circle", "square", "diamond", "cross")), curve.values, curve.low, curve.high, strict=False,
        )
    ]  # fmt: skip
    lines += [
        Line(say(code, expert=expert), values, f"--gs-{side}", dash, symbol)
        for code, dash, rows in (("unfrozen", "dot", curve.unfrozen), ("context", "dashdot", curve.context))
        for expert, side, symbol, values in zip(battery.experts, inks, cycle(_OPEN), rows, strict=False)
        if np.isfinite(values).all()
    ]
    if beside is not None:
        lines += [
            Line(f"{expert}, {say(beside[0])}", values, f"--gs-{side}", "longdashdot", symbol)
            for expert, side, symbol, values in zip(
                battery.experts, inks, cycle(_OPEN), beside[1].curves[name].values, strict=False
            )
        ]
    lines.append(Line(say("untrained"), curve.untrained, "--gs-dim", "dot", "x"))
    band = (say("shuffled"), curve.shuffled_low.min(axis=0), curve.shuffled_high.max(axis=0)) if labelled else None
    marks = [
        (say("emerges", expert=expert, layer=found.layer), f"--gs-{side}", found.layer)
        for expert, side, found in zip(battery.experts, inks, curve.emergence, strict=False)
        if found.layer is not None
    ]
    sentence = " ".join(_sentence(name, curve, e, expert, say) for e, expert in enumerate(battery.experts))
    if name in battery.best:
        sentence += " " + say(
            "says_best",
            k=battery.neighbours,
            chance=say.number(battery.chance[name], 2),
            best=say.number(battery.best[name], 2),
        )
    return Chart(name, label, curve_figure(lines, band, marks, say("layer_slider")), sentence)


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
    if name not in LABELLED:
        return say("says_plain", **known)
    if np.isfinite(curve.context[expert]).all():
        known["untrained"] += say("says_context", value=say.number(curve.context[expert].max(), 2))
    found = curve.emergence[expert]
    known["shuffled"] = say.number(curve.ceiling[expert], 2)
    if found.layer is None:
        return say("says_none", **known)
    return say("says_from", layer=found.layer, earliest=min(found.earliest or found.layer, found.layer), **known)


def _word_classes(every: Battery, nouns: Battery, say: Say) -> str:
    """What the groups that are word classes add to the last layer's purity above chance, of pairs without common
    letters: chance differs with the number of groups."""
    whole, part = (battery.curves["purity_apart"].values[:, -1] for battery in (every, nouns))
    lifts = (whole - every.chance["purity_apart"]) - (part - nouns.chance["purity_apart"])

    def listed(values: NDArray[np.floating], signed: str = "") -> str:
        return ", ".join(f"{name} {float(v):{signed}.2f}" for name, v in zip(every.experts, values, strict=True))

    last = every.curves["purity_apart"].values.shape[1] - 1
    return say("proof_classes", last=last, list=listed(lifts, "+"), all=listed(whole), nouns=listed(part))


def _crossed(crossings: Crossings, say: Say) -> CrossingRows:
    assert set(LANGUAGES) == {language for pair in PAIRS for language in pair}, "a language without a pair"
    names = tuple(f"{say('words_' + one)} → {say('words_' + other)}" for one, other in PAIRS)
    return CrossingRows(crossings.experts, crossings.alike, names, crossings.found, crossings.chance)
