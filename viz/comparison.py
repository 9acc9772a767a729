"""Two texts side by side: what each expert gives every token, and how far the states are apart, layer by layer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible

FULL = 1.4
"""Distance that gets the full colour: about that of unrelated states."""


@dataclass(frozen=True, eq=False)
class ComparisonFigure:
    """texts[t]: tokens of the two texts, start token first.  log_probs[t] (T, E + 1): of each token under each expert
    and the fusion, natural logarithm, NaN for the start token.  pairs (n, 2): positions that correspond; changed (n,):
    whether their tokens differ.  distance (E, L + 1, n): of their states, 0 for the same one, about 1.4 for unrelated
    ones."""

    experts: tuple[str, ...]
    texts: tuple[tuple[str, ...], tuple[str, ...]]
    log_probs: tuple[NDArray[np.float32], NDArray[np.float32]]
    pairs: NDArray[np.int64]
    changed: NDArray[np.bool_]
    distance: NDArray[np.float32]


def comparison_panel(figure: ComparisonFigure, say: Say) -> str:
    """Both strips under one slider, and a map of distances for every expert."""
    classes = sides(len(figure.experts))
    last = figure.distance.shape[1] - 1
    body = rendered(
        "comparison.html",
        say=say,
        layers=range(last + 1),
        data=json.dumps(np.round(figure.distance, 3).tolist()),
        strips=[
            (say("compare_first"), _strip(figure, 0, classes, say)),
            (say("compare_second"), _strip(figure, 1, classes, say)),
        ],
        maps=[
            (side, name, _map(figure, i, say))
            for i, (name, side) in enumerate(zip(figure.experts, classes, strict=True))
        ],
    )
    table = Table(
        {"expert": figure.experts, "layer": range(last + 1), "pair": range(len(figure.pairs))},
        {"distance": figure.distance},
    )
    facts = {"texts": figure.texts, "pairs": figure.pairs, "log_probs": figure.log_probs}
    return panel(say, "comparison", body, comparison_summary(figure, say), facts, table)


def comparison_summary(figure: ComparisonFigure, say: Say) -> str:
    """Where each expert's states are farthest apart after the change; what the same words are worth in each text."""
    same = np.flatnonzero(~figure.changed)
    after = same[same > np.flatnonzero(figure.changed).min(initial=len(figure.pairs))]
    if not len(after):
        return say("compare_none")
    said = []
    for name, distance in zip(figure.experts, figure.distance, strict=True):
        layer, place = np.unravel_index(int(distance[:, after].argmax()), (len(distance), len(after)))
        text = figure.texts[0][int(figure.pairs[after[place], 0])]
        most = say.number(float(distance[layer, after[place]]), 2)
        said.append(say("compare_farthest", expert=name, token=visible(text), layer=int(layer), distance=most))
    first, second = (float(rows[figure.pairs[after, side], -1].sum()) for side, rows in enumerate(figure.log_probs))
    worth = say("compare_worth", first=say.signed(first, 2), second=say.signed(second, 2), count=len(after))
    return say.sentences((*said, worth))


Numbers = list[tuple[str, str]]


def _strip(
    figure: ComparisonFigure, side: int, classes: Sequence[str], say: Say
) -> list[tuple[str, int | None, bool, Numbers]]:
    """The tokens of one text: each with its pair, whether it differs, and its log-probability in every expert."""
    pair_of = {int(pair[side]): n for n, pair in enumerate(figure.pairs)}
    chips = []
    for position, text in enumerate(figure.texts[side]):
        pair = pair_of.get(position)
        numbers = [
            (name, "–" if np.isnan(value) else say.signed(float(value), 1))
            for name, value in zip((*classes, "fused"), figure.log_probs[side][position], strict=True)
        ]
        differs = pair is None or bool(figure.changed[pair])
        chips.append((say("start") if position == 0 else text, pair, differs, numbers))
    return chips


def _map(figure: ComparisonFigure, expert: int, say: Say) -> list[tuple[str, str | None, Numbers]]:
    """Rows: pairs of tokens, the second only where it differs; columns: layers, each as a colour and a number."""
    rows: list[tuple[str, str | None, Numbers]] = []
    for n, (i, j) in enumerate(figure.pairs):
        here, there = figure.texts[0][int(i)], figure.texts[1][int(j)]
        cells = [
            (f"{min(float(value) / FULL, 1.0):.3f}", say.number(float(value), 2))
            for value in figure.distance[expert, :, n]
        ]
        rows.append((here, there, cells) if figure.changed[n] else (say("start") if i == 0 else here, None, cells))
    return rows
