"""The strip: the text as chips, one a token, each a picture over its characters."""

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from viz.html import Say
from viz.templates import rendered
from viz.tokens import picture_with_cells, visible

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
    """One token of the strip."""

    index: int
    """Position in the trace."""
    text: str
    bitmap: NDArray[np.bool_]
    value: float | None
    """Of the strip's measure, None if there is none (yet)."""
    written: bool
    """By the model, not by the visitor."""
    unknown: bool = False
    """Whether it stands for what the vocabulary lacks."""
    borders: tuple[float, ...] = ()
    """Between its characters' cells, shares of the picture's width."""
    whole: str = ""
    """What it reads together with its neighbours, if it is only a part of a character."""
    first: bool = False
    """Whether it is the first of those neighbours."""


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
    drawn = [
        (
            chip.index,
            chip.text,
            picture_with_cells(chip.bitmap, chip.borders),
            *_drawn(chip, measure),
            tip(chip, measure, experts, say),
            chip.whole if chip.first else "",
            _closes(chip, following),
        )
        for chip, following in zip_longest(chips, chips[1:])
    ]
    return rendered("strip.html", chips=drawn, selected=selected, state="writing" if writing else "done", say=say)


def sequel(writing: str, finished: str) -> str:
    """The strip of a finished text as a sequel to what the page has of it, which need not be sent again: to `writing`,
    the strip as it was sent last, come the chips that are new or differ (`assets/page/strip.js` puts them in their
    places).  The finished strip itself where most differ, or where it has other parts than chips."""
    before, now = (html.removesuffix("</div>").split("<button ")[1:] for html in (writing, finished))
    changed = "".join("<button " + chip for old, chip in zip_longest(before, now) if chip and chip != old)
    differs = not before or len(before) > len(now) or "gs-whole" in writing + finished
    if differs or len(changed) > 0.75 * len(finished):
        return finished
    return f"{writing}<template class='gs-sequel'>{changed}</template></div>"


def _drawn(chip: Chip, measure: Measure) -> tuple[str, str, str]:
    """Its classes, the strength of its colour, and its mark without colour."""
    strength = 0.0 if chip.value is None else min(1.0, abs(chip.value) / measure.full) ** EXPONENT
    kinds = [f"gs-{name}" for name in ("written", "unknown") if getattr(chip, name)]
    return " ".join(["gs-chip", *kinds, *_side(chip.value, measure)]), f"{strength:.0%}", mark(chip.value, measure)


def _closes(chip: Chip, following: Chip | None) -> bool:
    """Whether it is the last of the chips that form a character together."""
    goes_on = following is not None and bool(following.whole) and not following.first
    return bool(chip.whole) and not goes_on


def _side(value: float | None, measure: Measure) -> list[str]:
    if value is None:
        return []
    if not measure.sided:
        return ["gs-fused"]
    return ["gs-first" if value > 0 else "gs-second"]


def tip(chip: Chip, measure: Measure, experts: tuple[str, ...], say: Say) -> str:
    """What a chip says in words."""
    shown = visible(chip.text)
    if chip.unknown:
        shown = say("tip_unknown", token=shown)
    if chip.whole:
        shown = say("tip_part", token=shown, whole=visible(chip.whole))
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
