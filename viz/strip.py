"""The strip: the text as chips, one a token, each a picture over its characters."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, picture_with_cells, token, visible

EXPONENT = 0.3
"""Colours grow with this power of a value, so that small differences show (Strobelt 2021, LMdiff)."""
_LEVELS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Measure:
    """What a strip shows.  full: the value that gets the full colour; sided: whether the sign says
    which expert; none: values nearer to zero than this are marked as none."""

    name: str
    full: float
    sided: bool
    none: float = 0.0


STRIP_MEASURES = {
    measure.name: measure
    for measure in (
        Measure("preference", full=5.0, sided=True, none=0.1),
        Measure("balance", full=1.0, sided=True, none=0.02),
        Measure("disagreement", full=2.0, sided=False),
        Measure("jensen_shannon", full=1.0, sided=False),
        Measure("overlap", full=1.0, sided=False),
        Measure("surprise", full=8.0, sided=False),
    )
}


@dataclass(frozen=True, eq=False)
class Chip:
    """index: position in the trace.  value: of the strip's measure, None if there is none (yet).
    written: by the model, not by the visitor.  unknown: stands for what the vocabulary lacks.
    borders: between its characters' cells, shares of the picture's width."""

    index: int
    text: str
    bitmap: NDArray[np.bool_]
    value: float | None
    written: bool
    unknown: bool = False
    borders: tuple[float, ...] = ()


def mark(value: float | None, measure: Measure) -> str:
    """A value without colour: an arrow towards the expert's column, or the height of a block."""
    if value is None or (measure.sided and abs(value) < measure.none):
        return "·"
    if measure.sided:
        return "◀" if value > 0 else "▶"
    return _LEVELS[min(len(_LEVELS) - 1, int(value / measure.full * len(_LEVELS)))]


def strip(
    chips: list[Chip], selected: int, measure: Measure, experts: tuple[str, ...], say: Say, writing: bool = False
) -> str:
    """All chips of a text.  A click or Enter on one reports its index."""
    state = "writing" if writing else "done"
    label = escape(say("strip_label"), quote=True)
    body = "".join(_chip(chip, chip.index == selected, measure, experts, say) for chip in chips)
    return f"<div class='gs-strip' data-state='{state}' aria-label='{label}'>{body}</div>"


def _chip(chip: Chip, selected: bool, measure: Measure, experts: tuple[str, ...], say: Say) -> str:
    strength = 0.0 if chip.value is None else min(1.0, abs(chip.value) / measure.full) ** EXPONENT
    kinds = [name for name in ("written", "unknown") if getattr(chip, name)]
    classes = ["gs-chip", *(f"gs-{kind}" for kind in kinds), *_side(chip.value, measure)]
    return (
        f"<button type='button' class='{' '.join(classes)}' data-index='{chip.index}' "
        f"aria-pressed='{str(selected).lower()}' style='--mix:{strength:.0%}' "
        f"title='{escape(tip(chip, measure, experts, say), quote=True)}'>"
        f"{picture_with_cells(chip.bitmap, chip.borders)}{token(chip.text)}"
        f"<span class='gs-mark' aria-hidden='true'>{mark(chip.value, measure)}</span></button>"
    )


def _side(value: float | None, measure: Measure) -> list[str]:
    if value is None:
        return []
    return ["gs-fused"] if not measure.sided else ["gs-first"] if value > 0 else ["gs-second"]


def tip(chip: Chip, measure: Measure, experts: tuple[str, ...], say: Say) -> str:
    """What a chip says in words."""
    shown = visible(chip.text)
    if chip.unknown:
        shown = say("tip_unknown", token=shown)
    if chip.value is None:
        return shown
    if not measure.sided:
        return f"{shown}: {say('measure_' + measure.name)} {say.number(chip.value, 2)}"
    if abs(chip.value) < measure.none:
        return say("tip_even", token=shown)
    expert = experts[0] if chip.value > 0 else experts[1]
    if measure.name == "balance":
        return say("tip_balance", token=shown, expert=expert, value=say.number(abs(chip.value), 2))
    return say("tip_prefers", token=shown, expert=expert, factor=say.number(np.exp(min(abs(chip.value), 20.0)), 1))
