"""Several charts in one place: one is shown, chosen in the page, with its sentence under it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from viz.html import Say


@dataclass(frozen=True, eq=False)
class Chart:
    """One measure: the figure as Plotly takes it, and a sentence that says what it shows here."""

    name: str
    label: str
    figure: dict[str, Any]
    sentence: str


def chart_picker(charts: Sequence[Chart], subject: str, say: Say) -> str:
    """The charts as data, a list to choose from, and room for one.  subject: what they are about."""
    figures = [{**c.figure, "layout": {**c.figure["layout"], "separators": say.separators}} for c in charts]
    told = [{"figure": figure, "sentence": chart.sentence} for figure, chart in zip(figures, charts, strict=True)]
    data = escape(json.dumps(told, ensure_ascii=False), quote=True)
    options = "".join(f"<option value='{i}'>{escape(chart.label)}</option>" for i, chart in enumerate(charts))
    return (
        f"<div class='gs-picker' data-charts='{data}'><div class='gs-picks'>"
        f"<label>{escape(say('pick_measure'))} <select class='gs-measure'>{options}</select></label>"
        f"<span>{escape(subject)}</span></div>"
        f"<div class='gs-curve' role='img' aria-label='{escape(charts[0].label, quote=True)}'></div>"
        f"<p class='gs-said' role='status'>{escape(charts[0].sentence)}</p></div>"
    )
