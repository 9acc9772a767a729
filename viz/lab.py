"""The glyph laboratory: two texts, their pictures, and what tells their vectors apart."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.glyphs import difference
from viz.html import Say, picture, sides, token, visible


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
    pair = {"first": visible(first.text), "second": visible(second.text)}
    summary = say(key, **pair, pixels=pixels, cosine=say.number(cosine, 3))
    return (
        f"<div class='gs-lab'><div class='gs-pictures'>{frames}{apart}</div>"
        f"<p class='gs-summary' role='status'>{escape(summary)}</p>"
        f"{'' if depths is None else _layers(depths, say)}</div>"
    )


def _layers(depths: Depths, say: Say) -> str:
    last = depths.same.shape[1] - 1
    heads = "".join(f"<th scope='col'>{layer}</th>" for layer in range(last + 1))
    rows = "".join(
        f"<tr class='gs-{side}'><th scope='row'>{escape(say(code, expert=name))}</th>"
        + "".join(
            f"<td style='--p:{min(max(float(v), 0), 2) / 2:.3f}'>{say.number(abs(float(v)), 2)}</td>" for v in values
        )
        + "</tr>"
        for code, both in (("lab_in_same", depths.same), ("lab_in_own", depths.own))
        for name, side, values in zip(depths.experts, sides(len(both)), both, strict=True)
    )
    says = say(
        "lab_layers_say",
        start=say.number(abs(float(depths.same[0, 0])), 2),
        last=last,
        same=" / ".join(say.number(abs(float(v)), 2) for v in depths.same[:, last]),
        own=" / ".join(say.number(abs(float(v)), 2) for v in depths.own[:, last]),
        expert=" / ".join(depths.experts),
    )
    return (
        f"<h3>{escape(say('lab_layers'))}</h3><div class='gs-ribbon'><table><thead><tr><th></th>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div><p class='gs-note'>{escape(says)}</p>"
    )


def _known(specimen: Specimen, say: Say) -> str:
    return say("lab_outside") if specimen.id is None else f"id {specimen.id}"
