"""The tab "Try to break it": instruments that change something inside the model or in what it reads."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.engine.job_queue import JobQueue
from app.models import ModelRegistry
from app.web.attribution_tab import (
    AttributionControls,
    AttributionListeners,
    add_attribution,
    connect_attribution,
)
from app.web.drawing_tab import DrawingControls, DrawingListeners, add_drawing, connect_drawing
from app.web.patching_tab import Label, PatchingControls, PatchingListeners, add_patching, connect_patching

HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
"""Options of every listener: the queue of the jobs limits them, not Gradio's."""


@dataclass(frozen=True, eq=False)
class BreakTab:
    """The instruments of the tab, and what answers them."""

    patching: PatchingControls
    on_patching: PatchingListeners
    drawing: DrawingControls
    on_drawing: DrawingListeners
    attribution: AttributionControls
    on_attribution: AttributionListeners

    def labels(self) -> list[Label]:
        """Components with words of their own, for the page's relabelling."""
        return [*self.patching.labels(), *self.drawing.labels(), *self.attribution.labels()]


def add_break_tab(registry: ModelRegistry) -> BreakTab:
    """Build the content of the tab where the caller stands, best inside a `gr.Tab`."""
    jobs = JobQueue()
    return BreakTab(
        patching=add_patching(),
        on_patching=PatchingListeners(registry, jobs),
        drawing=add_drawing(),
        on_drawing=DrawingListeners(registry, jobs),
        attribution=add_attribution(),
        on_attribution=AttributionListeners(registry, jobs),
    )


def connect_break_tab(tab: BreakTab, own: gr.Tab, shown: gr.State, language: gr.Radio, on_view: gr.State) -> None:
    """Join controls and listeners, inside the page's `Blocks`.  own: the tab that this stands in; shown: the name of
    the tab on view, which an address can open too; on_view: changes when the visitor sees another model."""
    connect_patching(tab.patching, tab.on_patching, language)
    connect_drawing(tab.drawing, tab.on_drawing, language)
    connect_attribution(tab.attribution, tab.on_attribution, language)
    labels = tab.labels()
    gr.on(
        [own.select, shown.change, language.input], lambda language: [label(language) for _, label in labels],
        language, [component for component, _ in labels], queue=False, **HIDDEN,
    )  # fmt: skip
    _connect_opening(tab.patching, tab.on_patching, own, shown, language, on_view)
    _connect_opening(tab.drawing, tab.on_drawing, own, shown, language, on_view)
    _connect_opening(tab.attribution, tab.on_attribution, own, shown, language, on_view)


def _connect_opening(page: Any, on: Any, own: gr.Tab, shown: gr.State, language: gr.Radio, on_view: gr.State) -> None:
    """Fill an instrument when its tab is seen, and anew in another language or over another model."""
    asked = [page.asked, language]
    own.select(on.on_first, asked, page.outputs, **HIDDEN)
    shown.change(on.on_shown, [shown, *asked], page.outputs, **HIDDEN)
    language.input(on.on_language, asked, page.outputs, **HIDDEN)
    on_view.change(on.on_switch, asked, page.outputs, **HIDDEN)
