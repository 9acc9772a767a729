"""The glyph panel: the picture behind a token's frozen embedding, its look-alikes, and the words it comes
to resemble in the layers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import picture, picture_with_cells, visible


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
    """One token's picture, and what its vector keeps of it."""

    id: int
    text: str
    script: str
    code_points: tuple[str, ...]
    rendered: NDArray[np.bool_]
    """(32, 32): drawn from the text."""
    decoded: NDArray[np.bool_]
    """(32, 32): from the first coordinates of the vector alone."""
    borders: tuple[float, ...]
    """Between the characters' cells, shares of the width."""
    neighbours: tuple[Neighbour, ...]
    kept: float
    """Share of the picture that the coordinates keep, 0..1."""
    components: int
    """So many coordinates were used."""
    width: int
    """Coordinates of the vector."""
    meanings: Meanings | None = None
    """None while no word list is read."""
    verified: str = ""
    """How it was verified that the vectors are pictures, or that they are not; empty where they were made so."""

    @property
    def wrong(self) -> int:
        """Pixels where the two pictures differ."""
        return int((self.rendered != self.decoded).sum())


def glyph_panel(card: GlyphCard, say: Say) -> str:
    """The card of the selected token."""
    meanings = card.meanings
    length = say("characters", count=len(card.text))
    body = rendered(
        "glyphs.html",
        card=card,
        say=say,
        kind=f"{say('script_' + card.script)} · {length} · id {card.id}",
        pictures=(
            (picture_with_cells(card.rendered, card.borders, say("rendered")), say("rendered")),
            (picture(card.decoded, say("decoded")), say("decoded")),
            (difference(card.rendered, card.decoded, say("difference")), say("difference")),
        ),
        meanings=meanings,
        experts=[] if meanings is None else list(zip(meanings.experts, sides(len(meanings.experts)), strict=True)),
        last=0 if meanings is None else len(meanings.lists[0]) - 1,
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


_PIXELS = {
    (True, True): "<rect x='{x}' y='{y}' width='1' height='1' class='gs-same'/>",
    (True, False): "<path d='M{x}.1 {y}.1l.8 .8m0 -.8l-.8 .8' class='gs-lost'/>",
    (False, True): "<circle cx='{x}.5' cy='{y}.5' r='.35' class='gs-added'/>",
}
"""How a pixel is drawn by whether it is on the first and on the second picture."""


def difference(first: NDArray[np.bool_], second: NDArray[np.bool_], alt: str) -> Markup:
    """Pixels on both pictures (32, 32) grey; only on the first a cross, only on the second a ring."""
    # Not in a template: of a few hundred pixels it would escape every number, which takes twice as long.
    rows, columns = np.nonzero(first | second)
    kinds = zip(first[rows, columns].tolist(), second[rows, columns].tolist(), strict=True)
    places = zip(columns.tolist(), rows.tolist(), kinds, strict=True)
    pixels = "".join(_PIXELS[kind].format(x=x, y=y) for x, y, kind in places)
    return Markup(f"<svg viewBox='0 0 32 32' class='gs-diff' role='img' aria-label='{escape(alt)}'>{pixels}</svg>")
