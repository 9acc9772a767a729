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
from app.panels.provenance import text_source
from app.panels.settings import PanelSettings
from app.panels.status import status_html
from app.panels.strip import most_disputed, strip_view
from app.trace.record import Trace
from app.wording.catalogue import say, speaker
from viz.html import Say, with_source

PANELS = ("glyphs", "experts", "disagreement", "layers", "lens", "depth")
"""All panels of a text."""

log = logging.getLogger(__name__)


def draw_strip(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> str:
    """The strip, with the measure that the visitor chose."""
    return strip_view(model.engine, trace, selected, speaker(view.language), view.measure)


def token_panels(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> dict[str, str]:
    """The two panels about the selected token."""
    glyphs = partial(draw_glyphs, model, trace, selected, view.language)
    experts = partial(draw_experts, model, trace, selected, view)
    return {"glyphs": one(glyphs, view), "experts": one(experts, view)}


def draw_glyphs(model: LoadedModel, trace: Trace, selected: int, language: str, components: int | None = None) -> str:
    """The selected token's picture, decoded from so many coordinates (None: from all), and what is near it."""
    words = meanings(model.word_cache, trace, selected, language)
    drawn = glyph_view(model.engine, int(trace.ids[selected]), speaker(language), components, words)
    return with_source(drawn, text_source(model, trace, token=selected, layer=0))


def draw_experts(model: LoadedModel, trace: Trace, selected: int, view: PanelSettings) -> str:
    """What was expected before the selected token, fused as the visitor chose."""
    drawn = experts_view(model.engine, trace, selected, view.weight, speaker(view.language), view.fusion)
    settings = {"fusion_on_view": view.fusion, "weight_on_view": view.weight}
    return with_source(drawn, text_source(model, trace, token=selected, **settings))


def draw_depth(
    model: LoadedModel, trace: Trace, selected: int, speak: Say, cell: tuple[int, int] | None = None,
    pinned: int | None = None,
) -> str:  # fmt: skip
    """One prediction by depth; cell: (expert, layer) chosen in the lens; pinned: a candidate that is followed."""
    drawn = depth_view(model.engine, trace, selected, speak, cell, pinned)
    return with_source(drawn, text_source(model, trace, token=selected))


def draw_lens(model: LoadedModel, trace: Trace, selected: int, speak: Say) -> str:
    """What each layer would predict, of the whole text."""
    return with_source(lens_view(model.engine, trace, selected, speak), text_source(model, trace))


def text_panels(
    model: LoadedModel, trace: Trace, selected: int, view: PanelSettings, tab: str, cell: tuple[int, int] | None = None
) -> dict[str, str]:
    """The panels of a text in one tab; none in a tab that does not show the text. cell: (expert, layer) chosen in the
    lens."""
    speak = speaker(view.language)

    def of_text(draw: Callable[..., str]) -> str:
        whole = lambda: with_source(draw(model.engine, trace, selected, speak), text_source(model, trace))  # noqa: E731
        return one(whole, view)

    if tab == "read":
        return {**token_panels(model, trace, selected, view), "disagreement": of_text(disagreement_view)}
    if tab == "layers":
        depth = one(partial(draw_depth, model, trace, selected, speak, cell), view)
        return {"layers": of_text(layers_view), "lens": of_text(lens_view), "depth": depth}
    return {}


def one(draw: Callable[[], str], view: PanelSettings) -> str:
    """One panel of several: it fails alone."""
    try:
        return draw()
    except Exception:
        log.exception("a panel failed")
        return status_html(say("panel_failed", view.language), failed=True)


def draw_all(model: LoadedModel, trace: Trace, view: PanelSettings, message: str, tab: str) -> dict[str, Any]:
    """What a new text changes on the page: the strip, and the panels of the open tab."""
    selected = most_disputed(trace)
    panels = text_panels(model, trace, selected, view, tab)
    return {
        "trace": trace,
        "selected": selected,
        "cell": None,
        "status": status_html(message),
        "strip": one(partial(draw_strip, model, trace, selected, view), view),
        "filled": (tab,) if panels else (),
        **panels,
    }
