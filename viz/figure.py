"""Interactive figures: built and checked by plotly.py, carried as data, drawn by Plotly in the page."""

import json
from typing import Any

import plotly.graph_objects as go

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
            font={"family": "system-ui, sans-serif", "size": 12},
        ),
    )
    plain_figure: dict[str, Any] = json.loads(figure.to_json())
    return plain_figure
