"""Who looks where, and silencing, on the page: their controls, and what answers them."""

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.runs import open_network
from app.intervene.silencing import Silenced, check_parts
from app.intervene.stories import AttentionStory, read_stories
from app.models import ModelRegistry
from app.panels.attention import MOST_PARTS, AttentionRequest, attend, part_named, part_of, tokens_to_follow
from app.panels.patching import PatchRequest
from app.panels.settings import whole
from app.panels.silencing import attention_view, silencing_view
from app.web.answers import failure_html
from app.web.assets import mount_script
from app.web.linked_instruments import LookedAt
from app.web.opening import Answers
from app.web.patching_tab import Label
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker
from app.wording.errors import UserError

COUNT = 6  # outputs


@dataclass(frozen=True, eq=False)
class AttentionControls:
    """The components, from top to bottom; asked: the request that is on view."""

    asked: gr.State
    stories: list[gr.Button]
    pair: gr.Button
    text: gr.Textbox
    token: gr.Dropdown
    show: gr.Button
    status: gr.HTML
    figure: gr.HTML
    silencing: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, self.text, self.token, self.status, self.figure, self.silencing]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""
        return [
            (self.pair, lambda language: say("attention_pair", language)),
            (self.text, lambda language: gr.update(label=say("attention_text", language))),
            (self.token, lambda language: gr.update(label=say("attention_token", language))),
            (self.show, lambda language: say("attention_show", language)),
        ]


def add_attention() -> AttentionControls:
    """Build the instrument where the caller stands."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-examples"):
        stories = [gr.Button(story.text, size="sm", min_width=60) for story in read_stories().attention]
        pair = gr.Button(say("attention_pair"), size="sm", min_width=60, elem_id="attention-pair")
    with gr.Row(elem_classes="gs-pair"):
        text = gr.Textbox(label=say("attention_text"), min_width=240, scale=3, max_lines=1, elem_id="attention-text")
        token = gr.Dropdown(
            [], label=say("attention_token"), allow_custom_value=True, min_width=120, scale=1, elem_id="attention-token"
        )
        show = gr.Button(say("attention_show"), variant="primary", min_width=140, scale=1, elem_id="attention-show")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="attention-status")
    figure, silencing = (
        gr.HTML(
            "", html_template="${value}", js_on_load=mount_script("attention.js"), elem_id=name, elem_classes="gs-root"
        )
        for name in ("attention", "silencing")
    )
    return AttentionControls(asked, stories, pair, text, token, show, status, figure, silencing)


class AttentionListeners:
    """Answers to what a visitor does with heads and parts.  Each is also given the pair of texts whose states are
    moved above: if one of them is the text on view, heads are ranked by it."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs

    async def on_opening(self, language: str, request: gr.Request) -> Answers:
        """The story of the visitor's language, finished."""
        story = first_attention_story(language)
        yield await self._answer(AttentionRequest(story.text), None, language, request)

    async def on_linked(self, link: LookedAt, language: str, request: gr.Request) -> Answers:
        """What a link says; see `OpenedByLink`."""
        engine, moved = model_of(request, self.registry).engine, link.pair
        parts = None if link.parts is None else tuple(Silenced(*part) for part in link.parts)
        asked = AttentionRequest(link.text, link.index, link.token, link.head, parts)
        pair = None if moved is None else moved.request
        check_heads(engine, asked)
        yield await self.jobs.run(visitor_of(request), partial(_shown, engine, asked, pair, None, language))

    async def on_again(self, asked: AttentionRequest, language: str, request: gr.Request) -> Answers:
        """The same in another language."""
        yield await self._answer(asked, None, language, request)

    def on_story(self, story: AttentionStory) -> Callable[[str, gr.Request], Awaitable[list[Any]]]:
        """The listener of a story's button."""

        async def on_click(language: str, request: gr.Request) -> list[Any]:
            return await self._answer(AttentionRequest(story.text), None, language, request)

        return on_click

    async def on_pair(self, pair: PatchRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The first text of the pair whose states are moved, and its answer; nothing while there is none."""
        if pair is None:
            return [gr.skip()] * COUNT
        return await self._answer(AttentionRequest(pair.first, token=pair.answers[0]), pair, language, request)

    async def on_text(self, text: Any, pair: PatchRequest | None, language: str, request: gr.Request) -> list[Any]:
        """The visitor's own text."""
        return await self._answer(AttentionRequest(text), pair, language, request)

    async def on_token(
        self, asked: AttentionRequest | None, token: Any, pair: PatchRequest | None, language: str, request: gr.Request
    ) -> list[Any]:
        """Another token to follow, picked or typed; Gradio tells of a list that is only left in the same way."""
        if asked is None or token in (None, "", asked.token):
            return [gr.skip()] * COUNT
        return await self._answer(replace(asked, token=token), pair, language, request)

    async def on_press(
        self,
        asked: AttentionRequest | None,
        pair: PatchRequest | None,
        language: str,
        event: gr.EventData,
        request: gr.Request,
    ) -> list[Any]:
        """A head, a token or a part was pressed."""
        if asked is None:
            return [gr.skip()] * COUNT
        return await self._answer(asked, pair, language, request, event._data)

    async def _answer(
        self,
        asked: AttentionRequest,
        pair: PatchRequest | None,
        language: str,
        request: gr.Request,
        pressed: Any = None,
    ) -> list[Any]:
        engine = model_of(request, self.registry).engine
        try:
            return await self.jobs.run(visitor_of(request), partial(_shown, engine, asked, pair, pressed, language))
        except Exception as error:
            kept = gr.skip() if pressed is not None else ""
            return [*[gr.skip()] * (COUNT - 3), failure_html(error, language), kept, kept]


def check_heads(engine: Engine, asked: AttentionRequest) -> None:
    """Refuse a head on view, or silenced parts, that the model does not have.

    Raises:
        UserError: `no_head`, `silence_fixed`; `cannot_open`.
    """
    named = [*(asked.parts or ()), *([] if asked.head is None else [part_of(asked.head)])]
    if named:
        check_parts(open_network(engine), named)


def first_attention_story(language: str) -> AttentionStory:
    """The story that a visitor with this language sees first."""
    stories = read_stories().attention
    return next((story for story in stories if story.language == language), stories[0])


def _shown(
    engine: Engine,
    asked: AttentionRequest,
    pair: PatchRequest | None,
    pressed: Any,
    language: str,
    left: threading.Event,
) -> list[Any]:
    asked = asked if pressed is None else after_press(engine, asked, pressed)
    speak, (settled, found) = speaker(language), attend(engine, asked, pair, left)
    token = gr.update(choices=tokens_to_follow(found), value=found.token)
    return [settled, asked.text, token, "", attention_view(found, speak), silencing_view(found, speak)]


def after_press(engine: Engine, asked: AttentionRequest, pressed: Any) -> AttentionRequest:
    """What a visitor looks at after a press; what the browser sent may be anything, and what is no press changes
    nothing.

    Raises:
        UserError: `no_head`, `silence_fixed` for a part that cannot be silenced.
    """
    sent = pressed if isinstance(pressed, dict) else {}
    if sent.get("clear"):
        return replace(asked, parts=None)
    if "token" in sent:  # another position: its own next token is followed
        index = whole(sent["token"])
        return asked if index is None else replace(asked, index=index, token=None)
    if "look" in sent:
        part = part_named(engine, {**sent["look"], "kind": "head"} if isinstance(sent["look"], dict) else None)
        return replace(asked, head=(part.expert, part.layer, part.head))
    if "part" in sent:
        return replace(asked, parts=_toggled(asked, part_named(engine, sent["part"])))
    return asked


def _toggled(asked: AttentionRequest, part: Silenced) -> tuple[Silenced, ...]:
    """The silenced parts with one more, or one less."""
    now = asked.parts
    if now is None:
        now = () if asked.head is None else (part_of(asked.head),)
    if part in now:
        return tuple(other for other in now if other != part)
    if len(now) >= MOST_PARTS:
        raise UserError("many_parts", limit=MOST_PARTS)
    return (*now, part)


def connect_attention(page: AttentionControls, on: AttentionListeners, pair: gr.State, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`.  pair: the request that is on view where states are
    moved."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on([page.show.click, page.text.submit], on.on_text, [page.text, pair, language], page.outputs, **hidden)
    page.token.input(on.on_token, [page.asked, page.token, pair, language], page.outputs, **hidden)
    page.pair.click(on.on_pair, [pair, language], page.outputs, **hidden)
    for story, button in zip(read_stories().attention, page.stories, strict=True):
        button.click(on.on_story(story), language, page.outputs, **hidden)
    pressed = [page.asked, pair, language]
    gr.on([page.figure.select, page.silencing.select], on.on_press, pressed, page.outputs, **hidden)
