"""The glyph panel: the picture behind a token's frozen embedding, its look-alikes, and the words it comes
to resemble in the layers."""

import json
from collections.abc import Iterator
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
    words, lists = _near_words(meanings, say)
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
        words=words,
        lists=json.dumps(lists),
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


def _near_words(meanings: Meanings | None, say: Say) -> tuple[list[Neighbour], list[list[list[tuple[int, str]]]]]:
    """All words of the lists, each of them once; and the lists [expert][layer]: which word, and its cosine as it is
    written.  The page makes a list of these when it is asked for."""
    if meanings is None:
        return [], []
    words = {near.text: near for layers in meanings.lists for rows in layers for near in rows}
    number = {text: i for i, text in enumerate(words)}
    return list(words.values()), [
        [[(number[near.text], say.number(near.cosine, 2)) for near in rows] for rows in layers]
        for layers in meanings.lists
    ]


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


_LOST = "<path d='M{x}.1 {y}.1l.8 .8m0 -.8l-.8 .8' class='gs-lost'/>"
_ADDED = "<circle cx='{x}.5' cy='{y}.5' r='.35' class='gs-added'/>"


def difference(first: NDArray[np.bool_], second: NDArray[np.bool_], alt: str) -> Markup:
    """Pixels on both pictures (32, 32) grey, as one shape; only on the first a cross, only on the second a ring."""
    # Not in a template: of a few hundred pixels it would escape every number, which takes twice as long.
    same = f"<path d='{''.join(_runs(first & second))}' class='gs-same'/>"
    lost, added = (
        "".join(mark.format(x=x, y=y) for y, x in np.argwhere(pixels).tolist())
        for mark, pixels in ((_LOST, first & ~second), (_ADDED, second & ~first))
    )
    return Markup(
        f"<svg viewBox='0 0 32 32' class='gs-diff' role='img' aria-label='{escape(alt)}'>{same}{lost}{added}</svg>"
    )


def _runs(pixels: NDArray[np.bool_]) -> Iterator[str]:
    """The outlines of what lies side by side in a row of pixels (rows, columns), as parts of a path."""
    rows, columns = pixels.shape
    framed = np.zeros((rows, columns + 2), bool)
    framed[:, 1:-1] = pixels
    ys, edges = np.nonzero(framed[:, 1:] != framed[:, :-1])  # by turns where a run begins and where it ends
    ends = edges.tolist()
    for y, left, right in zip(ys[::2].tolist(), ends[::2], ends[1::2], strict=True):
        yield f"M{left} {y}h{right - left}v1h{left - right}z"
