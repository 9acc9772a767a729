"""Moving a state: how much of a margin's change one state carries, by expert, token and layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viz.answers import AnswerRow, answer_rows
from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible

WEAK = 0.05
"""An effect of a head below this is called none."""

Likely = tuple[str, float]
"""A token's text and its probability, 0..1."""


@dataclass(frozen=True, eq=False)
class PatchFigure:
    """experts: their names (E,); texts[t]: the tokens (T,) of the text that is run and of the one that the states come
    from, start token first, and winners[t]: what the fusion expects after it.  answers: the two compared tokens.
    margins (E + 1, 2) in nats after both texts, fusion last.  effect (E + 1, L + 1, T): the share of the margin's
    change, NaN where it is under `least` nats.  cell: (expert, layer, position) that is open.  rows: what the
    answers can be chosen from."""

    experts: tuple[str, ...]
    texts: tuple[tuple[str, ...], tuple[str, ...]]
    winners: tuple[Likely, Likely]
    answers: tuple[str, str]
    margins: NDArray[np.float64]
    effect: NDArray[np.float32]
    least: float
    cell: tuple[int, int, int] | None
    rows: tuple[AnswerRow, ...] = ()


@dataclass(frozen=True, eq=False)
class CellFigure:
    """One cell: its expert's name and class, the token's text, the layer of `layers`; lists: the likeliest tokens in
    the text that is run, in that text with the state moved, in the other text.  margins in nats of the answers, in the
    same order; effect: the cell's own.  heads (H,), attention, mlp: effects of the parts of the block before that
    layer, None at layer 0."""

    expert: str
    side: str
    token: str
    layer: int
    layers: int
    lists: tuple[Sequence[Likely], Sequence[Likely], Sequence[Likely]]
    answers: tuple[str, str]
    margins: tuple[float, float, float]
    effect: float
    heads: NDArray[np.float32] | None = None
    attention: float = 0.0
    mlp: float = 0.0


def patching_panel(figure: PatchFigure, say: Say) -> str:
    """Both texts, and a map for every expert and the fusion on one scale."""
    names = (*figure.experts, say("fused"))
    classes = (*sides(len(figure.experts)), "fused")
    last = figure.effect.shape[1] - 1
    body = rendered(
        "patching.html",
        say=say,
        texts=_texts(figure, say),
        answers=answer_rows(figure.rows, say),
        last=last,
        maps=[
            {"side": side, "name": name, **_map(figure, i, say)}
            for i, (name, side) in enumerate(zip(names, classes, strict=True))
        ],
    )
    table = Table(
        {"source": (*figure.experts, "fused"), "layer": range(last + 1), "position": range(len(figure.texts[0]))},
        {"effect": figure.effect},
    )
    facts = {"texts": figure.texts, "answers": figure.answers, "experts": figure.experts, "margins": figure.margins}
    return panel(say, "patching", body, patching_summary(figure, names, say), facts, table)


def patching_summary(figure: PatchFigure, names: Sequence[str], say: Say) -> str:
    """Who has nothing to explain, and from which layer on the last token's state carries half of the change."""
    a, b = map(visible, figure.answers)
    said = []
    for name, effect, (before, after) in zip(names, figure.effect, figure.margins, strict=True):
        if np.isnan(effect).any():
            said.append(say("patch_none_in", expert=name, nats=abs(float(after - before)), least=figure.least))
            continue
        layer = int(np.argmax(effect[:, -1] >= 0.5))
        share = say.number(float(effect[max(layer - 1, 0), -1]), 2)
        said.append(say("patch_half_in", expert=name, layer=layer, before=max(layer - 1, 0), share=share))
    return say("patch_summary", first=a, second=b, list=say.clauses(said))


def _texts(figure: PatchFigure, say: Say) -> list[tuple[str, list[tuple[str, bool]], str, str]]:
    """Both texts token by token, with what differs; what follows, and its probability."""
    lines = []
    for own, other, (winner, probability), label in zip(
        figure.texts,
        reversed(figure.texts),
        figure.winners,
        (say("patch_run"), say("patch_source")),
        strict=True,
    ):
        words = [(a, a != b) for a, b in zip(own[1:], other[1:], strict=True)]
        lines.append((label, words, winner, say.percent(probability)))
    return lines


def _map(figure: PatchFigure, expert: int, say: Say) -> dict[str, Any]:
    """Rows: the token whose state is moved; columns: after which layer.  Or why there is nothing to explain."""
    a, b = map(visible, figure.answers)
    before, after = figure.margins[expert]
    title = say("patch_margin_of", first=a, second=b, before=say.signed(before, 2), after=say.signed(after, 2))
    effect = figure.effect[expert]
    if np.isnan(effect).any():
        return {"title": title, "none": say("patch_none", nats=abs(float(after - before)), least=figure.least)}
    texts = zip(*figure.texts, strict=True)
    rows = [(here, there, _cells(figure, expert, t, effect[:, t], say)) for t, (here, there) in enumerate(texts)]
    return {"title": title, "none": "", "rows": rows}


_CELL = (
    "<td class='gs-cell{}' style='--p:{:.3f}' aria-pressed='{}' role='button' tabindex='{}' data-expert='{}' "
    "data-layer='{}' data-position='{}'>{}</td>"
)


def _cells(figure: PatchFigure, expert: int, position: int, effect: NDArray[np.float32], say: Say) -> Markup:
    """Cells (L + 1,) that can be pressed; a value outside 0..1 keeps its number and the colour of the end."""
    # Not in the template: of some thousand cells it would escape every number.
    cells, last = "", len(effect) - 1
    for layer, value in enumerate(effect.tolist()):
        opened = (expert, layer, position) == figure.cell
        exact = " gs-exact" if layer in (0, last) else ""
        pressed, tabindex, shade = str(opened).lower(), 0 if opened else -1, min(max(0.0, value), 1.0)
        cells += _CELL.format(exact, shade, pressed, tabindex, expert, layer, position, _rounded(value, say))
    return Markup(cells)


def _rounded(value: float, say: Say) -> str:
    return say.number(0.0 if abs(value) < 0.005 else value, 2)


def cell_figure(cell: CellFigure, say: Say) -> str:
    """What one moved state makes the model say, and which parts of the block carry it."""
    names = ("patch_list_run", "patch_list_moved", "patch_list_source")
    shown = {"token": visible(cell.token), "layer": cell.layer, "expert": cell.expert}
    title = say("patch_cell", effect=say.number(cell.effect, 2), **shown)
    if np.isnan(cell.effect):
        title = say("patch_cell_none", **shown)
    a, b = map(visible, cell.answers)
    before, patched, after = (say.signed(margin, 2) for margin in cell.margins)
    margins = say("patch_cell_margins", first=a, second=b, before=before, patched=patched, after=after)
    lists = zip((say(name) for name in names), cell.lists, strict=True)
    effects = _effects(cell, say)
    return rendered("patched.html", cell=cell, say=say, title=title, margins=margins, lists=lists, effects=effects)


def _effects(cell: CellFigure, say: Say) -> dict[str, Any] | None:
    """What the parts of the block before carry; None where there is no block, or nothing to explain."""
    if cell.heads is None:
        return None
    values = [*map(float, cell.heads), cell.attention, cell.mlp]
    if np.isnan(values).any():
        return None
    names = [*(say("patch_head", head=head) for head in range(len(cell.heads))), say("patch_heads"), say("patch_mlp")]
    best = int(np.argmax(cell.heads))
    share = say.number(float(cell.heads[best]), 2)
    weak = cell.heads[best] < WEAK
    said = say("patch_heads_weak", block=cell.layer, share=share, least=WEAK)
    return {
        "title": say("patch_heads_of", block=cell.layer, token=visible(cell.token), expert=cell.expert),
        "rows": [
            (name, f"{min(max(0.0, value), 1.0):.3f}", _rounded(value, say))
            for name, value in zip(names, values, strict=True)
        ],
        "said": said if weak else say("patch_heads_say", block=cell.layer, head=best, share=share),
    }
