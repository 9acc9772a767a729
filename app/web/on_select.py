"""What the page does with what is there already: one method a listener, widget values in, widget values out."""

from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES, opening_trace
from app.engine.sampling import Sampling
from app.models import Shown, Stage
from app.panels.compose import PANELS, draw_experts, draw_glyphs, draw_strip, finished, one, panels, token_panels
from app.panels.depth import depth_view
from app.panels.lab import depths, lab_view
from app.panels.lens import lens_view, lens_window
from app.panels.settings import View, whole
from app.panels.status import news_html, status_html
from app.trace.record import Trace
from app.web.deep_link import Linked, linked
from app.web.on_write import STATUS, Kept
from app.web.visitor import language_of, shown_to, visitor_of
from app.wording.catalogue import LANGUAGES, say, speaker
from app.wording.errors import UserError


class Listeners:
    """Answers to everything a visitor does, over the model that the visitor sees.

    `relabel` gives the labels of the page over a model, in a language.
    """

    def __init__(self, stage: Stage, relabel: Callable[[Shown, str], list[Any]], kept: Kept) -> None:
        self.stage, self.relabel, self._kept = stage, relabel, kept

    def on_load(self, request: gr.Request) -> list[Any]:
        """A new visitor: the opening example, finished, in the visitor's language; or the text that the address
        asks for, which is then written on."""
        shown, language = shown_to(request, self.stage), language_of(request)
        try:
            return self._opening(shown, language, linked(dict(request.query_params or {})))
        except UserError as error:
            opened = self._opening(shown, language)
            opened[STATUS] = status_html(say(error.code, language, **error.values), failed=True)
            return opened

    def on_switch(self, language: str, request: gr.Request) -> list[Any]:
        """Another model is on view: begin anew with it."""
        return self._opening(shown_to(request, self.stage), language if language in LANGUAGES else "en")

    def _opening(self, shown: Shown, language: str, asked: Linked | None = None) -> list[Any]:
        view, example = View(language=language), EXAMPLES[0]
        key, drawn = ("opening", shown.key, view), shown.lexicon.bank is not None
        if (known := self._kept.get(shown, key)) is None:
            known = self._kept.put(shown, key, finished(shown, opening_trace(shown.engine), view, ""))
        first = asked or Linked(example.prompt, Sampling(seed=example.seed))
        filled = [first.text, *astuple(first.sampling), first.text if asked else gr.skip()]
        return [*known, drawn, view.language, *filled, *self.relabel(shown, view.language)]

    def on_select(self, trace: Trace | None, before: Any, event: gr.EventData, *view: Any) -> list[Any]:
        """A token was clicked in any panel, or a cell of the lens; `before`: the one that was selected."""
        clicked = event._data if isinstance(event._data, dict) else {}
        index, expert, layer = (whole(clicked.get(name)) for name in ("index", "expert", "layer"))
        shown = self._of(trace)
        if trace is None or shown is None or index is None or not 1 <= index < len(trace):
            return [gr.skip()] * 6
        settings, cell = View.of(*view), None
        experts, layers = trace.hidden.shape[:2]
        if expert is not None and layer is not None and 0 <= expert < experts and 0 <= layer < layers:
            cell = expert, layer
        depth = one(partial(depth_view, shown.engine, trace, index, speaker(settings.language), cell), settings)
        window, old = (lens_window(shown.engine, trace, i) for i in (index, whole(before) or 1))
        lens: Any = gr.skip()  # the page itself marks the row, if it is there
        if window != old:
            lens = one(partial(lens_view, shown.engine, trace, index, speaker(settings.language)), settings)
        return [index, cell, *token_panels(shown, trace, index, settings), depth, lens]

    def _of(self, trace: Trace | None) -> Shown | None:
        """The model that made a trace: another one may be on view by now."""
        return None if trace is None else self.stage.made(trace)

    def on_pin(
        self, trace: Trace | None, selected: int, cell: tuple[int, int] | None, event: gr.EventData, *view: Any
    ) -> Any:
        """A candidate was clicked: follow it through the layers."""
        pinned = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        shown = self._of(trace)
        if trace is None or shown is None or pinned is None or not 0 <= pinned < shown.engine.model.shape.vocabulary:
            return gr.skip()
        return depth_view(shown.engine, trace, selected, speaker(View.of(*view).language), cell, pinned)

    def on_weight(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """Weight or fusion changed: re-score stored logits."""
        shown = self._of(trace)
        if trace is None or shown is None:
            return gr.skip()
        return draw_experts(shown, trace, selected, View.of(*view))

    def on_components(self, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """Decode the selected token's picture from fewer coordinates."""
        count, shown = whole(components), self._of(trace)
        if trace is None or shown is None or count is None:
            return gr.skip()
        return draw_glyphs(shown, trace, selected, language, count)

    def on_compare(self, first: str, second: str, language: str, request: gr.Request) -> str:
        """Compare two texts in the glyph laboratory."""
        shown = shown_to(request, self.stage)
        try:
            return lab_view(shown.engine, first, second, speaker(language), depths(shown.lexicon, first, second))
        except UserError as error:
            return status_html(say(error.code, language, **error.values), failed=True)

    def on_measure(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """The strip shows another measure."""
        shown = self._of(trace)
        if trace is None or shown is None:
            return gr.skip()
        return draw_strip(shown, trace, selected, View.of(*view))

    def on_language(self, trace: Trace | None, selected: int, request: gr.Request, *view: Any) -> list[Any]:
        """Another language: the same figures, other words."""
        settings, shown = View.of(*view), self._of(trace)
        labels = self.relabel(shown_to(request, self.stage), settings.language)
        if trace is None or shown is None:
            return [*labels, *[gr.skip()] * (1 + PANELS)]
        return [*labels, draw_strip(shown, trace, selected, settings), *panels(shown, trace, selected, settings)]

    # Which model is on view

    def on_pick(self, key: Any, language: str, request: gr.Request) -> list[Any]:
        """Another model was picked: shown now if it is loaded, else loaded beside the one on view."""
        try:
            self.stage.choose(visitor_of(request), str(key))
        except UserError as error:
            message = say(error.code, language, **error.values)
            line = status_html(message, failed=True).replace("gs-status", "gs-news")
            return [line, gr.skip(), gr.skip(), shown_to(request, self.stage).key]
        return self.on_tick(language, request)

    def on_tick(self, language: str, request: gr.Request) -> list[Any]:
        """How loading goes on: a line, whether to ask again, which model is on view, which one is picked, and
        the model whose word list is read ("": not yet)."""
        news, shown = self.stage.news, shown_to(request, self.stage)
        read = shown.lexicon.bank is not None
        picked = gr.skip() if news.busy else shown.key
        told = news_html(news, language)
        return [told, gr.Timer(active=news.busy or not read), shown.key, picked, shown.key if read else ""]

    def on_list_read(self, drawn: bool, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """The word list is there: a glyph panel that was drawn before gets its nearest words."""
        return gr.skip() if drawn else self.on_components(trace, selected, components, language)
