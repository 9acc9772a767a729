"""The strip: the text as chips, one a token, each a picture over its characters."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, picture, token, visible

FULL_COLOUR_AT = 5.0
"""Preference in nats at which a chip has its full colour (a ratio of about 150 to 1)."""
_NONE_BELOW = 0.1


@dataclass(frozen=True, eq=False)
class Chip:
    """index: position in the trace.  preference: log p_first - log p_second in nats, None if the
    model gave none (yet).  written: by the model, not by the visitor."""

    index: int
    text: str
    bitmap: NDArray[np.bool_]
    preference: float | None
    written: bool


def mark(preference: float | None) -> str:
    """Who expected the token more, without colour: an arrow towards that expert's column."""
    if preference is None or abs(preference) < _NONE_BELOW:
        return "·"
    return "◀" if preference > 0 else "▶"


def strip(chips: list[Chip], selected: int, experts: tuple[str, ...], say: Say, writing: bool = False) -> str:
    """All chips of a text.  A click or Enter on one reports its index."""
    state = "writing" if writing else "done"
    body = "".join(_chip(chip, chip.index == selected, experts, say) for chip in chips)
    return (
        f"<div class='gs-strip' data-state='{state}' aria-label='{escape(say('strip_label'), quote=True)}'>{body}</div>"
    )


def _chip(chip: Chip, selected: bool, experts: tuple[str, ...], say: Say) -> str:
    value = chip.preference
    strength = 0.0 if value is None else min(1.0, abs(value) / FULL_COLOUR_AT) ** 0.5
    side = "first" if (value or 0) > 0 else "second"
    classes = "gs-chip" + (" gs-written" if chip.written else "") + (f" gs-{side}" if value is not None else "")
    return (
        f"<button type='button' class='{classes}' data-index='{chip.index}' aria-pressed='{str(selected).lower()}' "
        f"style='--mix:{strength:.0%}' title='{escape(tip(chip, experts, say), quote=True)}'>"
        f"{picture(chip.bitmap)}{token(chip.text)}"
        f"<span class='gs-mark' aria-hidden='true'>{mark(value)}</span></button>"
    )


def tip(chip: Chip, experts: tuple[str, ...], say: Say) -> str:
    """What a chip says in words: its text and how much more one expert expected it."""
    if chip.preference is None:
        return visible(chip.text)
    if abs(chip.preference) < _NONE_BELOW:
        return say("tip_even", token=visible(chip.text))
    winner = experts[0] if chip.preference > 0 else experts[1]
    factor = np.exp(min(abs(chip.preference), 20.0))
    return say("tip_prefers", token=visible(chip.text), expert=winner, factor=f"{factor:,.1f}")
