"""The page as it is sent: Gradio's, with a first view and what it begins with."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.engine.engine import Engine
from app.engine.queue import RequestQueue
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.probing.word_cache import WordCache
from app.web.first_paint import FirstPaint, GradioPage

SHOWN = {"id": 7, "type": "html", "props": {"value": "", "visible": True}}
ARGUMENT = {"id": 8, "type": "api", "props": {"value": None}}
LAYOUT = {"id": 1, "children": [{"id": 2, "children": [{"id": 7}, {"id": 8}]}, {"id": 8}]}
KEPT_LAYOUT = {"id": 1, "children": [{"id": 2, "children": [{"id": 7}]}]}


def configured(components: list[Any], layout: Any, listeners: list[Any]) -> dict[str, Any]:
    page = {"": {"components": [one["id"] for one in components], "layout": layout}}
    return {"root": "", "components": components, "layout": layout, "page": page, "dependencies": listeners}


CLICKED = {"id": 0, "targets": [[7, "click"]], "trigger_after": None}
FOLLOWING = {"id": 1, "targets": [[None, "then"]], "trigger_after": 0}
CONFIG = configured([SHOWN, ARGUMENT], LAYOUT, [CLICKED, FOLLOWING])
LIGHTENED = configured([SHOWN], KEPT_LAYOUT, [CLICKED, {**FOLLOWING, "targets": []}])
HEAD = """<head><link rel="stylesheet" href="a.css"><script>window.gradio_config = CONFIG;</script>
<script>window.gradio_api_info = {};</script></head>"""
BODY = "<body class='a'><gradio-app></gradio-app></body>"
PAGE = f"<html>{HEAD}{BODY}</html>".replace("CONFIG", json.dumps(CONFIG))


def config_of(page: str) -> Any:
    found = re.search(r"window\.gradio_config = (\{.*?\});</script>", page)
    assert found is not None
    return json.loads(found[1])


class Server:
    """Gradio's page behind the middleware, over a toy model."""

    def __init__(self, engine: Engine, page: str = PAGE) -> None:
        self.asked, self.opened = 0, list[tuple[str, str]]()
        shown = LoadedModel("toy", engine, RequestQueue(engine), WordCache(engine), None, None)
        registry = ModelRegistry({"toy": Place(None, "toy")}, {"toy": shown}, "toy")

        async def main(request: Request) -> Response:
            self.asked += 1
            return HTMLResponse(page)

        paint = Middleware(FirstPaint, registry=registry, opening=self.opening)
        self.client = TestClient(Starlette(routes=[Route("/", main), Route("/room", main)], middleware=[paint]))

    def opening(self, model: LoadedModel, language: str, tab: str) -> Mapping[int, Mapping[str, Any]]:
        self.opened.append((language, tab))
        return {7: {"value": f"</script>{language}"}}

    def get(self, path: str = "/", language: str = "en", **headers: str) -> str:
        return self.client.get(path, headers={"accept-language": language, **headers}).text


def test_a_page_comes_apart_and_together_again() -> None:
    page = GradioPage.of(PAGE.encode())
    written = page.page("<p>first</p>", {7: {"value": "<b>"}}).decode()
    assert written.index("<p>first") < written.index("gradio_config") < written.index("gradio_api_info")
    assert written.index("<body class='a'><p>first") < written.index("a.css") < written.index("<gradio-app>")
    assert written.count("a.css") == 1
    assert config_of(written)["components"][0]["props"] == {"value": "<b>", "visible": True}
    assert config_of(page.page("", {}).decode()) == LIGHTENED
    with pytest.raises(ValueError, match="no page"):
        GradioPage.of(b"<html><body>another</body></html>")


def test_each_language_and_tab_gets_its_page_and_gradio_makes_one_for_all(engine: Engine) -> None:
    server = Server(engine)
    pages = {language: server.get(language=language) for language in ("en", "ru", "en")}
    assert server.asked == 1 and server.opened == [("en", "read"), ("ru", "read")]
    for language, page in pages.items():
        assert config_of(page)["components"][0]["props"]["value"] == f"</script>{language}"
        assert page.index("id='gs-first'") < page.index("gradio_config")
    server.get("/?tab=proof&lang=zh")
    server.get("/?tab=proof&lang=zh&__theme=dark")
    assert server.asked == 1 and server.opened[2:] == [("zh", "proof")]


def test_pages_of_several_addresses_are_kept_apart(engine: Engine) -> None:
    server = Server(engine)
    for host in ("a.example", "b.example"):
        assert server.get(host=host).count(f"://{host}/") == server.get(host=host).count(f"://{host}/")
    assert server.asked == 2
    server.get(**{"x-forwarded-for": "10.0.0.1"})
    server.get(**{"x-forwarded-for": "10.0.0.2"})
    assert server.asked == 3, "who asks does not matter"


def test_what_is_no_page_of_gradio_passes(engine: Engine) -> None:
    server = Server(engine, page="<html><body>busy</body></html>")
    assert server.get() == server.get() == "<html><body>busy</body></html>" and server.asked == 2
    assert Server(engine).get("/room") == PAGE


def test_the_page_works_without_a_first_view(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("app.web.first_paint.first_view", broken)
    page = Server(engine).get()
    assert "gs-first" not in page and config_of(page) == LIGHTENED
