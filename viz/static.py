"""Charts and maps that need no script, for a notebook: the same figures as SVG in the page's colours."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.charts import Chart
from viz.html import Say, Table, panel, sides
from viz.tokens import visible

_WIDTH, _HEIGHT, _EDGE = 520, 220, 34
_MAP = 340
_DASHES = {"dot": "2 4", "dash": "8 5", "longdash": "14 6", "dashdot": "8 4 2 4", "longdashdot": "14 4 2 4"}


def charts_panel(name: str, charts: Sequence[Chart], subject: str, summary: str, table: Table, say: Say) -> str:
    """All charts of a panel, one under the other, each with its sentence; the first unfolded."""
    shown = "".join(
        f"<details{' open' if number == 0 else ''}><summary><b>{escape(chart.label)}</b></summary>"
        f"{chart_svg(chart.figure)}<p class='gs-said'>{escape(chart.sentence)}</p></details>"
        for number, chart in enumerate(charts)
    )
    return panel(say, name, f"<p class='gs-picks'>{escape(subject)}</p>{shown}", summary, {"words": subject}, table)


def chart_svg(figure: Mapping[str, Any]) -> str:
    """The curves of a `curve_figure` with its band, its intervals and its marks."""
    curves = figure["data"]
    values = np.array([[curve["x"][i], y] for curve in curves for i, y in enumerate(curve["y"])], float)
    (left, low), (right, high) = np.nanmin(values, 0), np.nanmax(values, 0)
    spread = np.array([right - left or 1, high - low or 1])

    def place(x: float, y: float) -> str:
        across, up = (np.array([x, y]) - (left, low)) / spread
        return f"{_EDGE + across * (_WIDTH - 2 * _EDGE):.1f} {_HEIGHT - _EDGE - up * (_HEIGHT - 1.6 * _EDGE):.1f}"

    drawn, below = "", None
    for curve in curves:
        points = [place(x, y) for x, y in zip(curve["x"], curve["y"], strict=True)]
        if curve["line"]["width"] == 0:  # the edges of a band: first the lower one
            if below is not None:
                ink, _, alpha = curve["fillcolor"].partition("/")
                drawn += f"<path d='M{'L'.join([*below, *points[::-1]])}Z' fill='var({ink})' opacity='{alpha}'/>"
            below = points if below is None else None
            continue
        dash = _DASHES.get(curve["line"]["dash"], "")
        ink = curve["line"]["color"]
        drawn += (
            f"<path d='M{'L'.join(points)}' fill='none' stroke='var({ink})' stroke-width='2' "
            f"stroke-dasharray='{dash}'><title>{curve['name']}</title></path>"
        )
    ends = ((left, low, f"{low:.2f}"), (left, high, f"{high:.2f}"))
    marks = "".join(
        f"<text x='{_EDGE - 4}' y='{place(x, y).split()[1]}' text-anchor='end' font-size='11'>{text}</text>"
        for x, y, text in ends
    )
    marks += "".join(
        f"<text x='{place(x, low).split()[0]}' y='{_HEIGHT - 16}' text-anchor='middle' font-size='11'>{x:g}</text>"
        for x in np.unique(np.linspace(left, right, min(int(spread[0]) + 1, 13)).round(1))
    )
    legend = " ".join(
        f"<span style='border-bottom:2px solid var({curve['line']['color']})'>{curve['name']}</span>"
        for curve in curves
        if curve["line"]["width"] and curve.get("name")
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' style='max-width:{_WIDTH}px' fill='currentColor' role='img'>"
        f"{drawn}{marks}</svg><p class='gs-note'>{legend}</p>"
    )


def word_maps(
    names: Sequence[str],
    points: NDArray[np.floating],
    words: Sequence[str],
    groups: Sequence[str],
    layer: int,
    say: Say,
) -> str:
    """Maps of a word set at one layer, one an expert: points (E, n, 2) within -1..1; a colour for each group."""
    inks = {group: f"--gs-c{number % 14}" for number, group in enumerate(dict.fromkeys(groups))}
    figures = ""
    for name, side, places in zip(names, sides(len(names)), points, strict=True):
        reach = float(np.abs(places).max()) or 1.0
        marks = "".join(
            f"<text x='{_MAP / 2 * (1 + 0.9 * x / reach):.1f}' y='{_MAP / 2 * (1 - 0.9 * y / reach):.1f}' "
            f"fill='var({inks[group]})' text-anchor='middle' font-size='12'>{escape(visible(word))}</text>"
            for (x, y), word, group in zip(places.tolist(), words, groups, strict=True)
        )
        figures += (
            f"<figure class='gs-{side}'><h3>{escape(name)} · {escape(say('layer_slider'))} {layer}</h3>"
            f"<svg viewBox='0 0 {_MAP} {_MAP}' style='width:{_MAP}px' role='img'>{marks}</svg></figure>"
        )
    legend = " ".join(f"<b style='color:var({ink})'>{escape(group)}</b>" for group, ink in inks.items())
    return f"<div class='gs-panel'><div style='display:flex;flex-wrap:wrap'>{figures}</div><p>{legend}</p></div>"
