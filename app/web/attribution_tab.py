"""Who adds what, on the page: its controls, and what answers them."""

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.stories import read_stories
from app.models import ModelRegistry
from app.panels.attribution import attribution_of, attribution_view
from app.panels.patching import first_story
from app.web.assets import mount_script
from app.web.jobs import told
from app.web.patching_tab import Label
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker

COUNT = 6  # outputs


@dataclass(frozen=True)
class AttributionRequest:
    """A text and two answers as the visitor gave them; an answer that is not given is the model's own."""

    text: Any
    answers: tuple[Any, Any] = (None, None)


@dataclass(frozen=True, eq=False)
class AttributionControls:
    """The components, from top to bottom; asked: the request that is on view."""

    asked: gr.State
    text: gr.Textbox
    answer: gr.Dropdown
    rival: gr.Dropdown
    split: gr.Button
    status: gr.HTML
    figure: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, self.text, self.answer, self.rival, self.status, self.figure]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""
        return [
            (self.text, lambda language: gr.update(label=say("attribute_text", language))),
            (self.answer, lambda language: gr.update(label=say("attribute_answer", language))),
            (self.rival, lambda language: gr.update(label=say("attribute_rival", language))),
            (self.split, lambda language: say("attribute_split", language)),
        ]


def add_attribution() -> AttributionControls:
    """Build the instrument where the caller stands."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-pair"):
        text = gr.Textbox(label=say("attribute_text"), min_width=240, scale=3, max_lines=1, elem_id="attribute-text")
        answer, rival = (
            gr.Dropdown([], label=say(code), allow_custom_value=True, min_width=120, scale=1, elem_id=name)
            for code, name in (("attribute_answer", "attribute-answer"), ("attribute_rival", "attribute-rival"))
        )
        split = gr.Button(say("attribute_split"), variant="primary", min_width=140, scale=1, elem_id="attribute-split")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="attribute-status")
    figure = gr.HTML(
        "", html_template="${value}", js_on_load=mount_script("panel.js"), elem_id="attribution",
        elem_classes="gs-root",
    )  # fmt: skip
    return AttributionControls(asked, text, answer, rival, split, status, figure)


class AttributionListeners:
    """Answers to what a visitor does with a margin."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs

    async def on_first(self, asked: AttributionRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The tab is seen: the first time, the first text of the language's story."""
        return await self._open(language, request) if asked is None else [gr.skip()] * COUNT

    async def on_shown(
        self, tab: Any, asked: AttributionRequest | None, language: str, request: gr.Request
    ) -> list[Any]:
        """Some tab is shown, as an address may ask for; if it is this one, it is filled."""
        return await self.on_first(asked, language, request) if tab == "break" else [gr.skip()] * COUNT

    async def on_split(self, text: Any, answer: Any, rival: Any, language: str, request: gr.Request) -> list[Any]:
        """The visitor's own text and answers."""
        return await self._answer(AttributionRequest(text, (answer, rival)), language, request)

    async def on_language(self, asked: AttributionRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The same in another language; nothing while the tab was never opened."""
        return [gr.skip()] * COUNT if asked is None else await self._answer(asked, language, request)

    async def on_switch(self, asked: AttributionRequest | None, language: str, request: gr.Request) -> list[Any]:
        """Another model is on view; nothing while the tab was never opened."""
        return [gr.skip()] * COUNT if asked is None else await self._open(language, request)

    async def _open(self, language: str, request: gr.Request) -> list[Any]:
        opening = first_story(read_stories(), language).opening
        return await self._answer(AttributionRequest(opening.first, opening.answers or (None, None)), language, request)

    async def _answer(self, asked: AttributionRequest, language: str, request: gr.Request) -> list[Any]:
        engine = model_of(request, self.registry).engine
        try:
            return await self.jobs.run(visitor_of(request), partial(_split, engine, asked, language))
        except Exception as error:
            return [*[gr.skip()] * (COUNT - 2), told(error, language), ""]


def _split(engine: Engine, asked: AttributionRequest, language: str, left: threading.Event) -> list[Any]:
    ids, found, known = attribution_of(engine, asked.text, asked.answers)
    settled = AttributionRequest(asked.text, found.answers)
    chosen = [gr.update(choices=known, value=answer) for answer in found.answers]
    return [settled, asked.text, *chosen, "", attribution_view(engine, ids, found, speaker(language))]


def connect_attribution(page: AttributionControls, on: AttributionListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on(
        [page.split.click, page.text.submit, page.answer.select, page.rival.select],
        on.on_split, [page.text, page.answer, page.rival, language], page.outputs, **hidden,
    )  # fmt: skip
    # Answers belong to their text: another text begins with the model's own.
    page.text.input(lambda: [None, None], None, [page.answer, page.rival], queue=False, **hidden)
