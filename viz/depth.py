"""One position through the layers: what each layer would say, and how sure it is."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, line_legend, panel, picture, sides, token, visible


@dataclass(frozen=True, eq=False)
class Option:
    """A token that a layer would say, with its probability there."""

    id: int
    text: str
    bitmap: NDArray[np.bool_]
    probability: float


@dataclass(frozen=True, eq=False)
class Depth:
    """One position's logit lens in full, for E experts and L + 1 layers.

    read: the token just read.  pinned: the token followed through the layers, its probabilities and
    ranks (E, L + 1).  entropy and divergence (E, L + 1) in bits, the latter KL(last layer || layer).
    scripts: names S; masses (E, L + 1, S): probability of all tokens of a script, 0..1.
    options: the likeliest tokens at one layer of one expert, named by `expert` and `layer`.
    """

    experts: tuple[str, ...]
    read: str
    pinned: str
    probabilities: NDArray[np.float32]
    ranks: NDArray[np.int32]
    entropy: NDArray[np.float32]
    divergence: NDArray[np.float32]
    scripts: tuple[str, ...]
    masses: NDArray[np.float32]
    options: tuple[Option, ...]
    expert: int
    layer: int


def depth_panel(depth: Depth, say: Say) -> str:
    """The chosen cell's candidates, the pinned token's path, and how sure each layer is."""
    where = say("depth_options", expert=depth.experts[depth.expert], layer=depth.layer)
    options = "".join(
        f"<li><button type='button' class='gs-option' data-pin='{o.id}' "
        f"aria-pressed='{str(o.text == depth.pinned).lower()}'>"
        f"{picture(o.bitmap)}{token(o.text)}<span class='gs-number'>{say.percent(o.probability)}</span></button></li>"
        for o in depth.options
    )
    pinned = visible(depth.pinned)
    ranks = -np.log10(depth.ranks)
    charts = (
        _chart(depth.probabilities, 0, 1, say("depth_probability", token=pinned), lambda v: say.percent(float(v))),
        _chart(ranks, float(ranks.min()), 0, say("depth_rank", token=pinned), lambda v: say.number(10**-v)),
        _chart(depth.entropy, 0, float(depth.entropy.max()), say("depth_entropy"), lambda v: say.number(v, 1)),
        _chart(depth.divergence, 0, float(depth.divergence.max()), say("depth_divergence"), lambda v: say.number(v, 1)),
    )
    tables = "".join(_masses(depth, e, side, say) for e, side in enumerate(sides(len(depth.experts))))
    body = (
        f"<h3>{escape(where)}</h3><ol class='gs-options'>{options}</ol>"
        f"<div class='gs-charts'>{''.join(charts)}</div>{line_legend(depth.experts, sides(len(depth.experts)))}"
        f"<h3>{escape(say('depth_scripts'))}</h3><div class='gs-lenses'>{tables}</div>"
    )
    return panel(say, "depth", body, _summary(depth, say), _facts(depth), _table(depth), token=visible(depth.read))


def _facts(depth: Depth) -> dict[str, Any]:
    cell = [{"id": o.id, "text": o.text, "probability": o.probability} for o in depth.options]
    return {
        "read": depth.read,
        "pinned": depth.pinned,
        "cell": {"expert": depth.experts[depth.expert], "layer": depth.layer, "options": cell},
    }


def _table(depth: Depth) -> Table:
    lines = {name: getattr(depth, name) for name in ("probabilities", "ranks", "entropy", "divergence")}
    masses = {f"mass_{script}": depth.masses[..., column] for column, script in enumerate(depth.scripts)}
    return Table({"expert": depth.experts, "layer": range(depth.ranks.shape[1])}, {**lines, **masses})


def _summary(depth: Depth, say: Say) -> str:
    layers = [_first_best(ranks) for ranks in depth.ranks]
    said = [say("depth_never") if layer is None else say("depth_from", layer=layer) for layer in layers]
    if len(said) != 2:
        listed = ", ".join(f"{name} {words}" for name, words in zip(depth.experts, said, strict=True))
        return say("depth_summary_each", token=visible(depth.pinned), list=listed)
    return say(
        "depth_summary",
        token=visible(depth.pinned),
        first=depth.experts[0],
        second=depth.experts[1],
        first_layer=said[0],
        second_layer=said[1],
    )


def _first_best(ranks: NDArray[np.int32]) -> int | None:
    """The first layer from which on the rank stays 1, or None."""
    later = np.flatnonzero(ranks != 1)
    start = int(later[-1]) + 1 if len(later) else 0
    return start if start < len(ranks) else None


def _chart(values: NDArray[np.floating], low: float, high: float, label: str, show: object) -> str:
    """Every expert's line (E, L + 1) over the layers between low and high, values written at the ends."""
    assert callable(show)
    reach = max(high - low, 1e-9)
    last = values.shape[1] - 1
    lines = "".join(
        f"<polyline class='gs-line gs-{side}' points='"
        + " ".join(f"{i + 0.5},{54 - 48 * (float(v) - low) / reach:.1f}" for i, v in enumerate(row))
        + "'/>"
        for row, side in zip(values, sides(len(values)), strict=True)
    )
    ends = " · ".join(f"{show(row[0])} → {show(row[last])}" for row in values)
    return (
        f"<figure class='gs-chart'><figcaption>{escape(label)}</figcaption>"
        f"<svg viewBox='0 0 {last + 1} 60' preserveAspectRatio='none' role='img' "
        f"aria-label='{escape(f'{label}: {ends}', quote=True)}'>{lines}</svg>"
        f"<div class='gs-ticks'>{''.join(f'<span>{i}</span>' for i in range(last + 1))}</div>"
        f"<p class='gs-number'>{escape(ends)}</p></figure>"
    )


def _masses(depth: Depth, expert: int, side: str, say: Say) -> str:
    """Probability by script: rows scripts, columns layers."""
    heads = "".join(f"<th scope='col'>{layer}</th>" for layer in range(depth.masses.shape[1]))
    rows = "".join(
        f"<tr><th scope='row'>{escape(say('script_' + script))}</th>"
        + "".join(f"<td style='--p:{float(p):.3f}'>{100 * float(p):.0f}</td>" for p in depth.masses[expert, :, column])
        + "</tr>"
        for column, script in enumerate(depth.scripts)
    )
    return (
        f"<div class='gs-lens gs-{side}'><table><thead><tr><th scope='col'>{escape(depth.experts[expert])}, %</th>"
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
