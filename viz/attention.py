"""Who looks where: arcs from one token over a text, and a grid of all heads with what silencing each changes."""

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible

Head = tuple[int, int, int]
"""Expert, block from 1, head from 0."""
SHOWN = 5
"""Heads in the table of the first in rank."""
NAMED = 3
"""Tokens that the summary names."""


@dataclass(frozen=True, eq=False)
class AttentionFigure:
    """texts (T,): the tokens, start token first; index: from which the head looks; followed: the token whose
    log-probability is followed.  weights (E, L, H, T, T).  previous, start, itself (E, L, H): mean shares of attention
    over the text, NaN in a short one.  moved, jensen_shannon (E, L, H): of silencing each head, nats and bits, None in
    a network too large for it; patched (E, L, H): what patching each restores of the margin of `answers`.  ranked:
    the first heads; random: one drawn at random.  alone: (nats, bits) of the head on view; silenced: whether it is."""

    experts: tuple[str, ...]
    texts: tuple[str, ...]
    index: int
    followed: str
    head: Head
    weights: NDArray[np.float32]
    previous: NDArray[np.float32]
    start: NDArray[np.float32]
    itself: NDArray[np.float32]
    moved: NDArray[np.float32] | None
    jensen_shannon: NDArray[np.float32] | None
    patched: NDArray[np.float32] | None
    answers: tuple[str, str] | None
    ranked: tuple[Head, ...]
    random: Head | None
    alone: tuple[float, float]
    silenced: bool


def attention_panel(figure: AttentionFigure, say: Say) -> str:
    """One head over the text, the first heads in rank, and all heads."""
    experts, layers, heads = figure.weights.shape[:3]
    expert, layer, head = figure.head
    nats, bits = figure.alone
    classes, followed = sides(experts), visible(figure.followed)
    body = rendered(
        "attention.html",
        figure=figure,
        say=say,
        side=classes[expert],
        shown=say("attention_on_view", head=head_name(figure, figure.head, say), layer=layer, number=head),
        texts=[_shown(figure, t, say) for t in range(len(figure.texts))],
        weights=_rows(figure.weights[expert, layer - 1, head]),
        alone=say("attention_alone", nats=_nats(nats, say), bits=say.number(bits, 3), followed=followed),
        shares=_shares(figure, say),
        verb=say("attention_unsilence" if figure.silenced else "attention_silence"),
        ranked=_ranked(figure, say),
        grid_note=_grid_note(figure, say),
        grids=[(classes[e], figure.experts[e], _grid(figure, e, say)) for e in range(experts)],
        numbers=range(heads),
    )
    index = {"expert": figure.experts, "layer": range(1, layers + 1), "head": range(heads)}
    values = {"previous": figure.previous, "start": figure.start, "itself": figure.itself}
    optional = {"moved": figure.moved, "jensen_shannon": figure.jensen_shannon, "patched": figure.patched}
    values |= {name: array for name, array in optional.items() if array is not None}
    facts = {
        "tokens": figure.texts, "head": figure.head, "weights": figure.weights[expert, layer - 1, head],
        "followed": figure.followed, "answers": figure.answers,
    }  # fmt: skip
    return panel(say, "attention", body, attention_summary(figure, say), facts, Table(index, values))


def head_name(figure: AttentionFigure, head: Head, say: Say) -> str:
    """How a head is called."""
    expert, layer, number = head
    return say("part_head", expert=figure.experts[expert], layer=layer, head=number)


def attention_summary(figure: AttentionFigure, say: Say) -> str:
    """What the head on view reads most, and beside it what silencing it changes."""
    expert, layer, head = figure.head
    row = figure.weights[expert, layer - 1, head, figure.index]
    most = [i for i in np.argsort(-row, kind="stable")[:NAMED] if row[i] >= 0.05]
    looks = say.listed(
        say("attention_look", token=_shown(figure, int(i), say), share=say.percent(float(row[i]), 0)) for i in most
    )
    nats, bits = figure.alone
    said = [
        say(
            "attention_summary",
            head=head_name(figure, figure.head, say),
            token=_shown(figure, figure.index, say),
            looks=looks,
            followed=visible(figure.followed),
            nats=_nats(nats, say),
            bits=say.number(bits, 3),
        )
    ]
    if figure.moved is None:
        return said[0]
    median = float(np.median(np.abs(figure.moved)))
    said.append(say("attention_median", nats=say.number(median, 2), count=figure.moved.size))
    if figure.patched is not None and figure.answers is not None:
        a, b = map(visible, figure.answers)
        effect = float(figure.patched[expert, layer - 1, head])
        code = "attention_patch_none" if np.isnan(effect) else "attention_patch"
        said.append(say(code, first=a, second=b, effect=_rounded(effect, say)))
    return say.sentences(said)


def _rows(weights: NDArray[np.floating]) -> str:
    """One head's weights (T, T); the page's script draws the arcs of any token over them."""
    return json.dumps([[round(float(w), 3) for w in row[: t + 1]] for t, row in enumerate(weights)])


def _shown(figure: AttentionFigure, position: int, say: Say) -> str:
    return say("start") if position == 0 else visible(figure.texts[position])


def _shares(figure: AttentionFigure, say: Say) -> str:
    """Measured shares, no roles."""
    expert, layer, head = figure.head
    previous, start, itself = (
        float(shares[expert, layer - 1, head]) for shares in (figure.previous, figure.start, figure.itself)
    )
    if np.isnan(previous):
        return say("attention_short")
    shown = {"previous": say.percent(previous, 0), "start": say.percent(start, 0), "itself": say.percent(itself, 0)}
    return say("attention_shares", **shown)


def _grid_note(figure: AttentionFigure, say: Say) -> str:
    if figure.moved is None:
        return say("attention_unranked")
    if figure.patched is not None:
        return say("attention_grid_patched")
    return say("attention_grid", token=visible(figure.followed))


def _ranked(figure: AttentionFigure, say: Say) -> dict[str, Any] | None:
    """The first heads and one at random: effects first, then shares."""
    if figure.moved is None or figure.jensen_shannon is None:
        return None
    effects = {"moved": figure.moved, "bits": figure.jensen_shannon}
    if figure.patched is not None:
        effects = {"patched": figure.patched, **effects}
    shares = {"previous": figure.previous, "start": figure.start, "itself": figure.itself}
    heads = [*figure.ranked[:SHOWN], *(() if figure.random is None else (figure.random,))]
    rows = []
    for place, where in enumerate(heads):
        at = (where[0], where[1] - 1, where[2])
        name = head_name(figure, where, say)
        rows.append({
            "side": sides(len(figure.experts))[where[0]],
            "where": _place(where),
            "on_view": where == figure.head,
            "name": name if place < SHOWN else say("attention_random", head=name),
            "cells": [_effect(code, float(values[at]), say) for code, values in effects.items()]
            + ["–" if np.isnan(values[at]) else say.percent(float(values[at]), 0) for values in shares.values()],
        })  # fmt: skip
    title = say("attention_first", token=visible(figure.followed))
    if figure.answers is not None:
        a, b = map(visible, figure.answers)
        title = say("attention_first_patched", first=a, second=b)
    return {"title": title, "columns": [say(f"attention_{code}") for code in (*effects, *shares)], "rows": rows}


def _place(head: Head) -> str:
    """A head as the page names it."""
    return " ".join(map(str, head))


def _effect(name: str, value: float, say: Say) -> str:
    if np.isnan(value):
        return "–"
    return _nats(value, say) if name == "moved" else say.number(value, 3) if name == "bits" else _rounded(value, say)


def _nats(value: float, say: Say) -> str:
    return say.signed(value, 2) if abs(value) >= 0.005 else "0"


def _rounded(value: float, say: Say) -> str:
    return say.number(0.0 if abs(value) < 0.005 else value, 2)


Thumbnail = tuple[str, bool, int, str, str, str, str]
"""A head, whether it is on view, its rank or 0, its strength, label, picture and number."""


def _grid(figure: AttentionFigure, expert: int, say: Say) -> list[list[Thumbnail]]:
    """All heads of one expert: rows are blocks."""
    layers, heads = figure.weights.shape[1:3]
    return [[_thumbnail(figure, (expert, layer, head), say) for head in range(heads)] for layer in range(1, layers + 1)]


def _thumbnail(figure: AttentionFigure, where: Head, say: Say) -> Thumbnail:
    expert, layer, head = where
    at = (expert, layer - 1, head)
    number, strength = "", 0.0
    if figure.moved is not None:
        ranked_by = figure.moved if figure.patched is None else figure.patched
        largest = max(float(np.nanmax(np.abs(ranked_by))), 1e-9) if np.isfinite(ranked_by).any() else 1.0
        value = float(ranked_by[at])
        strength = 0.0 if np.isnan(value) else min(abs(value) / largest, 1.0)
        number = _effect("moved" if figure.patched is None else "patched", value, say)
    rank = figure.ranked.index(where) + 1 if where in figure.ranked[:SHOWN] else 0
    label = f"{head_name(figure, where, say)} {number}".strip()
    picture = shades_uri(figure.weights[at])
    return _place(where), where == figure.head, rank, f"{strength:.3f}", label, picture, number


def shades_uri(weights: NDArray[np.floating]) -> str:
    """Weights (n, n), 0..1, as the address of a small picture: black in sixteen degrees of cover, by the square root,
    so that weak ones can be seen."""
    degrees = np.round(np.sqrt(np.clip(weights, 0, 1)) * 15).astype(np.uint8)
    image = Image.fromarray(degrees, "P")
    image.putpalette([0, 0, 0] * 16)
    file = io.BytesIO()
    image.save(file, "PNG", transparency=bytes(range(0, 256, 17)), bits=4, optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
