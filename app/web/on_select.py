"""What the page does with what is there already: one method a listener; its answer names the components that
change."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from app.engine.examples import OPENINGS, opening_trace
from app.engine.sampling import Sampling
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import (
    PANELS,
    draw_all,
    draw_depth,
    draw_experts,
    draw_glyphs,
    draw_lens,
    draw_strip,
    one,
    text_panels,
    token_panels,
)
from app.panels.lab import depths, lab_view
from app.panels.lens import lens_window
from app.panels.settings import PanelSettings, whole
from app.panels.status import loading_html
from app.trace.record import Trace
from app.web.answers import Answer, failure_html, told_in
from app.web.deep_link import PageLink, linked
from app.web.labels import proof_set_choice, word_set_choice
from app.web.on_link import linked_controls, linked_view
from app.web.on_write import RenderedCache
from app.web.tabs import TEXT_TABS, known_tab, without
from app.web.visitor import language_of, model_of, visitor_of
from app.wording.catalogue import LANGUAGES, speaker
from app.wording.errors import UserError

_CHOSEN = ("selected", "cell", "filled")
"""What a chosen token changes."""


_WITH_LIST = " with the word list"


def opening_name(model: LoadedModel, language: str, tab: str, listed: bool = False) -> str:
    """Tells one opened page from all that begin differently, and whether the word list was there when it was drawn."""
    return f"{model.key} {language} {tab}{_WITH_LIST if listed else ''}"


def _opening_key(model: LoadedModel, view: PanelSettings, tab: str) -> tuple[Any, ...]:
    return "opening", model.key, view, tab


class Listeners:
    """Answers to everything a visitor does, over the model that the visitor sees.

    `relabel` gives the labels of the page over a model, in a language.
    """

    def __init__(
        self, registry: ModelRegistry, relabel: Callable[[LoadedModel, str], Answer], kept: RenderedCache
    ) -> None:
        self.registry, self.relabel, self._rendered = registry, relabel, kept

    def on_load(self, opened: str, filled: Any, request: gr.Request) -> Answer:
        """A new visitor: the opening example, finished, in the visitor's language; with what the address asks for,
        whose text is then written on or read.  The tab in the address wins over that of a link: it is later.

        opened: what the page came with already (`opening_name`), so that only what the server has to know is left;
        filled: the tabs that are up to date, some where the visitor has chosen a token by now."""
        model, language = model_of(request, self.registry), language_of(request)
        query = dict(request.query_params or {})
        told: Answer = {}
        try:
            asked = linked(query)
        except UserError as error:
            asked, told = None, {"status": failure_html(error, language)}
        tab = known_tab(query.get("tab") or (asked.tab if asked else None))
        answer = self.opening(model, language, tab)
        if opened.removesuffix(_WITH_LIST) == opening_name(model, language, tab):
            known = _CHOSEN if filled else ()
            answer = {name: answer[name] for name in (*_CHOSEN, "trace", "made") if name not in known}
            answer["drawn"] = opened.endswith(_WITH_LIST)
        else:
            answer["tabs"] = gr.update(selected=tab)
        if asked:
            for name, value in linked_controls(asked, model).items():
                answer[name] = {**answer.get(name, gr.update()), "value": value}
            answer |= {"linked": asked, "link_shown": linked_view(asked)}
        return {**answer, "tab": tab, **told}

    def on_switch(self, tab: str, language: str, request: gr.Request) -> Answer:
        """Another model is on view: begin anew with it."""
        return self.opening(model_of(request, self.registry), language if language in LANGUAGES else "en", tab)

    def opening(self, model: LoadedModel, language: str, tab: str) -> Answer:
        """All that a page begins with."""
        view, example = PanelSettings(language=language), OPENINGS[language]
        known, listed = self._opening_drawn(model, view, tab), model.word_cache.list_states is not None
        made, kept_out = PageLink.of(example.prompt, Sampling(seed=example.seed)), f"kept_{language}"
        labels = {
            **self.relabel(model, view.language),
            "word_set": word_set_choice(language, value=kept_out),
            "proof_set": proof_set_choice(language, value=kept_out),
        }
        values = linked_controls(made, model)
        return {
            **known,
            **labels,
            **{name: {**labels.get(name, gr.update()), "value": value} for name, value in values.items()},
            "made": made,
            "drawn": listed,
            "language": view.language,
            "words": None,
            "probe_results": None,
        }

    def _opening_drawn(self, model: LoadedModel, view: PanelSettings, tab: str) -> Answer:
        """The opening text with its panels in a tab, drawn once for all visitors."""
        key = _opening_key(model, view, tab)
        if (known := self._rendered.get(model, key)) is None:
            trace = opening_trace(model.engine, view.language)
            known = self._rendered.put(model, key, draw_all(model, trace, view, "", tab))
        return known

    def panels_in(
        self, model: LoadedModel, trace: Trace, selected: int, view: PanelSettings, tab: str,
        cell: tuple[int, int] | None,
    ) -> Answer:  # fmt: skip
        """The panels of a text in a tab; those of the opening text are kept, as long as nobody has changed anything."""
        opened = self._rendered.get(model, _opening_key(model, view, "read"))
        if opened is None or (opened["trace"], opened["selected"], None) != (trace, selected, cell):
            return dict(text_panels(model, trace, selected, view, tab, cell))
        drawn = self._opening_drawn(model, view, tab)
        return {name: drawn[name] for name in PANELS if name in drawn}

    def on_select(
        self, trace: Trace | None, before: Any, tab: str, filled: Any, event: gr.EventData, request: gr.Request,
        *view: Any,
    ) -> Answer:  # fmt: skip
        """A token was clicked in any panel, or a cell of the lens; `before`: the one that was selected."""
        clicked = event._data if isinstance(event._data, dict) else {}
        index, expert, layer = (whole(clicked.get(name)) for name in ("index", "expert", "layer"))
        settings, cell = PanelSettings.of(*view), None
        if trace is None:  # the page came with its opening text, and `on_load` was not answered yet
            shown = model_of(request, self.registry)
            trace, filled = opening_trace(shown.engine, settings.language), (tab,)
        model = self._of(trace)
        if model is None or index is None or not 1 <= index < len(trace):
            return {}
        experts, layers = trace.hidden.shape[:2]
        if expert is not None and layer is not None and 0 <= expert < experts and 0 <= layer < layers:
            cell = expert, layer
        chosen = {"selected": index, "cell": cell, "filled": without(filled, *(t for t in TEXT_TABS if t != tab))}
        if tab == "read":
            return {**chosen, **token_panels(model, trace, index, settings)}
        return {**chosen, **(self._layers(model, trace, index, before, cell, settings) if tab == "layers" else {})}

    def _layers(
        self, model: LoadedModel, trace: Trace, index: int, before: Any, cell: tuple[int, int] | None,
        view: PanelSettings,
    ) -> Answer:  # fmt: skip
        """What a selected token changes in the tab of the layers."""
        speak = speaker(view.language)
        panels = {"depth": one(partial(draw_depth, model, trace, index, speak, cell), view)}
        window, old = (lens_window(model.engine, trace, i) for i in (index, whole(before) or 1))
        if window != old:  # else the page itself marks the row
            panels["lens"] = one(partial(draw_lens, model, trace, index, speak), view)
        return panels

    def _of(self, trace: Trace | None) -> LoadedModel | None:
        """The model that made a trace: another one may be on view by now."""
        return None if trace is None else self.registry.made(trace)

    def on_pin(
        self, trace: Trace | None, selected: int, cell: tuple[int, int] | None, event: gr.EventData, *view: Any
    ) -> Answer:
        """A candidate was clicked: follow it through the layers."""
        pinned = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        model = self._of(trace)
        if trace is None or model is None or pinned is None or not 0 <= pinned < model.engine.model.shape.vocabulary:
            return {}
        speak = speaker(PanelSettings.of(*view).language)
        return {"depth": draw_depth(model, trace, selected, speak, cell, pinned)}

    def on_weight(self, trace: Trace | None, selected: int, *view: Any) -> Answer:
        """Weight or fusion changed: re-score stored logits."""
        model = self._of(trace)
        if trace is None or model is None:
            return {}
        return {"experts": draw_experts(model, trace, selected, PanelSettings.of(*view))}

    def on_components(self, trace: Trace | None, selected: int, components: Any, language: str) -> Answer:
        """Decode the selected token's picture from fewer coordinates."""
        count, model = whole(components), self._of(trace)
        if trace is None or model is None or count is None:
            return {}
        return {"glyphs": draw_glyphs(model, trace, selected, language, count)}

    @told_in("lab_figure")
    def on_compare(self, first: str, second: str, request: gr.Request, language: str) -> Answer:
        """Compare two texts in the glyph laboratory."""
        model = model_of(request, self.registry)
        near = depths(model.word_cache, first, second)
        return {"lab_figure": lab_view(model.engine, first, second, speaker(language), near)}

    def on_unfold(self, first: str, second: str, language: str, request: gr.Request) -> Answer:
        """The glyph laboratory is unfolded."""
        return {**self.on_compare(first, second, request, language), "lab_shown": True}

    def on_linked_lab(self, link: PageLink | None, language: str, request: gr.Request) -> Answer:
        """The laboratory as the link has it that the page was opened by."""
        if link is None or link.lab is None:
            return {}
        first, second = link.lab.first, link.lab.second
        compared = self.on_unfold(first, second, language, request)
        return {"lab": gr.update(open=True), "lab_first": first, "lab_second": second, **compared}

    def on_measure(self, trace: Trace | None, selected: int, *view: Any) -> Answer:
        """The strip shows another measure."""
        model = self._of(trace)
        if trace is None or model is None:
            return {}
        return {"strip": draw_strip(model, trace, selected, PanelSettings.of(*view))}

    def on_language(self, trace: Trace | None, selected: int, request: gr.Request, *view: Any) -> Answer:
        """Another language: the same figures, other words; the tabs are then drawn anew."""
        settings, model = PanelSettings.of(*view), self._of(trace)
        labels: Answer = {
            **self.relabel(model_of(request, self.registry), settings.language),
            "word_set": word_set_choice(settings.language),
            "proof_set": proof_set_choice(settings.language),
            "filled": (),
        }
        if trace is None or model is None:
            return labels
        return {**labels, "strip": draw_strip(model, trace, selected, settings)}

    # Which model is on view

    def on_pick(self, key: Any, language: str, request: gr.Request) -> Answer:
        """Another model was picked: shown now if it is loaded, else loaded beside the one on view."""
        try:
            self.registry.choose(visitor_of(request).session, str(key))
        except UserError as error:
            self.registry.tell(visitor_of(request).session, error)
            return {**self.on_tick(language, request), "model": model_of(request, self.registry).key}
        return self.on_tick(language, request)

    def on_dismiss(self, request: gr.Request) -> Answer:
        """The visitor dismissed the line about a model that is not shown."""
        self.registry.tell(visitor_of(request).session, None)
        return {"loading": ""}

    def on_tick(self, language: str, request: gr.Request) -> Answer:
        """How loading goes on: a line, whether to ask again, which model is on view, which one is picked, and
        the model whose word list is read ("": not yet)."""
        visitor, model = visitor_of(request).session, model_of(request, self.registry)
        loading = self.registry.loading_of(visitor)
        read = model.word_cache.list_states is not None
        return {
            "loading": loading_html(loading, self.registry.error_of(visitor), language),
            "timer": gr.Timer(active=self.registry.loading.busy or not read),
            "on_view": model.key,
            "list_read": model.key if read else "",
            **({} if loading.busy else {"model": model.key}),
        }

    def on_list_read(
        self, filled: Any, drawn: bool, trace: Trace | None, selected: int, components: Any, language: str
    ) -> Answer:
        """The word list is there: what was drawn before it is drawn anew.  The glyphs, which get their nearest words,
        at once, whichever tab is open: a tab that is just being opened tells `filled` as it was before this."""
        answer: Answer = {"filled": without(filled, "words", "proof")}
        return answer if drawn else {**answer, **self.on_components(trace, selected, components, language)}
