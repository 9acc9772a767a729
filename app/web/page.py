"""The page: its layout, and which listener answers what."""

from functools import partial
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES, LAB_EXAMPLES
from app.models import ModelRegistry
from app.web.assets import call_module
from app.web.break_tab import connect_break_tab
from app.web.layout import Layout
from app.web.on_select import Listeners
from app.web.on_words import WordListeners
from app.web.on_write import RenderedCache, WritingListeners

WORDS_QUEUE = "words"
"""One word set at a time is read or mapped."""


def build_page(registry: ModelRegistry) -> gr.Blocks:
    """The whole page over the models that this server knows; it begins with the one that is shown first."""
    page = Page(registry)
    page.connect()
    blocks: gr.Blocks = page.layout.blocks
    return blocks


class Page:
    """A layout and its listeners; `connect` joins them."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.layout = layout = Layout(registry)
        relabel = lambda shown, language: [label(shown, language) for _, label in layout.labels]  # noqa: E731
        kept = RenderedCache()
        self.listeners, self.writing = Listeners(registry, relabel, kept), WritingListeners(registry, kept)
        self.word_listeners = WordListeners(registry)

    def connect(self) -> None:
        """Add all listeners."""
        page = self.layout
        hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        model: dict[str, Any] = {**hidden, "concurrency_limit": None}  # the request queue limits them
        on, labelled = self.listeners, [component for component, _ in page.labels]
        shown = [page.trace, page.selected, *page.view]
        with page.blocks:
            self._connect_writing(hidden, model)
            moved = [page.selected, page.cell, page.glyphs, page.experts, page.depth, page.lens]
            for source in (page.strip, page.disagreement, page.layers, page.lens):
                source.select(on.on_select, [page.trace, page.selected, *page.view], moved, queue=False, **hidden)
            page.depth.select(
                on.on_pin, [page.trace, page.selected, page.cell, *page.view], page.depth, queue=False, **hidden
            )
            for slider in (page.weight, page.fusion):
                slider.input(on.on_weight, shown, page.experts, queue=False, trigger_mode="always_last", **hidden)
            page.components.input(
                on.on_components,
                [page.trace, page.selected, page.components, page.language],
                page.glyphs,
                queue=False,
                trigger_mode="always_last",
                **hidden,
            )
            gr.on(
                [page.lab_first.input, page.lab_second.input, page.lab.expand, page.language.input],
                on.on_compare, page.pair, page.lab_figure, queue=False, trigger_mode="always_last", **hidden,
            )  # fmt: skip
            for button, pair in zip(page.lab_examples, LAB_EXAMPLES, strict=True):
                button.click(partial(tuple, pair), None, page.pair[:2], queue=False, **hidden).then(
                    on.on_compare, page.pair, page.lab_figure, queue=False, **hidden
                )
            page.measure.input(on.on_measure, shown, page.strip, queue=False, **hidden)
            relabelled = [*labelled, page.strip, *page.panels]
            page.language.input(on.on_language, shown, relabelled, **hidden).then(
                self.word_listeners.on_language, [page.words, page.language], page.words_figure, **hidden
            ).then(
                self.word_listeners.on_proof,
                [page.battery, page.proof_set, page.language],
                page.proof_outputs,
                **hidden,
            )
            asked = [page.prompt, *page.sampling, page.linked]
            loaded = [*page.everything, page.drawn, page.language, *asked, *labelled]
            told = [page.loading, page.timer, page.on_view, page.model, page.list_read]
            opened = page.blocks.load(on.on_load, None, loaded, concurrency_limit=None, **hidden)
            # In the queue: a state that changes outside it tells nobody.
            often: dict[str, Any] = {**hidden, "concurrency_limit": None}
            opened.then(on.on_tick, page.language, told, **often)
            page.on_view.change(on.on_switch, page.language, loaded, **often)
            page.list_read.change(
                self.word_listeners.on_load, page.language, [page.word_set, *page.word_outputs], **often
            ).then(
                self.word_listeners.on_load_proof, page.language, [page.proof_set, *page.proof_outputs], **often
            ).then(
                on.on_list_read,
                [page.drawn, page.trace, page.selected, page.components, page.language],
                page.glyphs,
                **often,
            )
            page.model.input(on.on_pick, [page.model, page.language], told, **often)
            page.timer.tick(on.on_tick, page.language, told, **often)
            self._connect_words(hidden)
            connect_break_tab(page.break_tab, opened.then, page.language, page.on_view)

    def _connect_writing(self, hidden: dict[str, Any], model: dict[str, Any]) -> None:
        page = self.layout
        on, asked = self.writing, [page.prompt, *page.sampling, *page.view]
        gr.on([page.generate.click, page.prompt.submit], on.on_generate, asked, page.everything, **model)
        page.linked.change(on.on_generate, asked, page.everything, **model)
        script = f"(...values) => {call_module('link.js', 'linkLine', '...values')}"
        page.link.click(None, [page.prompt, *page.sampling, page.language], page.status, js=script, **hidden)
        page.look.click(on.on_look, [page.prompt, *page.view], page.everything, **model)
        gr.on([page.stop.click, page.alone_stop.click], on.on_stop, None, None, queue=False, **hidden)
        page.alone.click(
            on.on_alone,
            [page.trace, page.selected, *page.sampling, *page.view],
            page.alone_figure,
            **model,
        )
        for button, example in zip(page.examples, EXAMPLES, strict=True):
            button.click(example.fill, None, [page.prompt, page.seed], queue=False, **hidden).then(
                on.on_generate, asked, page.everything, **model
            )

    def _connect_words(self, hidden: dict[str, Any]) -> None:
        page = self.layout
        on, outputs = self.word_listeners, page.word_outputs
        proof = [page.battery, page.proof_set, page.language]
        queued = {**hidden, "concurrency_id": WORDS_QUEUE, "concurrency_limit": 1}
        page.word_set.input(on.on_preset, [page.word_set, page.language], outputs, **hidden)
        page.own_show.click(on.on_own, [page.own_text, page.language], outputs, **queued)
        page.umap.click(on.on_umap, [page.words, page.language], outputs, **queued)
        page.proof_set.input(on.on_proof, proof, page.proof_outputs, **hidden)
        page.probe.click(on.on_measure, [page.words, *proof[1:]], page.proof_outputs, **queued)
        gr.on([page.words_cancel.click, page.proof_cancel.click], on.on_cancel, None, None, queue=False, **hidden)
