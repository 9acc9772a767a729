"""What a visitor's drawing does: one method a listener."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from app.engine.cancellation import Cancellations
from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.adversarial import fewest_pixels
from app.intervene.drawing import picture_of
from app.intervene.pixels import morph
from app.intervene.stories import DrawingStory, read_stories
from app.models import ModelRegistry
from app.panels.drawing import drawing_view, editor_view, pixels_of, turning_share
from app.panels.flips import flips_view
from app.panels.settings import whole
from app.panels.status import progress_html
from app.web.answers import failure_html
from app.web.canvases import CanvasCache, DrawingRequest
from app.web.jobs import Done, watched
from app.web.linked_instruments import DrawnPicture
from app.web.opening import Answers
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import speaker

COUNT = 6
"""Outputs: what is asked, the text, the status, the editor, what the model makes of it, the fewest pixels."""
STATUS = 2


class DrawingListeners:
    """Answers to what a visitor draws."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs
        self.canvases = CanvasCache(registry)
        self.cancellations = Cancellations()

    async def on_opening(self, language: str, request: gr.Request) -> Answers:
        """The first story, finished; or a sentence, and no drawing over the model before."""
        found = await self.on_story(read_stories().drawings[0])(language, request)
        yield [*found[: STATUS + 1], *("" if part == gr.skip() else part for part in found[STATUS + 1 :])]

    async def on_linked(self, link: DrawnPicture, language: str, request: gr.Request) -> Answers:
        """What a link says; see `OpenedByLink`."""

        def job(engine: Engine, left: threading.Event) -> list[Any]:
            speak, canvas, pixels = speaker(language), self.canvases.open(engine, asked), pixels_of(link.bits)
            editor = editor_view(canvas, asked.target, pixels, (link.share, link.noise), speak, asked.typed)
            return [asked, asked.text, "", editor, drawing_view(canvas, pixels, speak), ""]

        asked = DrawingRequest(link.text, link.index, link.target, typed=link.typed)
        yield await self._run(job, request)
        if link.fewest:
            async for answer in self._searched(asked, language, request):
                yield [*answer[: STATUS + 1], gr.skip(), gr.skip(), answer[-1]]  # the drawing stays

    async def on_again(self, asked: DrawingRequest, language: str, request: gr.Request) -> Answers:
        """The same in another language.  What is drawn only the page knows: it keeps its picture, and asks for what the
        model makes of it."""
        yield await self._begin(asked, language, request, again=True)

    def on_story(self, story: DrawingStory) -> Callable[[str, gr.Request], Awaitable[list[Any]]]:
        """The listener of a story's button: its picture drawn, or half morphed."""

        async def on_click(language: str, request: gr.Request) -> list[Any]:
            return await self._begin(DrawingRequest(story.text, None, story.target, story.key), language, request)

        return on_click

    async def on_text(self, text: Any, language: str, request: gr.Request) -> list[Any]:
        """The visitor's own text: its last token."""
        return await self._begin(DrawingRequest(text, None, read_stories().drawings[0].target), language, request)

    async def on_stroke(
        self, asked: DrawingRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """The picture was changed."""
        sent = _sent(event)

        def job(engine: Engine, left: threading.Event) -> list[Any]:
            canvas = self.canvases.open(engine, asked or DrawingRequest(""))
            return ["", drawing_view(canvas, pixels_of(sent.get("pixels")), speaker(language))]

        if asked is None:
            return [gr.skip()] * 2
        try:
            return await self._run(job, request)
        except Exception as error:
            return [failure_html(error, language), gr.skip()]

    async def on_ask(
        self, asked: DrawingRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """Another token, another target, or a drawing to start from."""
        sent = _sent(event)
        if asked is None or sent.get("ask") not in ("token", "target", "type"):
            return _nothing()
        if sent["ask"] == "token":
            chosen = replace(asked, index=whole(sent.get("index")) or 0, story="", typed="")
            return await self._begin(chosen, language, request)

        def job(engine: Engine, left: threading.Event) -> list[Any]:
            speak, canvas = speaker(language), self.canvases.open(engine, asked)
            picture = picture_of(engine, sent.get("text", ""))
            if sent["ask"] == "target":
                kept = replace(asked, target=sent["text"], story="", typed="")
                editor = editor_view(canvas, kept.target, pixels_of(sent.get("pixels")), (0, 0), speak)
                return [kept, gr.skip(), "", editor, gr.skip(), gr.skip()]
            kept = replace(asked, story="", typed=sent["text"])
            editor = editor_view(canvas, kept.target, picture, (0, 0), speak, kept.typed)
            return [kept, gr.skip(), "", editor, drawing_view(canvas, picture, speak), gr.skip()]

        return await self._told(job, language, request)

    async def on_fewest(
        self, asked: DrawingRequest | None, language: str, request: gr.Request
    ) -> AsyncIterator[list[Any]]:
        """Search the fewest pixels that change the answer, and say how far the search is."""
        if asked is None:
            yield _nothing()
            return
        async for answer in self._searched(replace(asked, story="", typed=""), language, request):
            yield answer

    async def _searched(self, asked: DrawingRequest, language: str, request: gr.Request) -> AsyncIterator[list[Any]]:
        engine, speak = model_of(request, self.registry).engine, speaker(language)
        try:
            with self.cancellations.register(visitor_of(request)) as stop:
                steps = partial(self._fewest, engine, asked, language)
                async with aclosing(watched(self.jobs, visitor_of(request), steps, stop)) as working:
                    async for step in working:
                        if isinstance(step, Done):
                            yield step.value
                        else:
                            yield _said(progress_html(speak("flips_searching"), step))
        except Exception as error:
            yield _said(failure_html(error, language))

    def _fewest(self, engine: Engine, asked: DrawingRequest, language: str) -> Generator[float, None, list[Any]]:
        """The search flip by flip: yields the share of the answer's lead that is gone, returns the answers."""
        speak, canvas = speaker(language), self.canvases.open(engine, asked)
        yield 0.0
        search, first = fewest_pixels(canvas), 0.0
        while True:
            try:
                _, left = next(search)
            except StopIteration as done:
                found = done.value
                break
            first = max(first, left)
            yield 1 - max(left, 0.0) / first if first > 0 else 1.0
        editor = editor_view(canvas, asked.target, found.picture, (0, 0), speak)
        drawn = drawing_view(canvas, found.picture, speak)
        return [asked, gr.skip(), "", editor, drawn, flips_view(canvas, found, speak)]

    def on_cancel(self, request: gr.Request) -> None:
        """End what this visitor started."""
        self.cancellations.cancel(visitor_of(request))

    async def _begin(self, asked: DrawingRequest, language: str, request: gr.Request, again: bool = False) -> list[Any]:
        def job(engine: Engine, left: threading.Event) -> list[Any]:
            speak = speaker(language)
            story = next((story for story in read_stories().drawings if story.key == asked.story), None)
            index = story_index(engine, story) if story and asked.index is None else asked.index
            canvas = self.canvases.open(engine, replace(asked, index=index))
            target = picture_of(engine, asked.target)
            share = turning_share(canvas, target) if story and not story.drawn else 0.0
            typed = story.drawn if story else asked.typed
            drawn = picture_of(engine, typed) if typed else morph(canvas.picture, target, share)
            editor = editor_view(canvas, asked.target, drawn, (share, 0), speak, typed, again)
            settled, figure = replace(asked, index=canvas.index, typed=typed), drawing_view(canvas, drawn, speak)
            return [settled, asked.text, "", editor, gr.skip() if again else figure, ""]

        return await self._told(job, language, request)

    async def _told(
        self, job: Callable[[Engine, threading.Event], list[Any]], language: str, request: gr.Request
    ) -> list[Any]:
        """What a job gives; where it fails, the sentence in the place of the status, and all else as it is."""
        try:
            return await self._run(job, request)
        except Exception as error:
            return _said(failure_html(error, language))

    async def _run(self, job: Callable[[Engine, threading.Event], list[Any]], request: gr.Request) -> list[Any]:
        engine = model_of(request, self.registry).engine
        return await self.jobs.run(visitor_of(request), partial(job, engine))


def _nothing() -> list[Any]:
    return [gr.skip()] * COUNT


def _said(line: str) -> list[Any]:
    """Only the status changes."""
    found = _nothing()
    found[STATUS] = line
    return found


def story_index(engine: Engine, story: DrawingStory) -> int | None:
    """Where a story's character stands in its text; None, the last token, where it is no token of the model."""
    texts = [engine.text_of(token) for token in engine.encode(story.text)]
    return texts.index(story.character) + 1 if story.character in texts else None


def _sent(event: gr.EventData) -> dict[str, Any]:
    """What the page's script sent; it may be anything."""
    return event._data if isinstance(event._data, dict) else {}
