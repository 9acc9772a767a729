"""What a visitor sees before Gradio's scripts have come: the opening text, finished, as plain HTML in the page."""

import logging
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool

from app.engine.examples import opening_trace
from app.models import LoadedModel, ModelRegistry
from app.panels.hero import hero_html
from app.panels.strip import most_disputed, strip_view
from app.web.assets import first_script, first_style, inline_mount, preload_html
from app.web.header import header_html, hint_line
from app.web.security import App, Message, Receive, Scope, Send, accepted_language
from app.wording.catalogue import LANGUAGES, say, speaker
from viz.html import inert

_BODY = b"<body"

log = logging.getLogger(__name__)


class FirstPaint:
    """ASGI middleware that puts the first view, of the model that is shown to everybody, into the page."""

    def __init__(self, app: App, registry: ModelRegistry) -> None:
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
                start = message
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                page = await run_in_threadpool(self._with_view, b"".join(parts), asked_language(scope))
                headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
                await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, collected)

    def _with_view(self, page: bytes, language: str) -> bytes:
        """A page with the first view at the beginning of its body; as it is where there is none."""
        place = page.find(_BODY)
        inside = page.find(b">", place) + 1
        if place < 0 or not inside:
            return page
        try:
            view = first_view(self._registry.of(""), language).encode()
        except Exception:  # the page does without
            log.exception("the first view failed")
            return page
        return page[:inside] + view + page[inside:]


def asked_language(scope: Scope) -> str:
    """`?lang=…` if the address has it, else the browser's first language, else English."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0][:2].lower()
    return asked if asked in LANGUAGES else accepted_language(scope)


def first_view(model: LoadedModel, language: str) -> str:
    """Heading, opening text and how to read it; with its style, and the script that takes it away."""
    engine, trace = model.engine, opening_trace(model.engine)
    strip = strip_view(engine, trace, most_disputed(trace), speaker(language))
    return (
        f"<div id='gs-first' class='gs-root'><style>{first_style()}</style>"
        f"<script>{first_script()}</script>{header_html(language)}{moving_picture(model, language)}{inert(strip)}"
        f"{hint_line(engine, language)}<p class='gs-hint' role='status'>{say('first_wait', language)}</p>"
        f"</div>{preload_html()}"
    )


def moving_picture(model: LoadedModel, language: str) -> str:
    """The picture that the page opens with, and its script right behind it: it moves from the first frame."""
    html = hero_html(model, language)
    return f"{html}<script>{inline_mount('hero.js', '#gs-first')}</script>" if html else ""
