"""The layers panel: hidden states as paths through the layers."""

import json
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import SIDES, Say, Table, data_uri, panel, sides, visible

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
    plots = "".join(_plot(e, labels, selected, side, say) for e, side in zip(experts, sides(len(experts)), strict=True))
    last = len(experts[0].points) - 1
    paths = [np.round(e.points.astype(float), 3).tolist() for e in experts]
    shown = [[_caption(e, layer, say) for layer in range(len(e.shown))] for e in experts]
    layer_names = [say("layer_pictures")] + [say("layer_name", layer=i, last=last) for i in range(1, last + 1)]
    place = {"x": _WIDTH / 2, "y": _HEIGHT / 2, "scale": _SCALE}
    data = escape(json.dumps({"paths": paths, "shown": shown, "names": layer_names, "place": place}), quote=True)
    legend = _legend(experts, labels, say)
    slider = (
        f"<div class='gs-slider'>"
        f"<button type='button' class='gs-play' aria-label='{escape(say('play'), quote=True)}'>▶</button>"
        f"<input type='range' class='gs-layer' min='0' max='{last}' step='1' value='0' "
        f"aria-label='{escape(say('layer_slider'), quote=True)}'><output>{escape(layer_names[0])}</output></div>"
    )
    by_expert = f"<option value='expert'>{escape(say('colour_expert'))}</option>" if len(experts) == 2 else ""
    dots = " gs-dots" if len(labels.texts) > _CROWDED else ""
    heads = "".join(f"<th scope='col'>{i}→{i + 1}</th>" for i in range(last))
    ribbons = "".join(_ribbon(e, side, say) for e, side in zip(experts, sides(len(experts)), strict=True))
    ribbon = (
        f"<div class='gs-ribbon'><span>{escape(say('ribbon'))}</span><table><thead><tr><th></th>{heads}</tr></thead>"
        f"<tbody>{ribbons}</tbody></table></div>"
    )
    body = (
        f"<div class='gs-layers-data{dots}' data-paths='{data}'>{slider}{ribbon}<div class='gs-plots'>{plots}</div>"
        f"<div class='gs-legend'>{legend}"
        f"<label>{escape(say('pick_colour'))} <select class='gs-look'>"
        f"<option value='script'>{escape(say('colour_script'))}</option>{by_expert}</select></label>"
        f"<button type='button' class='gs-toggle'>{escape(say('dots'))}</button></div></div>"
    )
    names = [e.expert for e in experts]
    if len(experts) == 2:
        first_changed, second_changed = map(say.percent, changed)
        summary = say(
            "layers_summary", last=last, first=names[0], second=names[1], first_changed=first_changed,
            second_changed=second_changed,
        )  # fmt: skip
    else:
        listed = ", ".join(f"{name} {say.percent(share)}" for name, share in zip(names, changed, strict=True))
        summary = say("layers_summary_each", last=last, list=listed)
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


def _legend(experts: tuple[Points, ...], labels: Labels, say: Say) -> str:
    """Keys of both colourings; the page shows the one in use."""
    scripts = "".join(
        f"<span class='gs-key gs-key-script'><i class='gs-script-{script}'></i>{escape(say('script_' + script))}</span>"
        for script in dict.fromkeys(labels.scripts)
    )
    if len(experts) != 2:
        return scripts
    names = zip(SIDES, (experts[0].expert, experts[1].expert, say("neither")), strict=True)
    keys = "".join(
        f"<span class='gs-key gs-key-expert'><i class='gs-by-{side}'></i>{escape(name)}</span>" for side, name in names
    )
    return scripts + keys


def _plot(expert: Points, labels: Labels, selected: int, side: str, say: Say) -> str:
    marks = "".join(
        _point(expert.points[0, i], labels, i, labels.indices[i] == selected) for i in range(len(labels.texts))
    )
    label = escape(say("plot_label", expert=expert.expert), quote=True)
    shown = escape(_caption(expert, 0, say))
    return (
        f"<figure class='gs-plot gs-{side}'><h3>{escape(expert.expert)}</h3>"
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{label}'>"
        f"<path class='gs-axis' d='M0 {_HEIGHT // 2}H{_WIDTH}M{_WIDTH // 2} 0V{_HEIGHT}'/>"
        f"<path class='gs-trail'/>{marks}</svg>"
        f"<figcaption>{shown}</figcaption></figure>"
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


def _ribbon(expert: Points, side: str, say: Say) -> str:
    """How much the neighbourhood changes between consecutive layers, as cells between the layers."""
    cells = "".join(
        f"<td style='--p:{float(c):.3f}' title='{escape(say('ribbon_cell', before=i, after=i + 1), quote=True)}'>"
        f"{100 * float(c):.0f}</td>"
        for i, c in enumerate(expert.changes)
    )
    return f"<tr class='gs-{side}'><th scope='row'>{escape(expert.expert)}</th>{cells}</tr>"


_ROUND = {"latin": 0, "cyrillic": 6, "han": 13, "other": 3}
"""Corner radius of a point's frame: the script without colour."""
