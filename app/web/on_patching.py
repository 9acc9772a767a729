"""What a visitor does with two texts: one method a listener, each a generator of answers."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from app.engine.cancellation import Cancellations
from app.engine.engine import Engine
from app.engine.fair_line import Visitor
from app.engine.job_queue import JobQueue
from app.intervene.patching import patch_steps
from app.intervene.stories import PairStory, read_stories
from app.models import ModelRegistry
from app.panels.answers import chosen_anew, own_answers, with_answer
from app.panels.comparison import comparison_view
from app.panels.patching import (
    PLACE_NAMES,
    PatchRequest,
    Place,
    answer_choices,
    best_place,
    cell_view,
    checked_place,
    first_story,
    patching_rows,
    patching_view,
    prompt_request,
    read_request,
    story_request,
)
from app.panels.settings import whole
from app.panels.status import progress_html
from app.web.answers import failure_html
from app.web.jobs import Done, watched
from app.web.linked_instruments import MovedState
from app.web.opening import Answers
from app.web.story_search import StorySearch
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker
from app.wording.errors import UserError

DIRECTIONS = ("forward", "back")
COUNT = 10
"""Outputs: what is asked; both texts, both answers, the direction; status, maps, cell, comparison."""
STATUS = 6


class PatchingListeners:
    """Answers to what a visitor does with two texts."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue, search: StorySearch) -> None:
        self.registry, self.jobs, self.search = registry, jobs, search
        self.cancellations = Cancellations()

    def on_opening(self, language: str, request: gr.Request) -> Answers:
        """The story of the visitor's language, finished."""
        return self._answer(story_request(first_story(read_stories(), language)), language, request)

    async def on_linked(self, link: MovedState, language: str, request: gr.Request) -> Answers:
        """What a link says; see `OpenedByLink`.  Texts between which nothing can be moved are compared, as they were
        when the link was made."""
        engine, asked = model_of(request, self.registry).engine, link.request
        try:
            async with aclosing(self._worked(asked, language, request, link.cell)) as answers:
                async for answer in answers:
                    yield answer
        except UserError as error:
            compared = await self._compared(engine, asked, language, visitor_of(request))
            if link.cell is not None or not compared:
                raise
            yield [asked, *_widgets(asked), failure_html(error, language), "", "", compared]

    def on_again(self, asked: PatchRequest, language: str, request: gr.Request) -> Answers:
        """The same in another language."""
        return self._answer(asked, language, request)

    def on_story(self, story: PairStory) -> Callable[[str, gr.Request], Answers]:
        """The listener of a story's button."""

        async def on_click(language: str, request: gr.Request) -> Answers:
            async for answer in self._answer(story_request(story), language, request):
                yield answer

        return on_click

    async def on_found(self, language: str, event: gr.EventData, request: gr.Request) -> Answers:
        """A story of the table was chosen: what it opens with for this model."""
        number = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        known = self.search.of(model_of(request, self.registry).engine).findings
        opening = known[number].opening if number is not None and 0 <= number < len(known) else None
        async for answer in self._answer(None if opening is None else prompt_request(opening), language, request):
            yield answer

    async def on_move(
        self,
        first: Any,
        second: Any,
        answer: Any,
        rival: Any,
        direction: Any,
        language: str,
        asked: PatchRequest | None,
        request: gr.Request,
    ) -> Answers:
        """The visitor's own texts and answers; asked: what was asked for before."""
        answers = (answer, rival)
        if asked is not None and (first, second) != (asked.first, asked.second):
            answers = own_answers(answers, asked.answers)
        async for found in self._answer(
            PatchRequest(first, second, answers, direction == DIRECTIONS[1]), language, request
        ):
            yield found

    async def on_chosen(
        self,
        first: Any,
        second: Any,
        answer: Any,
        rival: Any,
        direction: Any,
        language: str,
        asked: PatchRequest | None,
        request: gr.Request,
    ) -> Answers:
        """An answer was picked or typed."""
        if asked is None or not chosen_anew((answer, rival), asked.answers):
            yield [gr.skip()] * COUNT
            return
        async for found in self.on_move(first, second, answer, rival, direction, language, asked, request):
            yield found

    async def on_answer(
        self, asked: PatchRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> Answers:
        """An answer was chosen by a press; where nothing is to explain between the two, what is on view stays."""
        answers = None if asked is None else with_answer(asked.answers, event._data)
        chosen = None if asked is None or answers is None else replace(asked, answers=answers)
        async for found in self._answer(chosen, language, request, keep=True):
            yield found

    async def on_cell(self, asked: PatchRequest | None, language: str, event: gr.EventData, request: gr.Request) -> Any:
        """A cell was clicked."""
        if asked is None:
            return gr.skip()
        engine, clicked = model_of(request, self.registry).engine, event._data
        try:
            return await self.jobs.run(visitor_of(request), lambda _: _cell(engine, asked, clicked, language))
        except Exception as error:
            return failure_html(error, language)

    def on_cancel(self, request: gr.Request) -> None:
        """End what this visitor started."""
        self.cancellations.cancel(visitor_of(request))

    async def _answer(
        self, asked: PatchRequest | None, language: str, request: gr.Request, keep: bool = False
    ) -> Answers:
        """The maps, and how far they are while it takes long; a pair that is refused is compared all the same, or
        leaves what is on view (keep)."""
        if asked is None:
            yield [gr.skip()] * COUNT
            return
        engine, visitor = model_of(request, self.registry).engine, visitor_of(request)
        try:
            async with aclosing(self._worked(asked, language, request)) as answers:
                async for answer in answers:
                    yield answer
        except Exception as error:
            if keep:
                yield _said(failure_html(error, language))
                return
            compared = await self._compared(engine, asked, language, visitor)
            yield [asked, *_widgets(asked), failure_html(error, language), "", "", compared]

    async def _worked(
        self, asked: PatchRequest, language: str, request: gr.Request, cell: Place | None = None
    ) -> AsyncGenerator[list[Any]]:
        """The maps, with a cell opened, and how far they are; errors are the caller's."""
        engine, visitor = model_of(request, self.registry).engine, visitor_of(request)
        with self.cancellations.register(visitor) as stop:
            steps = partial(_moved, engine, asked, language, cell)
            async with aclosing(watched(self.jobs, visitor, steps, stop)) as working:
                async for step in working:
                    yield step.value if isinstance(step, Done) else _under_way(step, language)

    async def _compared(self, engine: Engine, asked: PatchRequest, language: str, visitor: Visitor) -> str:
        """Both texts side by side; nothing where they cannot be read."""
        try:
            return await self.jobs.run(visitor, lambda left: _comparison(engine, asked, language))
        except UserError:
            return ""


def _under_way(share: float, language: str) -> list[Any]:
    return _said(progress_html(say("patch_moving", language), share))


def _said(line: str) -> list[Any]:
    """Nothing but a line of status."""
    found: list[Any] = [gr.skip()] * COUNT
    found[STATUS] = line
    return found


def _widgets(asked: PatchRequest) -> list[Any]:
    """The controls as they were asked for; an answer that is not given stays open."""
    return [asked.first, asked.second, gr.skip(), gr.skip(), DIRECTIONS[asked.back]]


def _moved(
    engine: Engine, asked: PatchRequest, language: str, cell: Place | None = None
) -> Generator[float, None, list[Any]]:
    """Patch every cell, and open one, the best by default; yields the share that is done."""
    speak, read = speaker(language), read_request(engine, asked)
    chosen_place = None if cell is None else checked_place(read, dict(zip(PLACE_NAMES, cell, strict=True)))
    if cell is not None and chosen_place is None:
        raise UserError("no_cell")
    yield 0.0
    found = yield from patch_steps(read)
    place, known = chosen_place or best_place(found), answer_choices(engine, read)
    answers = read.pair.answers
    settled = replace(asked, answers=answers)
    chosen = [gr.update(choices=known, value=answer) for answer in answers]
    opened = "" if place is None else cell_view(engine, read, place, speak)
    figure = patching_view(engine, read, found, place, speak, patching_rows(engine, read, asked.back, speak))
    compared = _comparison(engine, asked, language)
    return [settled, asked.first, asked.second, *chosen, DIRECTIONS[asked.back], "", figure, opened, compared]


def _comparison(engine: Engine, asked: PatchRequest, language: str) -> str:
    return comparison_view(engine, asked.first, asked.second, speaker(language))


def _cell(engine: Engine, asked: PatchRequest, clicked: Any, language: str) -> Any:
    read = read_request(engine, asked)
    place = checked_place(read, clicked)
    return gr.skip() if place is None else cell_view(engine, read, place, speaker(language))
