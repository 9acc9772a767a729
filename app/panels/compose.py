"""The panels of a text, drawn together: each one fails alone."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from app.models import LoadedModel
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view, meanings
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.settings import PanelSettings
from app.panels.status import status_html
from app.panels.strip import most_disputed, strip_view
from app.trace.record import Trace
from app.wording.catalogue import say, speaker

PANEL_COUNT = 6
"""Glyphs, experts, disagreement, layers, lens, depth: in this order wherever all are filled."""

log = logging.getLogger(__name__)


def draw_strip(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> str:
    return strip_view(model.engine, trace, selected, speaker(view.language), view.measure)


def token_panels(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> list[str]:
    """The two panels about the selected token."""
    glyphs = partial(draw_glyphs, model, trace, selected, view.language)
    return [one(glyphs, view), one(partial(draw_experts, model, trace, selected, view), view)]


def draw_glyphs(model: LoadedModel, trace: Trace, selected: int, language: str, components: int | None = None) -> str:
    words = meanings(model.lexicon, trace, selected, language)
    return glyph_view(model.engine, int(trace.ids[selected]), speaker(language), components, words)


def draw_experts(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> str:
    return experts_view(model.engine, trace, selected, view.weight, speaker(view.language), view.fusion)


def panels(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> list[str]:
    speak = speaker(view.language)
    views = (disagreement_view, layers_view, lens_view, depth_view)
    others = [one(partial(draw, model.engine, trace, selected, speak), view) for draw in views]
    return [*token_panels(model, trace, selected, view), *others]


def one(draw: Callable[[], str], view: PanelSettings) -> str:
    """One panel of several: it fails alone."""
    try:
        return draw()
    except Exception:
        log.exception("a panel failed")
        return status_html(say("panel_failed", view.language), failed=True)


def draw_all(model: LoadedModel, trace: Trace, view: PanelSettings, message: str) -> list[Any]:
    selected = most_disputed(trace)
    return [
        trace,
        selected,
        None,
        status_html(message),
        one(partial(draw_strip, model, trace, selected, view), view),
        *panels(model, trace, selected, view),
    ]
