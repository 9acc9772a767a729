"""What a visitor sees before Gradio's scripts have come: the opening text, finished, as plain HTML in the page."""

import logging
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.engine.examples import opening_trace
from app.models import LoadedModel, ModelRegistry
from app.panels.hero import hero_html
from app.panels.strip import most_disputed, strip_view
from app.web.assets import first_script, first_style, inline_mount, preload_html
from app.web.header import header_html, hint_line
from app.web.path_prefix import with_base
from app.web.preview import with_preview
from app.web.visitor import asked_language
from app.wording.catalogue import say, speaker
from viz.html import inert
from viz.templates import renderer

_BODY = b"<body"
rendered = renderer(Path(__file__).with_name("templates"))

log = logging.getLogger(__name__)


class FirstPaint:
    """ASGI middleware that puts the first view, of the model that is shown to everybody, into the page."""

    def __init__(self, app: ASGIApp, registry: ModelRegistry) -> None:
        self._app, self._registry = app, registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = str(scope.get("root_path", ""))
        if scope["type"] != "http" or scope["method"] != "GET" or str(scope["path"]).removeprefix(root) != "/":
            return await self._app(scope, receive, send)
        start: Message = {}
        parts: list[bytes] = []

        async def collected(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = {**message}
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                language = asked_language(scope)
                page = with_preview(b"".join(parts), scope, language)
                page = await run_in_threadpool(self._with_view, page, language)
                MutableHeaders(scope=start)["content-length"] = str(len(page))
                await send(start)
                await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, collected)

    def _with_view(self, page: bytes, language: str) -> bytes:
        """A page with the first view at the beginning of its body; as it is where there is none."""
        page = with_base(page)
        place = page.find(_BODY)
        inside = page.find(b">", place) + 1
        if place < 0 or not inside:
            return page
        try:
            view = first_view(self._registry.of(""), language).encode()
        except Exception:  # the page works without it
            log.exception("the first view failed")
            return page
        return page[:inside] + view + page[inside:]


def first_view(model: LoadedModel, language: str) -> str:
    """Heading, opening text and how to read it; with its style, and the script that takes it away."""
    engine, trace = model.engine, opening_trace(model.engine, language)
    hero = hero_html(model, language)
    return rendered(
        "first.html",
        style=first_style(),
        script=first_script(),
        header=header_html(language),
        hero=hero,  # with its script right behind it: it moves from the first frame
        hero_script=inline_mount("hero.js", "#gs-first"),
        strip=inert(strip_view(engine, trace, most_disputed(trace), speaker(language))),
        hint=hint_line(engine, language),
        wait=say("first_wait", language),
        preload=preload_html(),
    )
