"""Drawing a picture: the editor of one token's pixels, and what the model makes of what is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, picture, sides, token, visible

SIDE = 32
SHIFTS = (("left", "←"), ("right", "→"), ("up", "↑"), ("down", "↓"))
TOOLS = ("undo", "invert", "thicken", "reset")
MOST_NOISE = 256
"""Largest number of pixels on the slider for noise: a quarter of the picture."""


@dataclass(frozen=True, eq=False)
class Editor:
    """The tokens (T,) of a text with their pictures, the start token left out; index: the one that is drawn, from 1.
    own, target, drawn (32, 32): its own picture, the one that it can morph into, and what is on the grid.  share: how
    far it is morphed, 0..1.  order (1024,): in which order noise and morphing turn pixels over."""

    texts: tuple[str, ...]
    bitmaps: tuple[NDArray[np.bool_], ...]
    index: int
    target_text: str
    own: NDArray[np.bool_]
    target: NDArray[np.bool_]
    drawn: NDArray[np.bool_]
    share: float
    order: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Option:
    """A token that an expert expects: its probability before and after the picture was changed, 0..1."""

    text: str
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class DrawingFigure:
    """What the drawing changes.  flipped: pixels that differ from the token's own picture; nearest: (text, picture,
    cosine), best first.  columns: the likeliest tokens under each expert and, last, the fusion, with the winner before.
    jensen_shannon (E + 1,) in bits.  path (E, L + 1), twin (L + 1,): distance of the token's state from its own, a
    random token's being one; twin None without an untrained network."""

    experts: tuple[str, ...]
    text: str
    flipped: int
    nearest: tuple[tuple[str, NDArray[np.bool_], float], ...]
    columns: tuple[Sequence[Option], ...]
    winners: tuple[str, ...]
    jensen_shannon: NDArray[np.float32]
    path: NDArray[np.float32]
    twin: NDArray[np.float32] | None


def bits(bitmap: NDArray[np.bool_]) -> str:
    """A picture as 1,024 characters 0 and 1, row by row."""
    return "".join("01"[pixel] for pixel in bitmap.ravel().astype(int))


def editor(figure: Editor, say: Say) -> str:
    """The text to choose a token of, the grid, and its tools; the page's script does the rest."""
    chips = "".join(
        f"<button type='button' class='gs-option' data-token='{i}' aria-pressed='{str(i == figure.index).lower()}'>"
        f"{picture(bitmap)}{token(text)}</button>"
        for i, (text, bitmap) in enumerate(zip(figure.texts, figure.bitmaps, strict=True), 1)
    )
    data = " ".join(
        f"data-{name}='{bits(bitmap)}'"
        for name, bitmap in (("own", figure.own), ("target", figure.target), ("drawn", figure.drawn))
    )
    shifts = "".join(
        f"<button type='button' data-shift='{way}' title='{escape(say('draw_shift'), quote=True)}' "
        f"aria-label='{escape(say('draw_shift_' + way), quote=True)}'>{sign}</button>"
        for way, sign in SHIFTS
    )
    tools = "".join(
        f"<button type='button' data-tool='{tool}'>{escape(say('draw_' + tool))}</button>" for tool in TOOLS
    )
    text = visible(figure.texts[figure.index - 1])
    label = escape(say("draw_grid", token=text), quote=True)
    morph = escape(say("draw_morph", token=text, target=visible(figure.target_text)))
    blanks = {"row": "{row}", "column": "{column}"}  # the page's script fills these in
    ink, paper = escape(say("draw_at_ink", **blanks), quote=True), escape(say("draw_at_paper", **blanks), quote=True)
    return (
        f"<div class='gs-editor' data-at-ink='{ink}' "
        f"data-at-paper='{paper}' data-token-index='{figure.index}' {data} "
        f"data-order='{','.join(map(str, figure.order.tolist()))}'>"
        f"<p class='gs-note'>{escape(say('draw_choose'))}</p><div class='gs-options gs-draw-tokens'>{chips}</div>"
        f"<div class='gs-drawer'><canvas class='gs-grid' width='{SIDE * 12}' height='{SIDE * 12}' tabindex='0' "
        f"role='application' aria-label='{label}'></canvas><div class='gs-tools'>"
        f"<div class='gs-tool-row'>{tools}</div><div class='gs-tool-row'>{shifts}</div>"
        f"<label>{morph}<input type='range' class='gs-morph' min='0' max='1' step='0.05' value='{figure.share:g}'>"
        f"</label><label>{escape(say('draw_noise', most=MOST_NOISE))}<input type='range' class='gs-noise' min='0' "
        f"max='{MOST_NOISE}' step='8' value='0'></label>"
        f"<form class='gs-tool-row' data-ask='target'><label>{escape(say('draw_target'))}"
        f"<input type='text' maxlength='16' value='{escape(figure.target_text, quote=True)}'></label>"
        f"<button>{escape(say('draw_set'))}</button></form>"
        f"<form class='gs-tool-row' data-ask='type'><label>{escape(say('draw_type'))}"
        f"<input type='text' maxlength='16'></label><button>{escape(say('draw_draw'))}</button></form>"
        f"<p class='gs-note'>{escape(say('draw_keys'))}</p><p class='gs-note gs-at' role='status'></p>"
        f"</div></div></div>"
    )


def drawing_panel(figure: DrawingFigure, say: Say) -> str:
    """What the model makes of the drawing."""
    names = (*figure.experts, say("fused"))
    classes = (*sides(len(figure.experts)), "fused")
    order = [0, len(names) - 1, 1] if len(names) == 3 else range(len(names))
    columns = "".join(_column(figure, i, names[i], classes[i], say) for i in order)
    near = "".join(
        f"<li class='gs-option'>{picture(bitmap, visible(text))}{token(text)}"
        f"<span class='gs-number'>{say.number(cosine, 2)}</span></li>"
        for text, bitmap, cosine in figure.nearest
    )
    body = (
        f"<h3>{escape(say('draw_nearest'))}</h3><ul class='gs-options'>{near}</ul>"
        f"<h3>{escape(say('draw_predicts'))}</h3><div class='gs-columns gs-drawn-columns'>{columns}</div>"
        f"{_path(figure, classes, say)}"
    )
    table = Table(
        {"expert": figure.experts, "layer": range(figure.path.shape[1])},
        {"distance": figure.path},
    )
    return panel(say, "drawing", body, drawing_summary(figure, names, say), {"experts": figure.experts}, table)


def drawing_summary(figure: DrawingFigure, names: Sequence[str], say: Say) -> str:
    """How much is drawn, what is expected then, and whether the layers bring the state nearer to its own."""
    text = visible(figure.text)
    if figure.flipped == 0:
        return say("draw_untouched", token=text)
    before, after = visible(figure.winners[-1]), visible(figure.columns[-1][0].text)
    turned = "draw_kept" if before == after else "draw_turned"
    apart = ", ".join(
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
    return " ".join(said)


def _column(figure: DrawingFigure, i: int, name: str, side: str, say: Say) -> str:
    """After and before side by side, one line a token."""
    rows = "".join(
        f"<li class='gs-candidate gs-drawn' style='--share:{option.after:.4f};--before:{option.before:.4f}'>"
        f"{token(option.text)}<span class='gs-number'>{say.percent(option.before)} → {say.percent(option.after)}"
        f"</span></li>"
        for option in figure.columns[i]
    )
    apart = say("draw_apart", bits=say.number(float(figure.jensen_shannon[i]), 3))
    return (
        f"<div class='gs-column gs-{side}'><h3>{escape(name)}</h3><p class='gs-number'>{escape(apart)}</p>"
        f"<ol>{rows}</ol></div>"
    )


def _path(figure: DrawingFigure, classes: Sequence[str], say: Say) -> str:
    """Distances by layer as numbers on a shade; the controls in rows of their own."""
    heads = "".join(f"<th scope='col'>{layer}</th>" for layer in range(figure.path.shape[1]))
    rows = [(name, side, path) for name, side, path in zip(figure.experts, classes, figure.path, strict=False)]
    if figure.twin is not None:
        rows.append((say("draw_twin"), "fused", figure.twin))
    rows.append((say("draw_random"), "fused", np.ones(figure.path.shape[1], np.float32)))
    lines = "".join(
        f"<tr class='gs-{side}'><th scope='row'>{escape(name)}</th>"
        + "".join(f"<td style='--p:{min(float(v), 1.5) / 1.5:.3f}'>{say.number(float(v), 2)}</td>" for v in path)
        + "</tr>"
        for name, side, path in rows
    )
    return (
        f"<h3>{escape(say('draw_path'))}</h3><div class='gs-ribbon' tabindex='0'><table><thead><tr>"
        f"<th scope='col'>{escape(say('draw_layer'))}</th>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
