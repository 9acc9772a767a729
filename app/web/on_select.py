"""What the page does with what is there already: one method a listener, widget values in, widget values out."""

from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES, opening_trace
from app.engine.sampling import Sampling
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import PANEL_COUNT, draw_all, draw_experts, draw_glyphs, draw_strip, one, panels, token_panels
from app.panels.depth import depth_view
from app.panels.lab import depths, lab_view
from app.panels.lens import lens_view, lens_window
from app.panels.settings import PanelSettings, whole
from app.panels.status import loading_html, status_html
from app.trace.record import Trace
from app.web.deep_link import Linked, linked
from app.web.on_write import STATUS, RenderedCache
from app.web.visitor import language_of, model_of, visitor_of
from app.wording.catalogue import LANGUAGES, say, speaker
from app.wording.errors import UserError


class Listeners:
    """Answers to everything a visitor does, over the model that the visitor sees.

    `relabel` gives the labels of the page over a model, in a language.
    """

    def __init__(
        self, registry: ModelRegistry, relabel: Callable[[LoadedModel, str], list[Any]], kept: RenderedCache
    ) -> None:
        self.registry, self.relabel, self._rendered = registry, relabel, kept

    def on_load(self, request: gr.Request) -> list[Any]:
        """A new visitor: the opening example, finished, in the visitor's language; or the text that the address
        asks for, which is then written on."""
        model, language = model_of(request, self.registry), language_of(request)
        try:
            return self._opening(model, language, linked(dict(request.query_params or {})))
        except UserError as error:
            opened = self._opening(model, language)
            opened[STATUS] = status_html(say(error.code, language, **error.values), failed=True)
            return opened

    def on_switch(self, language: str, request: gr.Request) -> list[Any]:
        """Another model is on view: begin anew with it."""
        return self._opening(model_of(request, self.registry), language if language in LANGUAGES else "en")

    def _opening(self, model: LoadedModel, language: str, asked: Linked | None = None) -> list[Any]:
        view, example = PanelSettings(language=language), EXAMPLES[0]
        key, drawn = ("opening", model.key, view), model.lexicon.bank is not None
        if (known := self._rendered.get(model, key)) is None:
            known = self._rendered.put(model, key, draw_all(model, opening_trace(model.engine), view, ""))
        first = asked or Linked(example.prompt, Sampling(seed=example.seed))
        filled = [first.text, *astuple(first.sampling), first.text if asked else gr.skip()]
        return [*known, drawn, view.language, *filled, *self.relabel(model, view.language)]

    def on_select(self, trace: Trace | None, before: Any, event: gr.EventData, *view: Any) -> list[Any]:
        """A token was clicked in any panel, or a cell of the lens; `before`: the one that was selected."""
        clicked = event._data if isinstance(event._data, dict) else {}
        index, expert, layer = (whole(clicked.get(name)) for name in ("index", "expert", "layer"))
        model = self._of(trace)
        if trace is None or model is None or index is None or not 1 <= index < len(trace):
            return [gr.skip()] * 6
        settings, cell = PanelSettings.of(*view), None
        experts, layers = trace.hidden.shape[:2]
        if expert is not None and layer is not None and 0 <= expert < experts and 0 <= layer < layers:
            cell = expert, layer
        depth = one(partial(depth_view, model.engine, trace, index, speaker(settings.language), cell), settings)
        window, old = (lens_window(model.engine, trace, i) for i in (index, whole(before) or 1))
        lens: Any = gr.skip()  # the page itself marks the row, if it is there
        if window != old:
            lens = one(partial(lens_view, model.engine, trace, index, speaker(settings.language)), settings)
        return [index, cell, *token_panels(model, trace, index, settings), depth, lens]

    def _of(self, trace: Trace | None) -> LoadedModel | None:
        """The model that made a trace: another one may be on view by now."""
        return None if trace is None else self.registry.made(trace)

    def on_pin(
        self, trace: Trace | None, selected: int, cell: tuple[int, int] | None, event: gr.EventData, *view: Any
    ) -> Any:
        """A candidate was clicked: follow it through the layers."""
        pinned = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        model = self._of(trace)
        if trace is None or model is None or pinned is None or not 0 <= pinned < model.engine.model.shape.vocabulary:
            return gr.skip()
        return depth_view(model.engine, trace, selected, speaker(PanelSettings.of(*view).language), cell, pinned)

    def on_weight(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """Weight or fusion changed: re-score stored logits."""
        model = self._of(trace)
        if trace is None or model is None:
            return gr.skip()
        return draw_experts(model, trace, selected, PanelSettings.of(*view))

    def on_components(self, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """Decode the selected token's picture from fewer coordinates."""
        count, model = whole(components), self._of(trace)
        if trace is None or model is None or count is None:
            return gr.skip()
        return draw_glyphs(model, trace, selected, language, count)

    def on_compare(self, first: str, second: str, language: str, request: gr.Request) -> str:
        """Compare two texts in the glyph laboratory."""
        model = model_of(request, self.registry)
        try:
            return lab_view(model.engine, first, second, speaker(language), depths(model.lexicon, first, second))
        except UserError as error:
            return status_html(say(error.code, language, **error.values), failed=True)

    def on_measure(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """The strip shows another measure."""
        model = self._of(trace)
        if trace is None or model is None:
            return gr.skip()
        return draw_strip(model, trace, selected, PanelSettings.of(*view))

    def on_language(self, trace: Trace | None, selected: int, request: gr.Request, *view: Any) -> list[Any]:
        """Another language: the same figures, other words."""
        settings, model = PanelSettings.of(*view), self._of(trace)
        labels = self.relabel(model_of(request, self.registry), settings.language)
        if trace is None or model is None:
            return [*labels, *[gr.skip()] * (1 + PANEL_COUNT)]
        return [*labels, draw_strip(model, trace, selected, settings), *panels(model, trace, selected, settings)]

    # Which model is on view

    def on_pick(self, key: Any, language: str, request: gr.Request) -> list[Any]:
        """Another model was picked: shown now if it is loaded, else loaded beside the one on view."""
        try:
            self.registry.choose(visitor_of(request), str(key))
        except UserError as error:
            message = say(error.code, language, **error.values)
            line = status_html(message, failed=True).replace("gs-status", "gs-news")
            return [line, gr.skip(), gr.skip(), model_of(request, self.registry).key]
        return self.on_tick(language, request)

    def on_tick(self, language: str, request: gr.Request) -> list[Any]:
        """How loading goes on: a line, whether to ask again, which model is on view, which one is picked, and
        the model whose word list is read ("": not yet)."""
        loading, model = self.registry.loading, model_of(request, self.registry)
        read = model.lexicon.bank is not None
        picked = gr.skip() if loading.busy else model.key
        told = loading_html(loading, language)
        return [told, gr.Timer(active=loading.busy or not read), model.key, picked, model.key if read else ""]

    def on_list_read(self, drawn: bool, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """The word list is there: a glyph panel that was drawn before gets its nearest words."""
        return gr.skip() if drawn else self.on_components(trace, selected, components, language)
