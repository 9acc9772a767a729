"""The layers panel: hidden states as paths through the layers."""

import json
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import SIDES, Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import data_uri, visible

_WIDTH, _HEIGHT, _SCALE, _SIDE = 560, 400, 184, 24

_CROWDED = 90
"""More points than this start as dots: pictures would only cover each other."""


@dataclass(frozen=True, eq=False)
class Points:
    """One expert's projected tokens: points (L + 1, n, 2), |x| <= 1.4 and |y| <= 1, shown (L + 1,) the share of
    each layer's variance on view, trust (L + 1,) its trustworthiness, changes (L,) how much the
    neighbourhood changes from each layer to the next, all 0..1."""

    expert: str
    points: NDArray[np.float32]
    shown: NDArray[np.float32]
    trust: NDArray[np.float32]
    changes: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Labels:
    """The n tokens behind the points: their index in the trace, text, script, who of the experts expected
    them more (`first`, `second`, or `fused` for neither), and picture."""

    indices: tuple[int, ...]
    texts: tuple[str, ...]
    scripts: tuple[str, ...]
    expected: tuple[str, ...]
    bitmaps: NDArray[np.bool_]


def layers_panel(
    experts: tuple[Points, ...], labels: Labels, selected: int, changed: tuple[float, ...], say: Say
) -> str:
    """Every expert's points with one layer slider; the page moves them without asking the server.

    changed (E,): for each expert, the share of each token's nearest tokens that differ between the
    first and the last layer, averaged.
    """
    last = len(experts[0].points) - 1
    shown = [[_caption(e, layer, say) for layer in range(len(e.shown))] for e in experts]
    layer_names = [say("layer_pictures")] + [say("layer_name", layer=i, last=last) for i in range(1, last + 1)]
    data = {
        "paths": [np.round(e.points.astype(float), 3).tolist() for e in experts],
        "shown": shown,
        "names": layer_names,
        "place": {"x": _WIDTH / 2, "y": _HEIGHT / 2, "scale": _SCALE},
    }
    sided = list(zip(experts, sides(len(experts)), strict=True))
    body = rendered(
        "layers.html",
        say=say,
        last=last,
        data=json.dumps(data),
        crowded=len(labels.texts) > _CROWDED,
        first_layer=layer_names[0],
        ribbons=[_ribbon(expert, side) for expert, side in sided],
        width=_WIDTH,
        height=_HEIGHT,
        plots=[
            {
                "side": side,
                "expert": expert.expert,
                "caption": _caption(expert, 0, say),
                "points": _points(expert, labels, selected),
            }
            for expert, side in sided
        ],
        scripts=[(script, say("script_" + script)) for script in dict.fromkeys(labels.scripts)],
        keys=_keys(experts, say),
    )
    summary = _summary([e.expert for e in experts], changed, last, say)
    per_layer = {name: [getattr(e, name) for e in experts] for name in ("shown", "trust", "changes")}
    table = Table(
        {"expert": [e.expert for e in experts], "layer": range(last + 1), "token": labels.indices},
        {
            "text": [[labels.texts] * (last + 1)] * len(experts),
            "x": np.stack([e.points[..., 0] for e in experts]),
            "y": np.stack([e.points[..., 1] for e in experts]),
        },
    )
    return panel(say, "layers", body, summary, {"scripts": labels.scripts, **per_layer}, table)


def _summary(names: list[str], changed: tuple[float, ...], last: int, say: Say) -> str:
    """How many of a token's neighbours change from the first layer to the last, on average."""
    shares = [say.percent(share) for share in changed]
    if len(names) != 2:
        listed = say.listed(f"{name} {share}" for name, share in zip(names, shares, strict=True))
        return say("layers_summary_each", last=last, list=listed)
    (first, second), (first_changed, second_changed) = names, shares
    return say(
        "layers_summary", last=last, first=first, second=second,
        first_changed=first_changed, second_changed=second_changed,
    )  # fmt: skip


def _keys(experts: tuple[Points, ...], say: Say) -> list[tuple[str, str]]:
    """Classes and names of the colouring by expert, where there are two."""
    if len(experts) != 2:
        return []
    return list(zip(SIDES, (experts[0].expert, experts[1].expert, say("neither")), strict=True))


def _points(expert: Points, labels: Labels, selected: int) -> str:
    """The marks of all tokens at layer 0."""
    return "".join(
        _point(expert.points[0, i], labels, i, labels.indices[i] == selected) for i in range(len(labels.texts))
    )


def _point(at: NDArray[np.float32], labels: Labels, i: int, selected: bool) -> str:
    x, y = _WIDTH / 2 + float(at[0]) * _SCALE, _HEIGHT / 2 - float(at[1]) * _SCALE
    half = _SIDE / 2
    script = labels.scripts[i]
    image = (
        f"<image href='{data_uri(labels.bitmaps[i])}' x='-{half - 2}' y='-{half - 2}' "
        f"width='{_SIDE - 4}' height='{_SIDE - 4}'/>"
    )
    chosen = f" gs-by-{labels.expected[i]}" + (" gs-selected" if selected else "")
    return (
        f"<g class='gs-point{chosen}' data-index='{labels.indices[i]}' "
        f"style='transform:translate({x:.1f}px,{y:.1f}px)'><circle r='6' class='gs-script-{script}'/>"
        f"<rect x='-{half}' y='-{half}' width='{_SIDE}' height='{_SIDE}' rx='{_ROUND[script]}' "
        f"class='gs-script-{script}'/>{image}<title>{escape(visible(labels.texts[i]))}</title></g>"
    )


def _caption(expert: Points, layer: int, say: Say) -> str:
    """What the picture of a layer hides."""
    share, trust = say.percent(float(expert.shown[layer])), say.number(expert.trust[layer], 2)
    return say("shown", layer=layer, share=share, trust=trust)


def _ribbon(expert: Points, side: str) -> dict[str, Any]:
    """How much the neighbourhood changes between consecutive layers, as cells between the layers."""
    cells = [{"share": f"{float(c):.3f}", "percent": f"{100 * float(c):.0f}"} for c in expert.changes]
    return {"side": side, "expert": expert.expert, "cells": cells}


_ROUND = {"latin": 0, "cyrillic": 6, "han": 13, "other": 3}
"""Corner radius of a point's frame: the script without colour."""
