"""The page: its layout, and which listener answers what."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES, LAB_EXAMPLES
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import PANELS
from app.web.answers import by_component, properties
from app.web.assets import call_module
from app.web.break_tab import connect_break_tab
from app.web.hero import HeroListener
from app.web.labels import LABELS, relabel
from app.web.layout import SAMPLING, VIEW, WRITTEN, Layout
from app.web.lesson_tab import connect_lesson_tab
from app.web.linked_instruments import INSTRUMENTS
from app.web.on_link import LinkListeners
from app.web.on_select import Listeners, opening_name
from app.web.on_tab import SHOWN, TabListeners
from app.web.on_translate import EXAMPLES as TRANSLATIONS
from app.web.on_translate import TranslationListeners
from app.web.on_words import WordListeners
from app.web.on_write import RenderedCache, WritingListeners

WORDS_QUEUE = "words"
"""One word set at a time is read or mapped."""

WORDS, PROOF = ("words", "words_figure", "words_status"), ("probe_results", "proof_figure", "proof_status")
SETS = ("word_set", "proof_set")
LINKED = ("linked", "link_shown")
LOADING = ("loading", "timer", "on_view", "model", "list_read")
TAB_PANELS = ("filled", "drawn_from", *PANELS, *WORDS, *PROOF, "lab_figure", "controls", "figures", "report")
"""What opening a tab may fill."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
OFTEN: dict[str, Any] = {**QUIET, "concurrency_limit": None}
"""For what waits in a queue of our own, or changes states: outside Gradio's queue a changed state triggers no
listener."""
ONE_WORD_SET: dict[str, Any] = {**QUIET, "concurrency_id": WORDS_QUEUE, "concurrency_limit": 1}
EVERY: dict[str, Any] = {**AT_ONCE, "trigger_mode": "multiple"}
"""Each event is answered, also while another one is."""
LATEST: dict[str, Any] = {**AT_ONCE, "trigger_mode": "always_last"}
"""For listeners that read their inputs alone: an event put off comes with the data of the one before it."""


def build_page(registry: ModelRegistry, add_endpoints: Callable[[], None]) -> "Page":
    """The whole page over the models that this server knows; it begins with the one that is shown first.  add_endpoints
    is called while the page is open: Gradio builds its server anew, in a tenth of a second, whenever one is closed."""
    with gr.Blocks(title="Glyphscope", analytics_enabled=False) as blocks:
        page = Page(registry, blocks)
        page.connect()
        add_endpoints()
        report_progress_on(blocks, page.layout.tab)
    return page


def report_progress_on(blocks: gr.Blocks, place: Any) -> None:
    """Have all listeners report how far they are on one component that shows nothing of it.  Gradio's page would tell
    every component that ever was an output of anything, at each step of every listener: a tenth of a second a time."""
    for listener in blocks.fns.values():
        listener.show_progress_on = [place]


class Page:
    """A layout and its listeners; `connect` joins them."""

    def __init__(self, registry: ModelRegistry, blocks: gr.Blocks) -> None:
        self.layout = Layout(registry, blocks)
        kept = RenderedCache()
        self.listeners, self.writing = Listeners(registry, relabel, kept), WritingListeners(registry, kept)
        self.translating = TranslationListeners(self.writing)
        self.words = WordListeners(registry)
        self.linking = LinkListeners(registry, self.writing, self.translating, self.words)
        self.tabs = TabListeners(registry, self.listeners, self.words)
        self.hero = HeroListener(registry)

    def opening(self, model: LoadedModel, language: str, tab: str) -> dict[int, dict[str, Any]]:
        """What the page begins with, as Gradio's page is told it: properties by the number of their component."""
        answer = self.listeners.opening(model, language, tab)
        came = opening_name(model, language, tab, answer["drawn"])
        answer |= {"opened": came, "tabs": gr.update(selected=tab)}
        return {
            getattr(self.layout, name)._id: properties(value)
            for name, value in answer.items()
            if not isinstance(getattr(self.layout, name), gr.State)
        }

    def connect(self) -> None:
        """Add all listeners."""
        self._connect_opening()
        self._connect_writing()
        self._connect_links()
        self._connect_selection()
        self._connect_words()
        self._connect_laboratory()
        page = self.layout
        connect_break_tab(page.break_tab, page.tab_break, page.tab, page.language, page.on_view, page.linked)
        connect_lesson_tab(page.lesson_tab, page.tab_lesson, page.tab, page.language, page.on_view)

    def _on(
        self, event: Callable[..., Any], listener: Callable[..., Any], inputs: tuple[str, ...],
        outputs: tuple[str, ...], options: dict[str, Any],
    ) -> Any:  # fmt: skip
        """Let a listener answer an event; inputs and outputs by their names in the layout."""
        page = self.layout
        return event(by_component(page, listener), page.of(*inputs), page.of(*outputs), **options)

    def _pressed(
        self, buttons: Sequence[gr.Button], values: Sequence[tuple[Any, ...]], outputs: tuple[str, ...]
    ) -> Any:
        """Fill in the values of the button that was pressed.  One listener for all: the page opens the later the more
        there are."""
        given = {button._id: value for button, value in zip(buttons, values, strict=True)}

        def fill(event: gr.EventData) -> tuple[Any, ...]:
            return given[event.target._id]  # type: ignore[union-attr]

        return gr.on([button.click for button in buttons], fill, None, self.layout.of(*outputs), **EVERY)

    def _follow(self, event: Any, options: dict[str, Any] = OFTEN) -> Any:
        """After an event, draw the open tab if that is due."""
        return self._on(event.then, self.tabs.on_follow, (*SHOWN, *VIEW), TAB_PANELS, options)

    def _check(self, drawn: Any) -> None:
        """After a tab was drawn, see whether something was pressed meanwhile."""
        self._on(drawn.then, self.tabs.on_overtaken, ("drawn_from", *SHOWN, *VIEW), TAB_PANELS, EVERY)

    def _connect_opening(self) -> None:
        """What is there when the page is opened, when a tab is, and over another model or in another language."""
        page, on = self.layout, self.listeners
        opening = (*WRITTEN, "words", "probe_results", *SETS, "drawn", "language", "prompt", *SAMPLING, *LABELS)
        loaded = self._on(page.blocks.load, on.on_load, ("opened", "filled"), (*opening, *LINKED, "tab", "tabs"), OFTEN)
        ticked = self._on(loaded.then, on.on_tick, ("language",), LOADING, OFTEN)
        self._follow(ticked)
        self._on(page.tabs.select, self.tabs.on_opened, (), ("tab",), EVERY)
        self._check(self._on(page.tabs.select, self.tabs.on_open, (*SHOWN, *VIEW), TAB_PANELS, EVERY))
        self._follow(self._on(page.on_view.change, on.on_switch, ("tab", "language"), (*opening, *LINKED), OFTEN))
        read = ("filled", "drawn", "trace", "selected", "components", "language")
        self._follow(self._on(page.list_read.change, on.on_list_read, read, ("filled", "glyphs"), OFTEN))
        page.list_read.change(self.hero.on_list_read, page.language, page.hero, **OFTEN)
        self._on(page.model.input, on.on_pick, ("model", "language"), LOADING, QUIET)
        self._on(page.loading.clear, on.on_dismiss, (), ("loading",), QUIET)
        self._on(page.timer.tick, on.on_tick, ("language",), LOADING, OFTEN)
        relabelled = ("strip", "filled", *SETS, *LABELS)
        spoken = self._on(page.language.input, on.on_language, ("trace", "selected", *VIEW), relabelled, QUIET)
        self._check(self._follow(spoken))

    def _connect_writing(self) -> None:
        page, on = self.layout, self.writing
        asked = ("prompt", *SAMPLING, "tab", *VIEW)

        def write(event: Callable[..., Any]) -> None:
            self._follow(self._on(event, on.on_generate, asked, WRITTEN, OFTEN))

        write(partial(gr.on, [page.generate.click, page.prompt.submit]))
        write(self._on(page.another.click, on.on_another, ("seed",), ("seed",), AT_ONCE).then)
        write(self._on(page.more.click, on.on_more, ("trace", "prompt"), ("prompt",), AT_ONCE).then)
        write(self._pressed(page.examples, [example.fill() for example in EXAMPLES], ("prompt", "seed")).then)
        self._follow(self._on(page.look.click, on.on_look, ("prompt", "tab", *VIEW), WRITTEN, OFTEN))
        gr.on([page.stop.click, page.alone_stop.click], on.on_stop, None, None, **AT_ONCE)
        self._on(page.alone.click, on.on_alone, ("trace", "selected", *SAMPLING, *VIEW), ("alone_figure",), OFTEN)
        self._connect_translation()

    def _connect_links(self) -> None:
        """A link to what is shown, and a page that was opened by one."""
        page, on = self.layout, self.linking
        shown = ("made", "selected", "cell", "words", "tab", "prompt", *SAMPLING, *SETS, *INSTRUMENTS, *VIEW)
        view = f"(_, ...values) => {call_module('link.js', 'pageView', '')}.then((view) => [view, ...values])"
        self._on(page.link.click, on.on_link, ("in_browser", *shown), ("link_shown",), {**AT_ONCE, "js": view})
        opened = ("linked", "made", "trace", "tab", *VIEW)
        texts = self._on(page.linked.change, on.on_linked, opened, WRITTEN, OFTEN)
        words = self._on(texts.then, on.on_linked_words, ("linked", "language"), WORDS, ONE_WORD_SET)
        self._follow(words)
        laboratory = ("lab", "lab_first", "lab_second", "lab_figure", "lab_shown")
        self._on(page.linked.change, self.listeners.on_linked_lab, ("linked", "language"), laboratory, OFTEN)

    def _connect_translation(self) -> None:
        page = self.layout

        def translate(event: Callable[..., Any]) -> None:
            asked = ("prompt", "target", "tab", *VIEW)
            self._follow(self._on(event, self.translating.on_translate, asked, WRITTEN, OFTEN))

        translate(page.translate.click)
        translate(self._pressed(page.translations, TRANSLATIONS, ("prompt", "target")).then)

    def _connect_selection(self) -> None:
        """The selected token, and how its panels are set."""
        page, on = self.layout, self.listeners
        shown = ("trace", "selected", *VIEW)
        moved = ("selected", "cell", "filled", "glyphs", "experts", "depth", "lens")
        for source in (page.strip, page.disagreement, page.layers, page.lens):
            before = ("trace", "selected", "tab", "filled", *VIEW)
            self._on(source.select, on.on_select, before, moved, AT_ONCE)
        self._on(page.depth.select, on.on_pin, ("trace", "selected", "cell", *VIEW), ("depth",), AT_ONCE)
        for slider in (page.weight, page.fusion):
            self._on(slider.input, on.on_weight, shown, ("experts",), LATEST)
        decoded = ("trace", "selected", "components", "language")
        self._on(page.components.input, on.on_components, decoded, ("glyphs",), LATEST)
        self._on(page.measure.input, on.on_measure, shown, ("strip",), AT_ONCE)

    def _connect_words(self) -> None:
        page, on = self.layout, self.words
        proof = ("probe_results", "proof_set", "language")
        self._on(page.word_set.input, on.on_preset, ("word_set", "language"), WORDS, QUIET)
        self._on(page.own_show.click, on.on_own, ("own_text", "language"), WORDS, ONE_WORD_SET)
        self._on(page.umap.click, on.on_umap, ("words", "language"), WORDS, ONE_WORD_SET)
        self._on(page.proof_set.input, on.on_proof, proof, PROOF, QUIET)
        self._on(page.probe.click, on.on_measure, ("words", "word_set", *proof[1:]), PROOF, ONE_WORD_SET)
        gr.on([page.words_cancel.click, page.proof_cancel.click], on.on_cancel, None, None, **AT_ONCE)

    def _connect_laboratory(self) -> None:
        page, pair = self.layout, ("lab_first", "lab_second", "language")

        def compare(event: Callable[..., Any], options: dict[str, Any]) -> None:
            self._on(event, self.listeners.on_compare, pair, ("lab_figure",), options)

        self._on(page.lab.expand, self.listeners.on_unfold, pair, ("lab_figure", "lab_shown"), AT_ONCE)
        compare(partial(gr.on, [page.lab_first.input, page.lab_second.input]), LATEST)
        compare(self._pressed(page.lab_examples, LAB_EXAMPLES, pair[:2]).then, AT_ONCE)
