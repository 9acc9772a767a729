"""The glyph laboratory: two texts, their pictures, and what tells their vectors apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.glyphs import difference
from viz.html import Say, sides
from viz.templates import rendered
from viz.tokens import visible


@dataclass(frozen=True, eq=False)
class Specimen:
    """A text as the substrate draws it; id: of the token it is, None outside the vocabulary."""

    text: str
    bitmap: NDArray[np.bool_]
    id: int | None


@dataclass(frozen=True, eq=False)
class Depths:
    """1 - cosine of two texts' hidden states (E, L + 1), at the end of the same sentences and of sentences of
    each one's own language."""

    experts: tuple[str, ...]
    same: NDArray[np.float32]
    own: NDArray[np.float32]


def lab_figure(first: Specimen, second: Specimen, cosine: float, say: Say, depths: Depths | None = None) -> str:
    """Both pictures, the pixels that differ, the cosine of the two vectors, and what the layers make of it."""
    pixels = int((first.bitmap != second.bitmap).sum())
    key = "lab_same" if pixels == 0 else "lab_apart"
    pair = {"first": visible(first.text), "second": visible(second.text)}
    summary = say(key, **pair, pixels=pixels, cosine=say.number(cosine, 3))
    return rendered(
        "lab.html",
        say=say,
        specimens=[(specimen, _known(specimen, say)) for specimen in (first, second)],
        difference=difference(first.bitmap, second.bitmap, say("lab_difference")),
        summary=summary,
        depths=depths,
        layers=[] if depths is None else range(depths.same.shape[1]),
        lines=[] if depths is None else _lines(depths, say),
        told="" if depths is None else _told(depths, say),
    )


def _lines(depths: Depths, say: Say) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name and class of each line, and its distances as shades and numbers."""
    same, own = (
        [
            (say(code, expert=name), side, [(_shade(float(v)), say.number(abs(float(v)), 2)) for v in values])
            for name, side, values in zip(depths.experts, sides(len(both)), both, strict=True)
        ]
        for code, both in (("lab_in_same", depths.same), ("lab_in_own", depths.own))
    )
    return same + own


def _shade(distance: float) -> str:
    return f"{min(max(distance, 0), 2) / 2:.3f}"


def _told(depths: Depths, say: Say) -> str:
    last = depths.same.shape[1] - 1
    return say(
        "lab_layers_say",
        start=say.number(abs(float(depths.same[0, 0])), 2),
        last=last,
        same=" / ".join(say.number(abs(float(v)), 2) for v in depths.same[:, last]),
        own=" / ".join(say.number(abs(float(v)), 2) for v in depths.own[:, last]),
        expert=" / ".join(depths.experts),
    )


def _known(specimen: Specimen, say: Say) -> str:
    return say("lab_outside") if specimen.id is None else f"id {specimen.id}"
