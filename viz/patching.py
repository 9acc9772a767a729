"""Moving a state: how much of a margin's change one state carries, by expert, token and layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides, token, visible

WEAK = 0.05
"""An effect of a head below this is called none."""

Likely = tuple[str, float]
"""A token's text and its probability, 0..1."""


@dataclass(frozen=True, eq=False)
class PatchFigure:
    """experts: their names (E,); texts[t]: the tokens (T,) of the text that is run and of the one that the states come
    from, start token first, and winners[t]: what the fusion expects after it.  answers: the two compared tokens.
    margins (E + 1, 2) in nats after both texts, fusion last.  effect (E + 1, L + 1, T): the share of the margin's
    change, NaN where it is under `least` nats.  cell: (expert, layer, position) that is open."""

    experts: tuple[str, ...]
    texts: tuple[tuple[str, ...], tuple[str, ...]]
    winners: tuple[Likely, Likely]
    answers: tuple[str, str]
    margins: NDArray[np.float64]
    effect: NDArray[np.float32]
    least: float
    cell: tuple[int, int, int] | None


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
    maps = "".join(_map(figure, i, name, side, say) for i, (name, side) in enumerate(zip(names, classes, strict=True)))
    scale = "".join(f"<td style='--p:{p}'>{say.number(p, 2)}</td>" for p in (0, 0.25, 0.5, 0.75, 1))
    last = figure.effect.shape[1] - 1
    key = (
        f"<div class='gs-legend'><span class='gs-key'><table class='gs-effects'><tr>{scale}</tr></table>"
        f"{escape(say('patch_scale'))}</span>"
        f"<span class='gs-key'><table class='gs-effects'><tr><td class='gs-exact' style='--p:0'></td></tr></table>"
        f"{escape(say('patch_exact', last=last))}</span></div>"
    )
    body = f"{_texts(figure, say)}{key}<div class='gs-maps'>{maps}</div>"
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
    return say("patch_summary", first=a, second=b, list="; ".join(said))


def _texts(figure: PatchFigure, say: Say) -> str:
    """Both texts token by token; what differs is marked, and what follows is said."""
    lines = ""
    for own, other, (winner, probability), code in zip(
        figure.texts, reversed(figure.texts), figure.winners, ("patch_run", "patch_source"), strict=True
    ):
        words = "".join(
            f"<{tag}>{token(text)}</{tag}>"
            for text, tag in ((a, "span" if a == b else "mark") for a, b in zip(own[1:], other[1:], strict=True))
        )
        lines += (
            f"<div><dt>{escape(say(code))}</dt><dd>{words} → {token(winner)} "
            f"<span class='gs-number'>{say.percent(probability)}</span></dd></div>"
        )
    return f"<dl class='gs-both-texts'>{lines}</dl>"


def _map(figure: PatchFigure, expert: int, name: str, side: str, say: Say) -> str:
    """Rows: the token whose state is moved; columns: after which layer."""
    a, b = map(visible, figure.answers)
    before, after = figure.margins[expert]
    title = say("patch_margin_of", first=a, second=b, before=say.signed(before, 2), after=say.signed(after, 2))
    effect = figure.effect[expert]
    if np.isnan(effect).any():
        none = say("patch_none", nats=abs(float(after - before)), least=figure.least)
        inside = f"<p class='gs-note'>{escape(none)}</p>"
    else:
        inside = _cells(figure, expert, effect, say)
    return (
        f"<div class='gs-map gs-{side}'><h3>{escape(name)}</h3><p class='gs-number'>{escape(title)}</p>{inside}</div>"
    )


def _cells(figure: PatchFigure, expert: int, effect: NDArray[np.float32], say: Say) -> str:
    layers = len(effect)
    heads = "".join(f"<th scope='col'>{layer}</th>" for layer in range(layers))
    rows = ""
    for position, (here, there) in enumerate(zip(*figure.texts, strict=True)):
        name = token(here) if here == there else f"<mark>{token(there)}</mark> → {token(here)}"
        cells = "".join(
            _cell(float(effect[layer, position]), (expert, layer, position), layer in (0, layers - 1), figure.cell, say)
            for layer in range(layers)
        )
        rows += f"<tr><th scope='row'>{name}</th>{cells}</tr>"
    return (
        f"<div class='gs-scroll' tabindex='0'><table class='gs-effects'><thead><tr>"
        f"<th scope='col'>{escape(say('patch_rows'))}</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: float, place: tuple[int, int, int], exact: bool, opened: tuple[int, int, int] | None, say: Say) -> str:
    """A cell that can be pressed; a value outside 0..1 keeps its number and the colour of the end."""
    expert, layer, position = place
    shown = say.number(0.0 if abs(value) < 0.005 else value, 2)
    return (
        f"<td class='gs-cell{' gs-exact' if exact else ''}' style='--p:{min(max(0.0, value), 1.0):.3f}' "
        f"aria-pressed='{str(place == opened).lower()}' role='button' tabindex='{0 if place == opened else -1}' "
        f"data-expert='{expert}' data-layer='{layer}' data-position='{position}'>{shown}</td>"
    )


def cell_figure(cell: CellFigure, say: Say) -> str:
    """What one moved state makes the model say, and which parts of the block carry it."""
    names = ("patch_list_run", "patch_list_moved", "patch_list_source")
    lists = "".join(
        f"<div class='gs-column'><h3>{escape(say(code))}</h3><ol>"
        f"{''.join(_likely(text, p, text in cell.answers, say) for text, p in rows)}</ol></div>"
        for code, rows in zip(names, cell.lists, strict=True)
    )
    shown = {"token": visible(cell.token), "layer": cell.layer, "expert": cell.expert}
    title = say("patch_cell", effect=say.number(cell.effect, 2), **shown)
    if np.isnan(cell.effect):
        title = say("patch_cell_none", **shown)
    a, b = map(visible, cell.answers)
    before, patched, after = (say.signed(margin, 2) for margin in cell.margins)
    margins = say("patch_cell_margins", first=a, second=b, before=before, patched=patched, after=after)
    exact = f"<p class='gs-note'>{escape(say('patch_cell_exact'))}</p>" if cell.layer in (0, cell.layers) else ""
    return (
        f"<div class='gs-patched gs-{cell.side}'><h3>{escape(title)}</h3>"
        f"<p class='gs-note'>{escape(margins)}</p>{exact}"
        f"<div class='gs-columns'>{lists}</div>{_heads(cell, say)}</div>"
    )


def _likely(text: str, probability: float, answer: bool, say: Say) -> str:
    return (
        f"<li class='gs-candidate{' gs-actual' if answer else ''}' style='--share:{probability:.4f}'>{token(text)}"
        f"<span class='gs-number'>{say.percent(probability)}</span></li>"
    )


def _heads(cell: CellFigure, say: Say) -> str:
    if cell.heads is None:
        return f"<p class='gs-note'>{escape(say('patch_no_block'))}</p>"
    values = [*map(float, cell.heads), cell.attention, cell.mlp]
    if np.isnan(values).any():
        return ""
    names = [*(say("patch_head", head=head) for head in range(len(cell.heads))), say("patch_heads"), say("patch_mlp")]
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td style='--p:{min(max(0.0, value), 1.0):.3f}'>"
        f"<i></i>{say.number(0.0 if abs(value) < 0.005 else value, 2)}</td></tr>"
        for name, value in zip(names, values, strict=True)
    )
    best = int(np.argmax(cell.heads))
    share = say.number(float(cell.heads[best]), 2)
    weak = cell.heads[best] < WEAK
    said = say("patch_heads_weak", block=cell.layer, share=share, least=WEAK)
    said = said if weak else say("patch_heads_say", block=cell.layer, head=best, share=share)
    title = say("patch_heads_of", block=cell.layer, token=visible(cell.token), expert=cell.expert)
    return (
        f"<h3>{escape(title)}</h3><table class='gs-head-effects'><tbody>{rows}</tbody></table>"
        f"<p class='gs-note'>{escape(said)}</p>"
    )
