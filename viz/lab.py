"""The glyph laboratory: two texts, their pictures, and what tells their vectors apart."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.glyphs import difference
from viz.html import Say, picture, token, visible


@dataclass(frozen=True, eq=False)
class Specimen:
    """A text as the substrate draws it; id: of the token it is, None outside the vocabulary."""

    text: str
    bitmap: NDArray[np.bool_]
    id: int | None


def lab_figure(first: Specimen, second: Specimen, cosine: float, say: Say) -> str:
    """Both pictures, the pixels that differ, and the cosine of the two vectors."""
    frames = "".join(
        f"<figure><div class='gs-frame'>{picture(s.bitmap, visible(s.text))}</div>"
        f"<figcaption>{token(s.text)} {escape(_known(s, say))}</figcaption></figure>"
        for s in (first, second)
    )
    apart = (
        f"<figure><div class='gs-frame'>{difference(first.bitmap, second.bitmap, say('lab_difference'))}</div>"
        f"<figcaption>{escape(say('lab_difference'))}</figcaption></figure>"
    )
    pixels = int((first.bitmap != second.bitmap).sum())
    key = "lab_same" if pixels == 0 else "lab_apart"
    summary = say(key, first=visible(first.text), second=visible(second.text), pixels=pixels, cosine=f"{cosine:.3f}")
    return (
        f"<div class='gs-lab'><div class='gs-pictures'>{frames}{apart}</div>"
        f"<p class='gs-summary' role='status'>{escape(summary)}</p></div>"
    )


def _known(specimen: Specimen, say: Say) -> str:
    return say("lab_outside") if specimen.id is None else f"id {specimen.id}"
