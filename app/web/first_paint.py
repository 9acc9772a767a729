"""What a visitor sees before Gradio's scripts have come: the opening text, finished, as plain HTML in the page."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.engine.examples import opening_trace
from app.models import LoadedModel, ModelRegistry
from app.panels.hero import hero_html
from app.panels.strip import most_disputed, strip_view
from app.system.shared_cache import SharedCache
from app.web.assets import first_script, first_style, inline_mount, preload_html, script_json
from app.web.header import header_html, hint_line
from app.web.packed_file import best_coding, packed
from app.web.path_prefix import with_base
from app.web.preview import with_preview
from app.web.visitor import asked_language, asked_tab
from app.wording.catalogue import say, speaker
from viz.html import early
from viz.templates import renderer

rendered = renderer(Path(__file__).with_name("templates"))

log = logging.getLogger(__name__)


Opening = Callable[[LoadedModel, str, str], Mapping[int, Mapping[str, Any]]]
"""What a page of a model begins with, in a language and with this tab open: properties by the number of their
component."""


class FirstPaint:
    """ASGI middleware that puts the first view, of the model that is shown to everybody, into the page, and what the
    page begins with: it has not to ask for that once it is there.  Finished pages are kept."""

    def __init__(self, app: ASGIApp, registry: ModelRegistry, opening: Opening) -> None:
        self._app, self._registry, self._opening = app, registry, opening
        self._taken_apart: LRUCache[tuple[Any, ...], GradioPage] = LRUCache(_KEPT)
        self._pages = SharedCache[bytes](_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = str(scope.get("root_path", ""))
        if scope["type"] != "http" or scope["method"] != "GET" or str(scope["path"]).removeprefix(root) != "/":
            return await self._app(scope, receive, send)
        place = place_of(scope)
        taken_apart = self._taken_apart.get(place)
        if taken_apart is None:
            answer = await collected(self._app, scope, receive)
            try:
                taken_apart = self._taken_apart[place] = GradioPage.of(bytes(answer.body))
            except ValueError:  # no page, or not as Gradio writes it today
                return await answer(scope, receive, send)
        coding = best_coding(Headers(scope=scope).get("accept-encoding", ""))
        page = await run_in_threadpool(self._page, taken_apart, scope, place, coding)
        headers = {"Vary": "Accept-Encoding", **({} if coding == "identity" else {"Content-Encoding": coding})}
        await HTMLResponse(page, headers=headers)(scope, receive, send)

    def _page(self, gradio: "GradioPage", scope: Scope, place: tuple[Any, ...], coding: str) -> bytes:
        """The page for a visitor as it is sent, in this coding."""
        model, language, tab = self._registry.of(""), asked_language(scope), asked_tab(scope)
        key = (place, model.key, model.word_cache.list_states is not None, language, tab, coding)
        if (known := self._pages.get(key)) is None:
            whole = self._whole(gradio, model, language, tab)
            whole = with_base(with_preview(whole, scope, language))
            known = self._pages.put(key, packed(whole, coding))
        return known

    def _whole(self, gradio: "GradioPage", model: LoadedModel, language: str, tab: str) -> bytes:
        """The page with the first view; without, where that fails: it works all the same."""
        try:
            view = first_view(model, language)
            return gradio.page(view, self._opening(model, language, tab))
        except Exception:
            log.exception("the first view failed")
            return gradio.page("", {})


@dataclass(frozen=True, eq=False)
class GradioPage:
    """Gradio's page, taken apart.  What it says of all components, much longer than the rest, moves from its head to
    the end of its body: the first view need not wait for it."""

    before: bytes
    """Up to the beginning of the body."""
    styles: bytes
    """Its style sheets, for which the first view need not wait either."""
    config: Mapping[str, Any]
    """What it says of components and listeners, `lightened`."""
    calls: bytes
    """What it says of the API."""
    after: bytes

    @classmethod
    def of(cls, page: bytes) -> "GradioPage":
        """Raises:
        ValueError: for any other page.
        """
        found = _CONFIG.search(page)
        rest = page.replace(found[0], b"", 1) if found else b""
        body = rest.find(b">", rest.find(b"<body")) + 1
        if found is None or rest.find(b"<body") < 0 or not body:
            raise ValueError("no page of Gradio's")
        before, styles = rest[:body], b"".join(_STYLE.findall(rest[:body]))
        return cls(_STYLE.sub(b"", before), styles, lightened(json.loads(found[1])), found[2], rest[body:])

    @property
    def fetched(self) -> str:
        """What the page would ask for piece by piece."""
        types = {one["type"] for one in self.config["components"]}
        return preload_html(types, str(self.config.get("theme_hash")))

    def page(self, view: str, opening: Mapping[int, Mapping[str, Any]]) -> bytes:
        """The page with this first view, whose components have these properties."""
        components = [
            {**one, "props": {**one["props"], **opening.get(one["id"], {})}} for one in self.config["components"]
        ]
        config = script_json({**self.config, "components": components})
        said = f"<script>window.gradio_config = {config};</script>"
        parts = [self.before, view.encode(), self.styles, self.fetched.encode(), said.encode(), self.calls, self.after]
        return b"".join(parts)


_CONFIG = re.compile(
    rb"<script>window\.gradio_config = (\{.*?\});</script>\s*(<script>window\.gradio_api_info = .*?</script>)",
    re.DOTALL,
)
_STYLE = re.compile(rb"<link rel=\"stylesheet\"[^>]*>")
_KEPT = 24
_PLACES = ("host", "x-forwarded-host", "x-forwarded-proto", "x-gradio-server")
"""Headers by which Gradio, and a preview, tell where the page is."""


def lightened(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the page is told, without what makes Gradio's script slow and serves nothing: the components that stand for
    the arguments of endpoints, and the targets of listeners that follow another one.  These have none, and the script
    looks through all components for it, time and again."""
    arguments = {one["id"] for one in config["components"] if one["type"] == "api"}

    def kept(node: Mapping[str, Any]) -> dict[str, Any]:
        children = [kept(child) for child in node.get("children") or () if child["id"] not in arguments]
        return {**node, **({"children": children} if "children" in node else {})}

    def shown(page: Mapping[str, Any]) -> dict[str, Any]:
        numbers = [number for number in page["components"] if number not in arguments]
        return {**page, "components": numbers, "layout": kept(page["layout"])}

    return {
        **config,
        "components": [one for one in config["components"] if one["id"] not in arguments],
        "dependencies": [
            one if one["trigger_after"] is None else {**one, "targets": []} for one in config["dependencies"]
        ],
        "layout": kept(config["layout"]),
        "page": {name: shown(page) for name, page in config["page"].items()},
    }


def place_of(scope: Scope) -> tuple[Any, ...]:
    """What Gradio's page depends on."""
    headers = Headers(scope=scope)
    asked = tuple((name, value) for name, value in QueryParams(scope["query_string"]).items() if name in _GRADIO_ASKS)
    where = tuple(tuple(headers.getlist(name)) for name in _PLACES)
    server = tuple(scope.get("server") or ())
    return scope.get("scheme"), server, scope.get("root_path"), scope["path"], where, asked


_GRADIO_ASKS = ("deep_link", "all_endpoints", "page")


async def collected(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """The whole answer of an app."""
    answer = Response()
    parts: list[bytes] = []

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status_code, answer.raw_headers = message["status"], list(message.get("headers", []))
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, collect)
    answer.body = b"".join(parts)
    return answer


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
        strip=early(strip_view(engine, trace, most_disputed(trace), speaker(language))),
        hint=hint_line(engine, language),
        wait=say("first_wait", language),
    )
