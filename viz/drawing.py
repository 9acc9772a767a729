"""Drawing a picture: the editor of one token's pixels, and what the model makes of what is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.change import Option, change_columns
from viz.drawing_path import path_chart
from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible

SIDE = 32
SHIFTS = (("left", "←"), ("right", "→"), ("up", "↑"), ("down", "↓"))
TOOLS = ("undo", "invert", "thicken", "reset")
MOST_NOISE = 256
"""Largest number of pixels on the slider for noise: a quarter of the picture."""


@dataclass(frozen=True, eq=False)
class Editor:
    """The tokens (T,) of a text with their pictures, the start token left out; index: the one that is drawn, from 1.
    own, target, drawn (32, 32): its own picture, the one that it can morph into, and what is on the grid.  share: how
    far it is morphed, 0..1; noise: so many pixels of it are flipped.  order (1024,): in which order noise and morphing
    flip pixels.  unknown: characters of the
    text that the vocabulary lacks; typed: the text that was typed to start from, and whether it is a token.  again: the
    same as before in another language, so what the visitor has drawn stays."""

    texts: tuple[str, ...]
    bitmaps: tuple[NDArray[np.bool_], ...]
    index: int
    target_text: str
    own: NDArray[np.bool_]
    target: NDArray[np.bool_]
    drawn: NDArray[np.bool_]
    share: float
    order: NDArray[np.integer]
    noise: int = 0
    unknown: tuple[str, ...] = ()
    typed: tuple[str, bool] | None = None
    again: bool = False


@dataclass(frozen=True, eq=False)
class DrawingFigure:
    """What the drawing changes.  flipped: pixels that differ from the token's own picture; nearest: (text, picture,
    cosine), best first.  columns: the likeliest tokens under each expert and, last, the fusion, with the winner before.
    jensen_shannon (E + 1,) in bits.  path (E, L + 1), untrained (L + 1,): distance of the token's state from its own, a
    random token's being one; untrained None without an untrained network.  moved, random: by how many bits the fusion's
    prediction changes when the token's own picture is moved by `step` pixels, and when a random token stands there."""

    experts: tuple[str, ...]
    text: str
    flipped: int
    nearest: tuple[tuple[str, NDArray[np.bool_], float], ...]
    columns: tuple[Sequence[Option], ...]
    winners: tuple[str, ...]
    jensen_shannon: NDArray[np.float32]
    path: NDArray[np.float32]
    untrained: NDArray[np.float32] | None
    step: int
    moved: float
    random: float


def bits(bitmap: NDArray[np.bool_]) -> str:
    """A picture as 1,024 characters 0 and 1, row by row."""
    return "".join("01"[pixel] for pixel in bitmap.ravel().astype(int))


def editor(figure: Editor, say: Say) -> str:
    """The text to choose a token of, the grid, and its tools; the page's script does the rest."""
    text = visible(figure.texts[figure.index - 1])
    blanks = {"row": "{row}", "column": "{column}"}  # the page's script fills these in
    return rendered(
        "editor.html",
        figure=figure,
        say=say,
        side=SIDE,
        at_ink=say("draw_at_ink", **blanks),
        at_paper=say("draw_at_paper", **blanks),
        own=bits(figure.own),
        target=bits(figure.target),
        drawn=bits(figure.drawn),
        order=",".join(map(str, figure.order.tolist())),
        outside=_outside(figure, say),
        tokens=list(zip(figure.texts, figure.bitmaps, strict=True)),
        text=text,
        target_text=visible(figure.target_text),
        tools=[(tool, say("draw_" + tool)) for tool in TOOLS],
        shifts=[(way, sign, say("draw_shift_" + way)) for way, sign in SHIFTS],
        share=f"{figure.share:g}",
        most_noise=MOST_NOISE,
    )


def _outside(figure: Editor, say: Say) -> list[str]:
    """What the tokenizer makes of characters that it does not know, drawn or not."""
    said = [say("draw_unknown", characters=" ".join(figure.unknown))] if figure.unknown else []
    if figure.typed is not None:
        text, known = figure.typed
        said.append(say("draw_typed" if known else "draw_typed_outside", text=visible(text)))
    return said


def drawing_panel(figure: DrawingFigure, say: Say) -> str:
    """What the model makes of the drawing."""
    names = (*figure.experts, say("fused"))
    body = rendered(
        "drawing.html",
        figure=figure,
        say=say,
        columns=change_columns(figure.experts, figure.columns, figure.jensen_shannon, say),
        layers=range(figure.path.shape[1]),
        paths=_paths(figure, say),
        chart=path_chart(figure.experts, figure.path, figure.untrained, say),
        fragile=fragile(figure, say),
    )
    table = Table(
        {"expert": figure.experts, "layer": range(figure.path.shape[1])},
        {"distance": figure.path},
    )
    facts = {"token_drawn": figure.text, "pixels_flipped": figure.flipped, "experts": figure.experts}
    return panel(say, "drawing", body, drawing_summary(figure, names, say), facts, table)


def drawing_summary(figure: DrawingFigure, names: Sequence[str], say: Say) -> str:
    """How much is drawn, what is expected then, and whether the layers bring the state nearer to its own."""
    text = visible(figure.text)
    if figure.flipped == 0:
        return say("draw_untouched", token=text)
    before, after = visible(figure.winners[-1]), visible(figure.columns[-1][0].text)
    turned = "draw_kept" if before == after else "draw_turned"
    apart = say.listed(
        f"{name} {say.number(float(value), 2)}" for name, value in zip(names, figure.jensen_shannon, strict=True)
    )
    said = [
        say("draw_summary", pixels=figure.flipped, token=text, nearest=visible(figure.nearest[0][0]), bits=apart),
        say(turned, before=before, after=after),
    ]
    last = figure.path.shape[1] - 1
    for name, path in zip(figure.experts, figure.path, strict=True):
        code = "draw_path_nearer" if path[last] < path[0] - 0.02 else "draw_path_no_nearer"
        numbers = {"first": say.number(float(path[0]), 2), "final": say.number(float(path[last]), 2)}
        said.append(say(code, expert=name, last=last, **numbers))
    return say.sentences(said)


def fragile(figure: DrawingFigure, say: Say) -> str:
    """Whether the model reads this picture as a shape that may move, or as a code."""
    numbers = {"moved": say.number(figure.moved, 2), "random": say.number(figure.random, 2)}
    code = "draw_moved_breaks" if figure.moved > figure.random / 2 else "draw_moved_holds"
    return say(code, token=visible(figure.text), step=figure.step, **numbers)


def _paths(figure: DrawingFigure, say: Say) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Distances by layer as shades and numbers; the controls in rows of their own."""
    rows = list(zip(figure.experts, sides(len(figure.experts)), figure.path, strict=True))
    if figure.untrained is not None:
        rows.append((say("draw_untrained"), "fused", figure.untrained))
    rows.append((say("draw_random"), "fused", np.ones(figure.path.shape[1], np.float32)))
    return [
        (name, side, [(f"{min(v, 1.5) / 1.5:.3f}", say.number(v, 2)) for v in map(float, path)])
        for name, side, path in rows
    ]
