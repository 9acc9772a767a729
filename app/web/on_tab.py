"""What the tabs show: the panels of the open one are drawn, those of the others when they are opened."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.models import LoadedModel, ModelRegistry
from app.panels.compose import one, text_panels
from app.panels.controls import controls_view
from app.panels.figures import figures_view
from app.panels.report import report_view
from app.panels.settings import PanelSettings
from app.probing.curves import Battery
from app.probing.word_list import Word
from app.trace.record import Trace
from app.web.answers import Answer
from app.web.on_select import Listeners
from app.web.on_words import WordListeners
from app.web.tabs import TABS, TEXT_TABS
from app.web.visitor import model_of
from app.wording.catalogue import speaker
from viz.html import Say

SHOWN = (
    "tab", "filled", "trace", "selected", "cell", "words", "word_set", "battery", "proof_set", "lab_first",
    "lab_second",
)  # fmt: skip
"""Names of the components whose values say what the tabs show; then come those of `PanelSettings`."""


@dataclass(frozen=True, eq=False)
class PageState:
    """The values of those components, in their order."""

    tab: str
    filled: tuple[str, ...]
    trace: Trace | None
    selected: int
    cell: tuple[int, int] | None
    words: tuple[Word, ...] | None
    word_set: Any
    battery: Battery | None
    proof_set: Any
    lab_first: Any
    lab_second: Any


class TabListeners:
    """Draws tabs, with what the other listeners know to draw."""

    def __init__(self, registry: ModelRegistry, listeners: Listeners, words: WordListeners) -> None:
        self.registry, self._listeners, self._words = registry, listeners, words

    def on_open(self, event: gr.EventData, request: gr.Request, *values: Any) -> Answer:
        """A tab was opened."""
        opened = event._data.get("id") if isinstance(event._data, dict) else None
        if not isinstance(opened, str) or opened not in TABS:
            return {}
        return {"tab": opened, **self._fill(opened, request, values)}

    def on_follow(self, request: gr.Request, *values: Any) -> Answer:
        """What the open tab shows may have changed."""
        return self._fill(values[0], request, values)

    def _fill(self, tab: str, request: gr.Request, values: tuple[Any, ...]) -> Answer:
        page, view = PageState(*values[: len(SHOWN)]), PanelSettings.of(*values[len(SHOWN) :])
        if tab in (page.filled or ()):
            return {}
        return {**self._drawn(tab, page, view, request), "filled": (*(page.filled or ()), tab)}

    def _drawn(self, tab: str, page: PageState, view: PanelSettings, request: gr.Request) -> Answer:
        model = model_of(request, self.registry)
        if tab in TEXT_TABS:
            made = None if page.trace is None else self.registry.made(page.trace)
            if page.trace is None or made is None:
                return {}
            return dict(text_panels(made, page.trace, page.selected, view, tab, page.cell))
        if tab == "words":
            return self._words.shown(page.words, page.word_set, view.language, request)
        if tab == "proof":
            curves = self._words.on_proof(page.battery, page.proof_set, view.language, request)
            return {**curves, **model_panels(model, view)}
        return self._listeners.on_compare(page.lab_first, page.lab_second, request, view.language)  # type: ignore[no-any-return]


def model_panels(model: LoadedModel, view: PanelSettings) -> dict[str, str]:
    """The panels about the model itself; each fails alone."""
    speak = speaker(view.language)
    draw: dict[str, Callable[[Say], str]] = {
        "twins": lambda say: controls_view(model.twins, model.engine.bundle.training, say),
        "figures": partial(figures_view, model.engine),
        "report": partial(report_view, model.engine),
    }
    return {name: one(partial(view_of, speak), view) for name, view_of in draw.items()}
