"""The page: its layout, and which listener answers what."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES, LAB_EXAMPLES
from app.models import ModelRegistry
from app.panels.compose import PANELS
from app.web.answers import by_component
from app.web.assets import call_module
from app.web.break_tab import connect_break_tab
from app.web.hero import HeroListener
from app.web.labels import LABELS, relabel
from app.web.layout import SAMPLING, VIEW, WRITTEN, Layout
from app.web.on_select import Listeners
from app.web.on_tab import SHOWN, TabListeners
from app.web.on_translate import EXAMPLES as TRANSLATIONS
from app.web.on_translate import TranslationListeners
from app.web.on_words import WordListeners
from app.web.on_write import RenderedCache, WritingListeners

WORDS_QUEUE = "words"
"""One word set at a time is read or mapped."""

WORDS, PROOF = ("words", "words_figure", "words_status"), ("battery", "proof_figure", "proof_status")
SETS = ("word_set", "proof_set")
LOADING = ("loading", "timer", "on_view", "model", "list_read")
TAB_PANELS = ("tab", "filled", *PANELS, *WORDS, *PROOF, "lab_figure", "twins", "figures", "report")
"""What opening a tab may fill."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
OFTEN: dict[str, Any] = {**QUIET, "concurrency_limit": None}
"""For what waits in a queue of our own, or changes states: outside Gradio's queue a state that changes tells nobody."""
LATEST: dict[str, Any] = {**AT_ONCE, "trigger_mode": "always_last"}


def build_page(registry: ModelRegistry) -> gr.Blocks:
    """The whole page over the models that this server knows; it begins with the one that is shown first."""
    page = Page(registry)
    with page.layout.blocks:
        page.connect()
    blocks: gr.Blocks = page.layout.blocks
    return blocks


class Page:
    """A layout and its listeners; `connect` joins them."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.layout = Layout(registry)
        kept = RenderedCache()
        self.listeners, self.writing = Listeners(registry, relabel, kept), WritingListeners(registry, kept)
        self.translating = TranslationListeners(self.writing)
        self.words = WordListeners(registry)
        self.tabs = TabListeners(registry, self.listeners, self.words)
        self.hero = HeroListener(registry)

    def connect(self) -> None:
        """Add all listeners."""
        self._connect_opening()
        self._connect_writing()
        self._connect_selection()
        self._connect_words()
        self._connect_laboratory()
        page = self.layout
        connect_break_tab(page.break_tab, page.tab_break, page.tab, page.language, page.on_view)

    def _on(
        self, event: Callable[..., Any], listener: Callable[..., Any], inputs: tuple[str, ...],
        outputs: tuple[str, ...], options: dict[str, Any],
    ) -> Any:  # fmt: skip
        """Let a listener answer an event; inputs and outputs by their names in the layout."""
        page = self.layout
        return event(by_component(page, listener), page.of(*inputs), page.of(*outputs), **options)

    def _follow(self, event: Any, options: dict[str, Any] = OFTEN) -> Any:
        """After an event, draw the open tab if that is due."""
        return self._on(event.then, self.tabs.on_follow, (*SHOWN, *VIEW), TAB_PANELS, options)

    def _connect_opening(self) -> None:
        """What is there when the page is opened, when a tab is, and over another model or in another language."""
        page, on = self.layout, self.listeners
        opening = (*WRITTEN, "words", "battery", *SETS, "drawn", "language", "prompt", *SAMPLING, *LABELS)
        loaded = self._on(page.blocks.load, on.on_load, (), (*opening, "linked", "tab", "tabs"), OFTEN)
        ticked = self._on(loaded.then, on.on_tick, ("language",), LOADING, OFTEN)
        self._follow(ticked)
        self._on(page.tabs.select, self.tabs.on_open, (*SHOWN, *VIEW), TAB_PANELS, AT_ONCE)
        self._follow(self._on(page.on_view.change, on.on_switch, ("tab", "language"), (*opening, "linked"), OFTEN))
        read = ("tab", "filled", "drawn", "trace", "selected", "components", "language")
        self._follow(self._on(page.list_read.change, on.on_list_read, read, ("filled", "glyphs"), OFTEN))
        page.list_read.change(self.hero.on_list_read, page.language, page.hero, **OFTEN)
        self._on(page.model.input, on.on_pick, ("model", "language"), LOADING, QUIET)
        self._on(page.timer.tick, on.on_tick, ("language",), LOADING, OFTEN)
        spoken = ("strip", "filled", *SETS, *LABELS)
        self._follow(self._on(page.language.input, on.on_language, ("trace", "selected", *VIEW), spoken, QUIET))

    def _connect_writing(self) -> None:
        page, on = self.layout, self.writing
        asked = ("prompt", *SAMPLING, "tab", *VIEW)

        def write(event: Callable[..., Any]) -> None:
            self._follow(self._on(event, on.on_generate, asked, WRITTEN, OFTEN))

        write(partial(gr.on, [page.generate.click, page.prompt.submit]))
        write(page.linked.change)
        for button, example in zip(page.examples, EXAMPLES, strict=True):
            write(button.click(example.fill, None, [page.prompt, page.seed], **AT_ONCE).then)
        self._follow(self._on(page.look.click, on.on_look, ("prompt", "tab", *VIEW), WRITTEN, OFTEN))
        gr.on([page.stop.click, page.alone_stop.click], on.on_stop, None, None, **AT_ONCE)
        self._on(page.alone.click, on.on_alone, ("trace", "selected", *SAMPLING, *VIEW), ("alone_figure",), OFTEN)
        script = f"(...values) => {call_module('link.js', 'linkLine', '...values')}"
        page.link.click(None, page.of("prompt", *SAMPLING, "language"), page.status, js=script, **QUIET)
        self._connect_translation()

    def _connect_translation(self) -> None:
        page = self.layout

        def translate(event: Callable[..., Any]) -> None:
            asked = ("prompt", "target", "tab", *VIEW)
            self._follow(self._on(event, self.translating.on_translate, asked, WRITTEN, OFTEN))

        translate(page.translate.click)
        for button, example in zip(page.translations, TRANSLATIONS, strict=True):
            translate(button.click(partial(tuple, example), None, page.of("prompt", "target"), **AT_ONCE).then)

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
        proof = ("battery", "proof_set", "language")
        queued = {**QUIET, "concurrency_id": WORDS_QUEUE, "concurrency_limit": 1}
        self._on(page.word_set.input, on.on_preset, ("word_set", "language"), WORDS, QUIET)
        self._on(page.own_show.click, on.on_own, ("own_text", "language"), WORDS, queued)
        self._on(page.umap.click, on.on_umap, ("words", "language"), WORDS, queued)
        self._on(page.proof_set.input, on.on_proof, proof, PROOF, QUIET)
        self._on(page.probe.click, on.on_measure, ("words", "word_set", *proof[1:]), PROOF, queued)
        gr.on([page.words_cancel.click, page.proof_cancel.click], on.on_cancel, None, None, **AT_ONCE)

    def _connect_laboratory(self) -> None:
        page, pair = self.layout, ("lab_first", "lab_second", "language")

        def compare(event: Callable[..., Any], options: dict[str, Any]) -> None:
            self._on(event, self.listeners.on_compare, pair, ("lab_figure",), options)

        compare(partial(gr.on, [page.lab_first.input, page.lab_second.input]), LATEST)
        for button, texts in zip(page.lab_examples, LAB_EXAMPLES, strict=True):
            compare(button.click(partial(tuple, texts), None, page.of(*pair[:2]), **AT_ONCE).then, AT_ONCE)
