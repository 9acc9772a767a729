"""Who adds what, on the page: its controls, and what answers them."""

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.stories import read_stories
from app.models import ModelRegistry
from app.panels.answers import chosen_anew, own_answers, token_choices, with_answer
from app.panels.attribution import AttributionRequest, attribution_of, attribution_rows, attribution_view
from app.panels.patching import first_story
from app.panels.settings import whole
from app.web.answers import failure_html
from app.web.assets import mount_script
from app.web.linked_instruments import SplitMargin
from app.web.opening import Answers
from app.web.patching_tab import Label
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker

COUNT = 6  # outputs


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
        "", html_template="${value}", js_on_load=mount_script("attribution.js"), elem_id="attribution",
        elem_classes="gs-root",
    )  # fmt: skip
    return AttributionControls(asked, text, answer, rival, split, status, figure)


class AttributionListeners:
    """Answers to what a visitor does with a margin."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs

    async def on_opening(self, language: str, request: gr.Request) -> Answers:
        """The first text of the language's story."""
        opening = first_story(read_stories(), language).opening
        asked = AttributionRequest(opening.first, opening.answers or (None, None))
        yield await self._answer(asked, language, request)

    async def on_linked(self, link: SplitMargin, language: str, request: gr.Request) -> Answers:
        """What a link says; see `OpenedByLink`."""
        asked = AttributionRequest(link.text, link.answers or (None, None), link.position)
        yield await self._run(asked, language, request)

    async def on_again(self, asked: AttributionRequest, language: str, request: gr.Request) -> Answers:
        """The same in another language."""
        yield await self._answer(asked, language, request)

    async def on_split(
        self, asked: AttributionRequest | None, text: Any, answer: Any, rival: Any, language: str, request: gr.Request
    ) -> list[Any]:
        """The visitor's own text and answers; of the text on view, after the token that was chosen."""
        if asked is not None and asked.text == text:
            return await self._answer(replace(asked, answers=(answer, rival)), language, request)
        answers = (answer, rival) if asked is None else own_answers((answer, rival), asked.answers)
        return await self._answer(AttributionRequest(text, answers), language, request)

    async def on_chosen(
        self, asked: AttributionRequest | None, text: Any, answer: Any, rival: Any, language: str, request: gr.Request
    ) -> list[Any]:
        """A token was picked or typed."""
        if asked is None or not chosen_anew((answer, rival), asked.answers):
            return [gr.skip()] * COUNT
        return await self.on_split(asked, text, answer, rival, language, request)

    async def on_position(
        self, asked: AttributionRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """A token of the text was chosen: the margin of the model's own answers after it."""
        position = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        if asked is None or position is None:
            return [gr.skip()] * COUNT
        return await self._answer(AttributionRequest(asked.text, position=position), language, request)

    async def on_answer(
        self, asked: AttributionRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """One of the two tokens was chosen by a press."""
        answers = None if asked is None else with_answer(asked.answers, event._data)
        if asked is None or answers is None:
            return [gr.skip()] * COUNT
        return await self._answer(replace(asked, answers=answers), language, request)

    async def _answer(self, asked: AttributionRequest, language: str, request: gr.Request) -> list[Any]:
        try:
            return await self._run(asked, language, request)
        except Exception as error:
            return [*[gr.skip()] * (COUNT - 2), failure_html(error, language), ""]

    async def _run(self, asked: AttributionRequest, language: str, request: gr.Request) -> list[Any]:
        engine = model_of(request, self.registry).engine
        return await self.jobs.run(visitor_of(request), partial(_split, engine, asked, language))


def _split(engine: Engine, asked: AttributionRequest, language: str, left: threading.Event) -> list[Any]:
    speak = speaker(language)
    ids, found, likely = attribution_of(engine, asked.text, asked.answers, asked.position)
    known, rows = (
        token_choices(engine, [*found.answers, *likely.ids[-1]]),
        attribution_rows(engine, likely, found.answers, speak),
    )
    settled = AttributionRequest(asked.text, found.answers, asked.position)
    chosen = [gr.update(choices=known, value=answer) for answer in found.answers]
    return [settled, asked.text, *chosen, "", attribution_view(engine, ids, found, speak, asked.position, rows)]


def connect_attribution(page: AttributionControls, on: AttributionListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on(
        [page.split.click, page.text.submit],
        on.on_split, [page.asked, page.text, page.answer, page.rival, language], page.outputs, **hidden,
    )  # fmt: skip
    gr.on(
        [page.answer.input, page.rival.input],
        on.on_chosen, [page.asked, page.text, page.answer, page.rival, language], page.outputs, **hidden,
    )  # fmt: skip
    page.figure.select(on.on_position, [page.asked, language], page.outputs, **hidden)
    page.figure.input(on.on_answer, [page.asked, language], page.outputs, **hidden)
    # Answers belong to their text: another text begins with the model's own.
    page.text.input(lambda: [None, None], None, [page.answer, page.rival], queue=False, **hidden)
