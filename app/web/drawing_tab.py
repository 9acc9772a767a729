"""Drawing a picture, on the page: its controls, and what answers them."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.drawing import Canvas, open_canvas, picture_of
from app.intervene.pixels import morph
from app.intervene.stories import DrawingStory, read_stories
from app.models import ModelRegistry
from app.panels.drawing import drawing_view, editor_view, pixels_of, turning_share
from app.panels.settings import whole
from app.web.assets import mount_script
from app.web.jobs import told
from app.web.patching_tab import Label
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker
from app.wording.errors import UserError

KEPT = 24
"""Canvases that are kept, so that a stroke costs one run; about 1 MB each in the bundled model."""


@dataclass(frozen=True)
class DrawingRequest:
    """What is being drawn: a text as the visitor gave it, the position of a token in it (None: the last), what its
    picture can morph into; story: whether it begins half morphed."""

    text: Any
    index: int | None = None
    target: str = ""
    story: bool = False


@dataclass(frozen=True, eq=False)
class DrawingControls:
    """The components, from top to bottom; asked: the request that is on view."""

    asked: gr.State
    story: gr.Button
    text: gr.Textbox
    use: gr.Button
    status: gr.HTML
    editor: gr.HTML
    figure: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, self.text, self.status, self.editor, self.figure]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""
        return [
            (self.text, lambda language: gr.update(label=say("draw_text", language))),
            (self.use, lambda language: say("draw_use", language)),
            (self.story, story_button),
        ]


def drawing_story() -> DrawingStory:
    """The story that opens."""
    return read_stories().drawings[0]


def story_button(language: str) -> str:
    """What the button of the story says."""
    story = drawing_story()
    return say("draw_story", language, first=story.character, second=story.target, text=story.text)


def add_drawing() -> DrawingControls:
    """Build the instrument where the caller stands."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-examples"):
        story = gr.Button(story_button("en"), size="sm", min_width=60, elem_id="draw-story")
    with gr.Row(elem_classes="gs-pair"):
        text = gr.Textbox(label=say("draw_text"), min_width=240, scale=4, max_lines=1, elem_id="draw-text")
        use = gr.Button(say("draw_use"), variant="primary", min_width=140, scale=1, elem_id="draw-use")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="draw-status")
    editor, figure = (
        gr.HTML("", html_template="${value}", js_on_load=mount_script(script), elem_id=name, elem_classes="gs-root")
        for name, script in (("editor", "drawing.js"), ("drawing", "panel.js"))
    )
    return DrawingControls(asked, story, text, use, status, editor, figure)


class CanvasCache:
    """The canvases drawn on last; those over models that are gone are dropped."""

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry
        self._kept: OrderedDict[tuple[str, int], Canvas] = OrderedDict()

    def open(self, engine: Engine, asked: DrawingRequest) -> Canvas:
        """A canvas; only the thread of the jobs calls this.

        Raises:
            UserError: see `open_canvas`.
        """
        loaded = {id(model.engine) for model in list(self._registry.loaded.values())}
        for key, canvas in list(self._kept.items()):
            if id(canvas.engine) not in loaded:
                del self._kept[key]
        index = len(engine.encode(asked.text)) if asked.index is None else asked.index
        known = self._kept.get((asked.text, index))
        if known is None or known.engine is not engine:
            if index == 0:  # the start token has no picture
                raise UserError("bad_position", last=len(engine.encode(asked.text)))
            known = open_canvas(engine, asked.text, index)
        self._kept[(asked.text, index)] = known
        self._kept.move_to_end((asked.text, index))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return known


class DrawingListeners:
    """Answers to what a visitor draws."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs
        self.canvases = CanvasCache(registry)

    async def on_first(self, asked: DrawingRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The tab is seen: the first time, the story, finished."""
        return await self.on_story(language, request) if asked is None else [gr.skip()] * 5

    async def on_story(self, language: str, request: gr.Request) -> list[Any]:
        """The story, half morphed."""
        story = drawing_story()
        return await self._begin(DrawingRequest(story.text, None, story.target, True), language, request)

    async def on_text(self, text: Any, language: str, request: gr.Request) -> list[Any]:
        """The visitor's own text: its last token."""
        return await self._begin(DrawingRequest(text, None, drawing_story().target), language, request)

    async def on_shown(self, tab: Any, asked: DrawingRequest | None, language: str, request: gr.Request) -> list[Any]:
        """Some tab is shown, as an address may ask for; if it is this one, it is filled."""
        return await self.on_first(asked, language, request) if tab == "break" else [gr.skip()] * 5

    async def on_language(self, asked: DrawingRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The same in another language; nothing while the tab was never opened."""
        return [gr.skip()] * 5 if asked is None else await self._begin(asked, language, request)

    async def on_switch(self, asked: DrawingRequest | None, language: str, request: gr.Request) -> list[Any]:
        """Another model is on view; nothing while the tab was never opened."""
        return [gr.skip()] * 5 if asked is None else await self.on_story(language, request)

    async def on_stroke(
        self, asked: DrawingRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """The picture was changed."""
        sent = _sent(event)

        def job(engine: Engine, left: threading.Event) -> list[Any]:
            canvas = self.canvases.open(engine, asked or DrawingRequest(""))
            return ["", drawing_view(canvas, pixels_of(sent.get("pixels")), speaker(language))]

        return [gr.skip()] * 2 if asked is None else await self._run(job, 2, language, request)

    async def on_ask(
        self, asked: DrawingRequest | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """Another token, another target, or a drawing to start from."""
        sent = _sent(event)
        if asked is None or sent.get("ask") not in ("token", "target", "type"):
            return [gr.skip()] * 5
        if sent["ask"] == "token":
            return await self._begin(
                replace(asked, index=whole(sent.get("index")) or 0, story=False), language, request
            )

        def job(engine: Engine, left: threading.Event) -> list[Any]:
            speak, canvas = speaker(language), self.canvases.open(engine, asked)
            picture = picture_of(engine, sent.get("text", ""))
            if sent["ask"] == "target":
                kept = replace(asked, target=sent["text"], story=False)
                editor = editor_view(canvas, kept.target, pixels_of(sent.get("pixels")), 0, speak)
                return [kept, gr.skip(), "", editor, gr.skip()]
            editor = editor_view(canvas, asked.target, picture, 0, speak)
            return [replace(asked, story=False), gr.skip(), "", editor, drawing_view(canvas, picture, speak)]

        return await self._run(job, 5, language, request)

    async def _begin(self, asked: DrawingRequest, language: str, request: gr.Request) -> list[Any]:
        def job(engine: Engine, left: threading.Event) -> list[Any]:
            speak = speaker(language)
            index = story_index(engine) if asked.story and asked.index is None else asked.index
            canvas = self.canvases.open(engine, replace(asked, index=index))
            target = picture_of(engine, asked.target)
            share = turning_share(canvas, target) if asked.story else 0.0
            drawn = morph(canvas.picture, target, share)
            editor = editor_view(canvas, asked.target, drawn, share, speak)
            settled = replace(asked, index=canvas.index)
            return [settled, asked.text, "", editor, drawing_view(canvas, drawn, speak)]

        return await self._run(job, 5, language, request)

    async def _run(
        self, job: Callable[[Engine, threading.Event], list[Any]], count: int, language: str, request: gr.Request
    ) -> list[Any]:
        """What a job gives; where it fails, the sentence in the place of the status, and all else as it is."""
        engine = model_of(request, self.registry).engine
        try:
            return await self.jobs.run(visitor_of(request), partial(job, engine))
        except Exception as error:
            found = [gr.skip()] * count
            found[count - 2 if count == 2 else 2] = told(error, language)
            return found


def story_index(engine: Engine) -> int | None:
    """Where the story's character stands in its text; None, the last token, where it is no token of the model."""
    story = drawing_story()
    texts = [engine.text_of(token) for token in engine.encode(story.text)]
    return texts.index(story.character) + 1 if story.character in texts else None


def _sent(event: gr.EventData) -> dict[str, Any]:
    """What the page's script sent; it may be anything."""
    return event._data if isinstance(event._data, dict) else {}


def connect_drawing(page: DrawingControls, on: DrawingListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on([page.use.click, page.text.submit], on.on_text, [page.text, language], page.outputs, **hidden)
    page.story.click(on.on_story, language, page.outputs, **hidden)
    asked = [page.asked, language]
    page.editor.select(on.on_ask, asked, page.outputs, **hidden)
    page.editor.input(on.on_stroke, asked, [page.status, page.figure], queue=False, trigger_mode="multiple", **hidden)
