"""The glyph panel: the picture behind a token's frozen embedding, its look-alikes, and the words it comes
to resemble in the layers."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, picture, picture_with_cells, sides, token, visible


@dataclass(frozen=True, eq=False)
class Neighbour:
    """Another token or word: cosine of its vector with the selected one; id: None for a word of the list;
    gloss: what it means in the visitor's language, if that is known."""

    id: int | None
    text: str
    bitmap: NDArray[np.bool_]
    cosine: float
    gloss: str = ""


@dataclass(frozen=True, eq=False)
class Meanings:
    """lists[expert][layer]: words nearest to the selected token's hidden state there, best first, out of a
    list of `words` words.  expert: index of the one shown first."""

    experts: tuple[str, ...]
    lists: tuple[tuple[tuple[Neighbour, ...], ...], ...]
    expert: int
    words: int


@dataclass(frozen=True, eq=False)
class GlyphCard:
    """rendered and decoded: (32, 32) pictures, from the text and from the first `components` of the
    vector's `width` coordinates alone.  borders: between the characters' cells, shares of the width.
    kept: share of the picture that the coordinates keep, 0..1.  meanings: None while no word list is read.
    proof: how it was proved that the vectors are pictures, or that they are not; empty where they were made so."""

    id: int
    text: str
    script: str
    code_points: tuple[str, ...]
    rendered: NDArray[np.bool_]
    decoded: NDArray[np.bool_]
    borders: tuple[float, ...]
    neighbours: tuple[Neighbour, ...]
    kept: float
    components: int
    width: int
    meanings: Meanings | None = None
    proof: str = ""

    @property
    def wrong(self) -> int:
        return int((self.rendered != self.decoded).sum())


def glyph_panel(card: GlyphCard, say: Say) -> str:
    """The card of the selected token."""
    pictures = "".join(
        f"<figure><div class='gs-frame'>{image}</div><figcaption>{escape(say(caption))}</figcaption></figure>"
        for image, caption in (
            (picture_with_cells(card.rendered, card.borders, say("rendered")), "rendered"),
            (picture(card.decoded, say("decoded")), "decoded"),
            (difference(card.rendered, card.decoded, say("difference")), "difference"),
        )
    )
    points = "".join(f"<li>{escape(point)}</li>" for point in card.code_points)
    length = say("characters", count=len(card.text))
    kind = f"{say('script_' + card.script)} · {length} · id {card.id}"
    body = (
        f"<div class='gs-headline'>{token(card.text)}<span class='gs-number'>{escape(kind)}</span></div>"
        f"<div class='gs-pictures'>{pictures}</div><ul class='gs-points'>{points}</ul>"
        f"{f'<p class=gs-proof>{escape(card.proof)}</p>' if card.proof else ''}"
        f"<div class='gs-nears'><div><h3>{escape(say('neighbours'))}</h3>{_list(card.neighbours, say)}</div>"
        f"{_meanings(card.meanings, say)}</div>"
    )
    key = "glyph_exact" if card.wrong == 0 else "glyph_summary"
    summary = say(
        key,
        token=visible(card.text),
        wrong=card.wrong,
        components=card.components,
        width=card.width,
        kept=say.percent(card.kept),
        nearest=visible(card.neighbours[0].text) if card.neighbours else "–",
    )
    names = ("id", "text", "script", "code_points", "rendered", "decoded", "components", "kept")
    facts = {name: getattr(card, name) for name in names}
    return panel(say, "glyphs", body, summary, {**facts, "nearest_words": _words(card.meanings)}, _table(card))


def _table(card: GlyphCard) -> Table:
    near = card.neighbours
    columns = {name: [getattr(n, name) for n in near] for name in ("id", "text", "cosine")}
    return Table({"rank": range(1, len(near) + 1)}, columns)


def _words(meanings: Meanings | None) -> dict[str, Any]:
    """Expert -> layer by layer -> [word, cosine] pairs."""
    if meanings is None:
        return {}
    return {
        expert: [[[n.text, round(n.cosine, 6)] for n in near] for near in layers]
        for expert, layers in zip(meanings.experts, meanings.lists, strict=True)
    }


def _list(neighbours: tuple[Neighbour, ...], say: Say) -> str:
    rows = "".join(
        f"<li>{picture(n.bitmap)}{token(n.text)}{f'<small>{escape(n.gloss)}</small>' if n.gloss else ''}"
        f"<span class='gs-number'>{say.number(n.cosine, 2)}</span></li>"
        for n in neighbours
    )
    return f"<ol class='gs-near'>{rows}</ol>"


def _meanings(meanings: Meanings | None, say: Say) -> str:
    """All lists at once, one of them shown: the page switches by layer and expert without asking."""
    if meanings is None:
        return f"<div><h3>{escape(say('meanings_wait'))}</h3></div>"
    last = len(meanings.lists[0]) - 1
    lists = "".join(
        f"<div data-expert='{e}' data-at='{layer}'{'' if (e, layer) == (meanings.expert, last) else ' hidden'}>"
        f"{_list(near, say)}</div>"
        for e, layers in enumerate(meanings.lists)
        for layer, near in enumerate(layers)
    )
    buttons = "".join(
        f"<button type='button' class='gs-{side}' data-near='{e}' aria-pressed='{str(e == meanings.expert).lower()}'>"
        f"{escape(name)}</button>"
        for e, (name, side) in enumerate(zip(meanings.experts, sides(len(meanings.experts)), strict=True))
    )
    slider = (
        f"<label class='gs-near-at'><input type='range' class='gs-near-layer' min='0' max='{last}' step='1' "
        f"value='{last}' aria-label='{escape(say('layer_slider'), quote=True)}'><output>{last}</output></label>"
    )
    return (
        f"<div class='gs-meanings'><h3>{escape(say('meanings'))}</h3>"
        f"<div class='gs-near-pick'>{buttons}<span>{escape(say('layer_slider'))}</span>{slider}</div>{lists}"
        f"<p class='gs-note'>{escape(say('meanings_note', count=meanings.words))}</p></div>"
    )


def difference(rendered: NDArray[np.bool_], decoded: NDArray[np.bool_], alt: str) -> str:
    """Pixels on both pictures grey; only in the first a cross, only in the second a ring."""
    cells = []
    for y, x in np.argwhere(rendered | decoded):
        if rendered[y, x] and decoded[y, x]:
            cells.append(f"<rect x='{x}' y='{y}' width='1' height='1' class='gs-same'/>")
        elif rendered[y, x]:
            cells.append(f"<path d='M{x}.1 {y}.1l.8 .8m0 -.8l-.8 .8' class='gs-lost'/>")
        else:
            cells.append(f"<circle cx='{x}.5' cy='{y}.5' r='.35' class='gs-added'/>")
    label = escape(alt, quote=True)
    return f"<svg viewBox='0 0 32 32' class='gs-diff' role='img' aria-label='{label}'>{''.join(cells)}</svg>"
