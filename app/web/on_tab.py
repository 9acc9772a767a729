"""What the tabs show: the panels of the open one are drawn, those of the others when they are opened."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.models import LoadedModel, ModelRegistry
from app.panels.compose import one
from app.panels.controls import controls_view
from app.panels.figures import figures_view
from app.panels.report import report_view
from app.panels.settings import PanelSettings
from app.probing.curves import ProbeResults
from app.probing.word_list import Word
from app.trace.record import Trace
from app.web.answers import Answer
from app.web.on_select import Listeners
from app.web.on_words import WordListeners
from app.web.tabs import TABS, TEXT_TABS, without
from app.web.visitor import model_of
from app.wording.catalogue import speaker
from viz.html import Say

SHOWN = (
    "tab", "filled", "trace", "selected", "cell", "words", "word_set", "probe_results", "proof_set", "lab_first",
    "lab_second", "lab_shown",
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
    probe_results: ProbeResults | None
    proof_set: Any
    lab_first: Any
    lab_second: Any
    lab_shown: bool
    """Whether the laboratory was ever unfolded."""

    def chosen(self, view: PanelSettings) -> "Chosen":
        """What the panels of the text's tabs follow from."""
        return "" if self.trace is None else self.trace.text, self.selected, self.cell, view


Chosen = tuple[str, int, tuple[int, int] | None, PanelSettings]
"""A text, the token and the cell that are chosen in it, and how panels are set."""


def _opened(event: gr.EventData) -> str | None:
    """The tab that an event speaks of; None where it is none of ours."""
    opened = event._data.get("id") if isinstance(event._data, dict) else None
    return opened if isinstance(opened, str) and opened in TABS else None


def _read(values: tuple[Any, ...]) -> tuple[PageState, PanelSettings]:
    """The values of `SHOWN`, then those of `PanelSettings`."""
    return PageState(*values[: len(SHOWN)]), PanelSettings.of(*values[len(SHOWN) :])


class TabListeners:
    """Draws tabs, with what the other listeners know to draw."""

    def __init__(self, registry: ModelRegistry, listeners: Listeners, words: WordListeners) -> None:
        self.registry, self._listeners, self._words = registry, listeners, words

    async def on_opened(self, event: gr.EventData) -> Answer:
        """A tab was opened: which one, at once.  It runs on the event loop, so that tabs opened one right after the
        other are told in their order, however long their panels take."""
        opened = _opened(event)
        return {} if opened is None else {"tab": opened}

    def on_open(self, event: gr.EventData, request: gr.Request, *values: Any) -> Answer:
        """A tab was opened: its panels."""
        opened = _opened(event)
        return {} if opened is None else self._fill(opened, request, values)

    def on_follow(self, request: gr.Request, *values: Any) -> Answer:
        """What the open tab shows may have changed."""
        return self._fill(values[0], request, values)

    def on_overtaken(self, drawn_from: Chosen | None, request: gr.Request, *values: Any) -> Answer:
        """A tab was drawn from this, and its answer is on the page.  What was pressed meanwhile was answered before,
        and lies under it: draw that again."""
        page, view = _read(values)
        if drawn_from is None or drawn_from == page.chosen(view):
            return {}
        stale = {**vars(page), "filled": without(page.filled, *TEXT_TABS)}
        if page.tab not in TEXT_TABS:
            return {"filled": stale["filled"]}
        return self._fill(page.tab, request, (*stale.values(), *values[len(SHOWN) :]))

    def _fill(self, tab: str, request: gr.Request, values: tuple[Any, ...]) -> Answer:
        page, view = _read(values)
        if tab in (page.filled or ()):
            return {"drawn_from": None}
        filled = (*(page.filled or ()), tab)
        drawn_from = page.chosen(view) if tab in TEXT_TABS else None
        return {**self._drawn(tab, page, view, request), "filled": filled, "drawn_from": drawn_from}

    def _drawn(self, tab: str, page: PageState, view: PanelSettings, request: gr.Request) -> Answer:
        model = model_of(request, self.registry)
        if tab in TEXT_TABS:
            made = None if page.trace is None else self.registry.made(page.trace)
            if page.trace is None or made is None:
                return {}
            return self._listeners.panels_in(made, page.trace, page.selected, view, tab, page.cell)
        if tab == "words":
            return self._words.shown(page.words, page.word_set, view.language, request)
        if tab == "proof":
            curves = self._words.on_proof(page.probe_results, page.proof_set, view.language, request)
            return {**curves, **model_panels(model, view)}
        if tab == "lesson":  # it draws itself
            return {}
        if not page.lab_shown:  # the other instruments of this tab draw themselves
            return {}
        return self._listeners.on_compare(page.lab_first, page.lab_second, request, view.language)  # type: ignore[no-any-return]


def model_panels(model: LoadedModel, view: PanelSettings) -> dict[str, str]:
    """The panels about the model itself; each fails alone."""
    speak = speaker(view.language)
    draw: dict[str, Callable[[Say], str]] = {
        "controls": lambda say: controls_view(model.controls, model.engine.bundle.training, say),
        "figures": partial(figures_view, model.engine),
        "report": partial(report_view, model.engine),
    }
    return {name: one(partial(view_of, speak), view) for name, view_of in draw.items()}
