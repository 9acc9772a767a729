"""Moving a state, on the page: its controls, and what answers them."""

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.pairs import ReadPair
from app.intervene.patching import PatchMap, patch_steps
from app.intervene.stories import PairStory, read_stories
from app.models import ModelRegistry
from app.panels.patching import (
    PatchRequest,
    answer_choices,
    best_place,
    cell_view,
    checked_place,
    first_story,
    patching_view,
    read_request,
    story_label,
    story_request,
)
from app.web.assets import mount_script
from app.web.jobs import told
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker
from app.wording.errors import UserError

Label = tuple[Any, Callable[[str], Any]]
"""A component with words of its own, and how to say them in a language."""
DIRECTIONS = ("forward", "back")


@dataclass(frozen=True, eq=False)
class PatchingControls:
    """The components, from top to bottom; asked: the request that is on view."""

    asked: gr.State
    stories: list[gr.Button]
    first: gr.Textbox
    second: gr.Textbox
    answer: gr.Dropdown
    rival: gr.Dropdown
    direction: gr.Radio
    move: gr.Button
    status: gr.HTML
    figure: gr.HTML
    cell: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        return [self.first, self.second, self.answer, self.rival, self.direction]

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, *self.inputs, self.status, self.figure, self.cell]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""

        def labelled(code: str) -> Callable[[str], Any]:
            return lambda language: gr.update(label=say(code, language))

        return [
            (self.first, labelled("lab_first")),
            (self.second, labelled("lab_second")),
            (self.answer, labelled("patch_first_answer")),
            (self.rival, labelled("patch_second_answer")),
            (self.direction, lambda language: gr.update(choices=directions(language))),
            (self.move, lambda language: say("patch_move", language)),
        ]


def directions(language: str) -> list[tuple[str, str]]:
    """(label, value) of both directions."""
    return [
        (say(code, language), value) for code, value in zip(("patch_forward", "patch_back"), DIRECTIONS, strict=True)
    ]


def add_patching() -> PatchingControls:
    """Build the instrument where the caller stands."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-examples"):
        stories = [gr.Button(story_label(story), size="sm", min_width=60) for story in read_stories().pairs]
    with gr.Row(elem_classes="gs-pair"):
        first = gr.Textbox(label=say("lab_first"), min_width=240, elem_id="patch-first", max_lines=1)
        second = gr.Textbox(label=say("lab_second"), min_width=240, elem_id="patch-second", max_lines=1)
    with gr.Row(elem_classes="gs-pair"):
        answer = gr.Dropdown(
            [], label=say("patch_first_answer"), allow_custom_value=True, min_width=130, elem_id="patch-answer"
        )
        rival = gr.Dropdown(
            [], label=say("patch_second_answer"), allow_custom_value=True, min_width=130, elem_id="patch-rival"
        )
    with gr.Row(elem_classes="gs-pair"):
        direction = gr.Radio(
            directions("en"), value="forward", show_label=False, container=False, min_width=280,
            elem_id="patch-direction",
        )  # fmt: skip
        move = gr.Button(say("patch_move"), variant="primary", min_width=160, elem_id="patch-move")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="patch-status")
    figure, cell = (
        gr.HTML(
            "", html_template="${value}", js_on_load=mount_script("patching.js"), elem_id=name, elem_classes="gs-root"
        )
        for name in ("patching", "patch-cell")
    )
    return PatchingControls(asked, stories, first, second, answer, rival, direction, move, status, figure, cell)


class PatchingListeners:
    """Answers to what a visitor does with two texts."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs

    async def on_first(self, asked: PatchRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The tab is seen: the first time, the story of the visitor's language, finished."""
        return await self.on_open(language, request) if asked is None else [gr.skip()] * 9

    async def on_open(self, language: str, request: gr.Request) -> list[Any]:
        """The story of the visitor's language, finished."""
        return await self._answer(story_request(first_story(read_stories(), language)), language, request)

    def on_story(self, story: PairStory) -> Callable[[str, gr.Request], Awaitable[list[Any]]]:
        """The listener of a story's button."""

        async def on_click(language: str, request: gr.Request) -> list[Any]:
            return await self._answer(story_request(story), language, request)

        return on_click

    async def on_move(
        self, first: Any, second: Any, answer: Any, rival: Any, direction: Any, language: str, request: gr.Request
    ) -> list[Any]:
        """The visitor's own texts and answers."""
        asked = PatchRequest(first, second, (answer, rival), direction == DIRECTIONS[1])
        return await self._answer(asked, language, request)

    async def on_shown(self, tab: Any, asked: PatchRequest | None, language: str, request: gr.Request) -> list[Any]:
        """Some tab is shown, as an address may ask for; if it is this one, it is filled."""
        return await self.on_first(asked, language, request) if tab == "break" else [gr.skip()] * 9

    async def on_language(self, asked: PatchRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The same in another language; nothing while the tab was never opened."""
        return [gr.skip()] * 9 if asked is None else await self._answer(asked, language, request)

    async def on_switch(self, asked: PatchRequest | None, language: str, request: gr.Request) -> list[Any]:
        """Another model is on view: its own answers to the story; nothing while the tab was never opened."""
        return [gr.skip()] * 9 if asked is None else await self.on_open(language, request)

    async def on_cell(self, asked: PatchRequest | None, language: str, event: gr.EventData, request: gr.Request) -> Any:
        """A cell was clicked."""
        if asked is None:
            return gr.skip()
        engine, clicked = model_of(request, self.registry).engine, event._data
        try:
            return await self.jobs.run(visitor_of(request), lambda _: _cell(engine, asked, clicked, language))
        except Exception as error:
            return told(error, language)

    async def _answer(self, asked: PatchRequest, language: str, request: gr.Request) -> list[Any]:
        engine = model_of(request, self.registry).engine
        try:
            shown = await self.jobs.run(visitor_of(request), partial(_moved, engine, asked, language))
        except Exception as error:
            return [asked, *_widgets(asked), told(error, language), "", ""]
        return shown


def _widgets(asked: PatchRequest) -> list[Any]:
    """The controls as they were asked for; an answer that is not given stays open."""
    return [asked.first, asked.second, gr.skip(), gr.skip(), DIRECTIONS[asked.back]]


def _moved(engine: Engine, asked: PatchRequest, language: str, left: threading.Event) -> list[Any]:
    """Patch every cell, and open one."""
    speak, read = speaker(language), read_request(engine, asked)
    found = _mapped(read, left)
    place, known = best_place(found), answer_choices(engine, read)
    answers = read.pair.answers
    settled = replace(asked, answers=answers)
    chosen = [gr.update(choices=known, value=answer) for answer in answers]
    cell = "" if place is None else cell_view(engine, read, place, speak)
    figure = patching_view(engine, read, found, place, speak)
    return [settled, asked.first, asked.second, *chosen, DIRECTIONS[asked.back], "", figure, cell]


def _mapped(read: ReadPair, left: threading.Event) -> PatchMap:
    """The map; given up at the next position once nobody waits for it.

    Raises:
        UserError: `cancelled`.
    """
    steps = patch_steps(read)
    try:
        while not left.is_set():
            next(steps)
    except StopIteration as done:
        found: PatchMap = done.value
        return found
    steps.close()
    raise UserError("cancelled")


def _cell(engine: Engine, asked: PatchRequest, clicked: Any, language: str) -> Any:
    read = read_request(engine, asked)
    place = checked_place(read, clicked)
    return gr.skip() if place is None else cell_view(engine, read, place, speaker(language))


def connect_patching(page: PatchingControls, on: PatchingListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on(
        [page.move.click, page.first.submit, page.second.submit, page.direction.input, page.answer.select,
         page.rival.select],
        on.on_move, [*page.inputs, language], page.outputs, **hidden,
    )  # fmt: skip
    for story, button in zip(read_stories().pairs, page.stories, strict=True):
        button.click(on.on_story(story), language, page.outputs, **hidden)
    # Answers belong to their texts: other texts begin with the model's own.
    gr.on(
        [page.first.input, page.second.input], lambda: [None, None], None, [page.answer, page.rival], queue=False,
        **hidden,
    )  # fmt: skip
    page.figure.select(on.on_cell, [page.asked, language], page.cell, **hidden)
