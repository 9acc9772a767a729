"""Several charts in one place: one is shown, chosen in the page, with its sentence under it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from viz.html import Say
from viz.templates import rendered


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
    items = [{"figure": figure, "sentence": chart.sentence} for figure, chart in zip(figures, charts, strict=True)]
    data = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    return rendered("charts.html", charts=charts, data=data, subject=subject, say=say)


def curves_of(chart: Chart) -> list[dict[str, Any]]:
    """The curves of a chart as plain values, for a file; the edges of intervals, which have no name, are left out."""
    return [
        {"name": curve["name"], "x": curve["x"], "y": curve["y"]}
        for curve in chart.figure["data"]
        if curve.get("name") and curve.get("line", {}).get("width") != 0
    ]
