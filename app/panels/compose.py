"""The panels of a text, drawn together: each one fails alone."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from app.models import Shown
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view, meanings
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.settings import View
from app.panels.status import status_html
from app.panels.strip import most_disputed, strip_view
from app.trace.record import Trace
from app.wording.catalogue import say, speaker

PANELS = 6
"""Glyphs, experts, disagreement, layers, lens, depth: in this order wherever all are filled."""

log = logging.getLogger(__name__)


def draw_strip(shown: Shown, trace: Trace, selected: int, view: View) -> str:
    return strip_view(shown.engine, trace, selected, speaker(view.language), view.measure)


def token_panels(shown: Shown, trace: Trace, selected: int, view: View) -> list[str]:
    """The two panels about the selected token."""
    glyphs = partial(draw_glyphs, shown, trace, selected, view.language)
    return [one(glyphs, view), one(partial(draw_experts, shown, trace, selected, view), view)]


def draw_glyphs(shown: Shown, trace: Trace, selected: int, language: str, components: int | None = None) -> str:
    words = meanings(shown.lexicon, trace, selected, language)
    return glyph_view(shown.engine, int(trace.ids[selected]), speaker(language), components, words)


def draw_experts(shown: Shown, trace: Trace, selected: int, view: View) -> str:
    return experts_view(shown.engine, trace, selected, view.weight, speaker(view.language), view.fusion)


def panels(shown: Shown, trace: Trace, selected: int, view: View) -> list[str]:
    speak = speaker(view.language)
    views = (disagreement_view, layers_view, lens_view, depth_view)
    others = [one(partial(draw, shown.engine, trace, selected, speak), view) for draw in views]
    return [*token_panels(shown, trace, selected, view), *others]


def one(draw: Callable[[], str], view: View) -> str:
    """One panel of several: it fails alone."""
    try:
        return draw()
    except Exception:
        log.exception("a panel failed")
        return status_html(say("panel_failed", view.language), failed=True)


def finished(shown: Shown, trace: Trace, view: View, message: str) -> list[Any]:
    selected = most_disputed(trace)
    return [
        trace,
        selected,
        None,
        status_html(message),
        one(partial(draw_strip, shown, trace, selected, view), view),
        *panels(shown, trace, selected, view),
    ]
