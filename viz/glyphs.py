"""The glyph panel: the picture behind a token's frozen embedding, and its look-alikes."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, panel, percent, picture, token, visible


@dataclass(frozen=True, eq=False)
class Neighbour:
    """Another token: cosine of its frozen vector with the selected one."""

    id: int
    text: str
    bitmap: NDArray[np.bool_]
    cosine: float


@dataclass(frozen=True, eq=False)
class GlyphCard:
    """rendered and decoded: (32, 32) pictures, from the text and from the first `components` of the
    vector's `width` coordinates alone.  kept: share of the picture that these keep, 0..1."""

    id: int
    text: str
    code_points: tuple[str, ...]
    rendered: NDArray[np.bool_]
    decoded: NDArray[np.bool_]
    neighbours: tuple[Neighbour, ...]
    kept: float
    components: int
    width: int

    @property
    def wrong(self) -> int:
        return int((self.rendered != self.decoded).sum())


def glyph_panel(card: GlyphCard, say: Say) -> str:
    """The card of the selected token."""
    pictures = "".join(
        f"<figure><div class='gs-frame'>{image}</div><figcaption>{escape(say(caption))}</figcaption></figure>"
        for image, caption in (
            (picture(card.rendered, say("rendered")), "rendered"),
            (picture(card.decoded, say("decoded")), "decoded"),
            (difference(card.rendered, card.decoded, say("difference")), "difference"),
        )
    )
    points = "".join(f"<li>{escape(point)}</li>" for point in card.code_points)
    near = "".join(
        f"<li>{picture(n.bitmap)}{token(n.text)}<span class='gs-number'>{n.cosine:.2f}</span></li>"
        for n in card.neighbours
    )
    body = (
        f"<div class='gs-headline'>{token(card.text)}<span class='gs-number'>id {card.id}</span></div>"
        f"<div class='gs-pictures'>{pictures}</div><ul class='gs-points'>{points}</ul>"
        f"<h3>{escape(say('neighbours'))}</h3><ol class='gs-near'>{near}</ol>"
    )
    key = "glyph_exact" if card.wrong == 0 else "glyph_summary"
    summary = say(
        key,
        token=visible(card.text),
        wrong=card.wrong,
        components=card.components,
        width=card.width,
        kept=percent(card.kept),
        nearest=visible(card.neighbours[0].text) if card.neighbours else "–",
    )
    data = {
        "id": card.id,
        "text": card.text,
        "code_points": card.code_points,
        "rendered": card.rendered,
        "decoded": card.decoded,
        "components": card.components,
        "kept": card.kept,
        "neighbours": [{"id": n.id, "text": n.text, "cosine": n.cosine} for n in card.neighbours],
    }
    return panel(say, "glyphs", body, summary, data)


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
