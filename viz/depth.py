"""One position through the layers: what each layer would say, and how sure it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible


@dataclass(frozen=True, eq=False)
class Option:
    """A token that a layer would say, with its probability there."""

    id: int
    text: str
    bitmap: NDArray[np.bool_]
    probability: float


@dataclass(frozen=True, eq=False)
class Depth:
    """One position's logit lens in full, for E experts and L + 1 layers."""

    experts: tuple[str, ...]
    read: str
    """The token just read."""
    pinned: str
    """The token followed through the layers."""
    probabilities: NDArray[np.float32]
    """(E, L + 1): of that token."""
    ranks: NDArray[np.int32]
    """(E, L + 1): of that token, from 1."""
    entropy: NDArray[np.float32]
    """(E, L + 1), bits."""
    divergence: NDArray[np.float32]
    """(E, L + 1): KL(last layer || layer), bits."""
    scripts: tuple[str, ...]
    """Names of S scripts."""
    masses: NDArray[np.float32]
    """(E, L + 1, S): probability of all tokens of a script, 0..1."""
    options: tuple[Option, ...]
    """The likeliest tokens at one layer of one expert."""
    expert: int
    """Whose they are."""
    layer: int
    """Where."""


def depth_panel(depth: Depth, say: Say) -> str:
    """The chosen cell's candidates, the pinned token's path, and how sure each layer is."""
    pinned = visible(depth.pinned)
    ranks = -np.log10(depth.ranks)
    charts = (
        _chart(depth.probabilities, 0, 1, say("depth_probability", token=pinned), lambda v: say.percent(float(v))),
        _chart(ranks, float(ranks.min()), 0, say("depth_rank", token=pinned), lambda v: say.number(10**-v)),
        _chart(depth.entropy, 0, float(depth.entropy.max()), say("depth_entropy"), lambda v: say.number(v, 1)),
        _chart(depth.divergence, 0, float(depth.divergence.max()), say("depth_divergence"), lambda v: say.number(v, 1)),
    )
    classes = sides(len(depth.experts))
    body = rendered(
        "depth.html",
        depth=depth,
        say=say,
        where=say("depth_options", expert=depth.experts[depth.expert], layer=depth.layer),
        charts=charts,
        experts=list(zip(classes, depth.experts, strict=True)),
        layers=range(depth.ranks.shape[1]),
        masses=[
            (side, name, _masses(depth, e, say))
            for e, (side, name) in enumerate(zip(classes, depth.experts, strict=True))
        ],
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
        listed = say.listed(f"{name} {words}" for name, words in zip(depth.experts, said, strict=True))
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


Chart = tuple[str, list[tuple[str, str]], str]
"""Label, class and points of each line, and the values at its ends."""


def _chart(values: NDArray[np.floating], low: float, high: float, label: str, show: Callable[[float], str]) -> Chart:
    """Every expert's line (E, L + 1) over the layers between low and high, values written at the ends."""
    reach = max(high - low, 1e-9)
    lines = [
        (side, " ".join(f"{i + 0.5},{54 - 48 * (float(v) - low) / reach:.1f}" for i, v in enumerate(row)))
        for row, side in zip(values, sides(len(values)), strict=True)
    ]
    return label, lines, " · ".join(f"{show(row[0])} → {show(row[-1])}" for row in values)


def _masses(depth: Depth, expert: int, say: Say) -> list[tuple[str, list[tuple[str, str]]]]:
    """Probability by script: rows scripts, columns layers, each as a colour and in per cent."""
    return [
        (say("script_" + script), [(f"{p:.3f}", f"{100 * p:.0f}") for p in map(float, depth.masses[expert, :, column])])
        for column, script in enumerate(depth.scripts)
    ]
