"""Interactive figures: built and checked by plotly.py, carried as data, drawn by Plotly in the page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

_RANGE = 1.06
"""Reach of an axis that shows -1..1: a little room for what stands at the edge."""


def map_figure(aspect: float) -> dict[str, Any]:
    """A map without axes, |x| <= aspect and |y| <= 1: an empty trail and an empty set of words, which the
    page fills.  Colours are left to the page, which knows whether it is light or dark."""
    trail = go.Scatter(x=[], y=[], mode="lines+markers", line={"width": 1.5, "dash": "dot"}, hoverinfo="skip")
    words = go.Scatter(x=[], y=[], mode="text", text=[], textfont={"size": 12}, hoverinfo="none", cliponaxis=False)
    plain = {"showgrid": False, "showticklabels": False, "zeroline": True, "zerolinewidth": 1}
    figure = go.Figure(
        [trail, words],
        go.Layout(
            template="none",
            xaxis={**plain, "range": [-_RANGE * aspect, _RANGE * aspect]},
            yaxis={**plain, "range": [-_RANGE, _RANGE], "scaleanchor": "x"},
            margin={"l": 0, "r": 0, "t": 0, "b": 0},
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
            dragmode="pan",
            showlegend=False,
            font={"family": "system-ui, Glyphscope Han, sans-serif", "size": 12},
        ),
    )
    plain_figure: dict[str, Any] = json.loads(figure.to_json())
    return plain_figure


@dataclass(frozen=True, eq=False)
class Line:
    """One curve over the layers: values (L + 1,), with an interval if low and high (L + 1,) are given; or
    over any x (n,): values (n,).  ink: the name of a colour of the page's style; dash and symbol tell it
    apart without colour."""

    name: str
    values: NDArray[np.floating]
    ink: str
    dash: str
    symbol: str
    low: NDArray[np.floating] | None = None
    high: NDArray[np.floating] | None = None
    x: NDArray[np.floating] | None = None


def curve_figure(
    lines: Sequence[Line],
    band: tuple[str, NDArray[np.floating], NDArray[np.floating]] | None,
    marks: Sequence[tuple[str, str, float]],
    axis: str,
) -> dict[str, Any]:
    """Curves over the layers (or their own x), over a grey band (name, low, high) of what is no effect;
    marks (name, ink, x) are vertical lines.  Colours are names of the page's style, which the page fills in."""
    traces: list[Any] = []
    if band is not None:
        traces += _between(band[1], band[2], "--gs-both", band[0], shown=True)
    for line in lines:
        if line.low is not None and line.high is not None:
            traces += _between(line.low, line.high, line.ink, line.name, shown=False)
    traces += map(_trace, lines)
    own = lines[0].x
    end = len(lines[0].values) - 1 if own is None else float(own[-1])
    layers = {"dtick": 1, "range": [-0.15, len(lines[0].values) - 0.85]} if own is None else {}
    grid = {"gridcolor": "--gs-line", "zerolinecolor": "--gs-line", "automargin": True}
    layout = {
        "xaxis": {**grid, **layers, "title": {"text": escape(axis), "standoff": 4}, "fixedrange": True},
        "yaxis": {**grid, "fixedrange": True},
        "shapes": [_mark(ink, at, first=i == 0) for i, (_, ink, at) in enumerate(marks)],
        "annotations": [
            _note(name, ink, at, i, _written_left(at, [other for _, _, other in marks], end))
            for i, (name, ink, at) in enumerate(marks)
        ],
        "margin": {"l": 46, "r": 10, "t": 8, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "--gs-paper", "bordercolor": "--gs-line"},
        "font": {"family": "system-ui, Glyphscope Han, sans-serif", "size": 12.5, "color": "--gs-ink"},
        "showlegend": False,  # the page writes one under the figure
    }
    return {"data": traces, "layout": layout}


def _trace(line: Line) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": list(range(len(line.values))) if line.x is None else _plain(line.x),
        "y": _plain(line.values),
        "name": escape(line.name),
        "mode": "lines+markers" if line.x is None else "lines",
        "line": {"color": line.ink, "dash": line.dash, "width": 2.5},
        "marker": {"color": line.ink, "symbol": line.symbol, "size": 8},
        "hovertemplate": "%{y:.3f}",
    }


def _mark(ink: str, at: float, first: bool) -> dict[str, Any]:
    """A vertical line; all but the first are dashed."""
    line = {"color": ink, "dash": "solid" if first else "dash", "width": 1.5}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}


_NAME = 0.25
"""So much of the axis the name of a mark takes on a phone."""


def _written_left(at: float, marks: Sequence[float], end: float) -> bool:
    """Whether the name of a mark stands left of its line: where to the right it would reach over the edge, or over
    another line that its other side has room from."""
    near = [other for other in marks if abs(other - at) < _NAME * end]
    crosses = any(other > at for other in near)
    room_left = at >= _NAME * end and not any(other < at for other in near)
    return at > 0.7 * end or (crosses and room_left)


def _note(name: str, ink: str, at: float, row: int, left: bool) -> dict[str, Any]:
    """The name of a mark, in a row of its own from the top, left or right of it."""
    return {
        "x": at,
        "y": 1 - 0.08 * row,
        "yref": "paper",
        "yanchor": "top",
        "xanchor": "right" if left else "left",
        "text": escape(name),
        "showarrow": False,
        "font": {"color": ink},
    }


def _between(
    low: NDArray[np.floating], high: NDArray[np.floating], ink: str, name: str, shown: bool
) -> list[dict[str, Any]]:
    common = {
        "type": "scatter",
        "x": list(range(len(low))),
        "mode": "lines",
        "line": {"width": 0, "color": ink},
        "hoverinfo": "skip",
    }
    return [
        {**common, "y": _plain(low), "showlegend": False},
        {
            **common,
            "y": _plain(high),
            "fill": "tonexty",
            "fillcolor": f"{ink}/0.22",
            "name": escape(name),
            "showlegend": shown,
        },
    ]


def _plain(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 5) for value in values]
