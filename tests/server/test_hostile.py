"""The server from a hostile side: no file can be read, no place named, no host asked, no limit passed."""

import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.engine import Engine
from app.engine.fair_line import Visitor
from app.engine.queue import BATCH_SIZE, MAX_PER_WINDOW, MAX_WAITING, RequestQueue
from app.engine.sampling import Sampling
from app.web.security import HEADERS, MAX_BODY, security_headers
from app.wording.catalogue import say
from app.wording.errors import UserError
from tests.support.odd import mostly, share, short_texts, texts, values
from tests.support.server import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of long arguments


def ask(address: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of an answer."""
    request = urllib.request.Request(address + path, body, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode("utf-8", "replace"), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace"), dict(error.headers)


SECRET = "a line that only the file has"
HIDDEN = re.compile(rf"{re.escape(str(ROOT))}|site-packages|Traceback|/home/|/tmp/|/usr/|File \"")
"""Places of the machine and inner workings."""

SHUT = [
    "/gradio_api/file={}", "/gradio_api/file//{}", "/gradio_api/file={}?x=1", "/file={}", "/file/{}", "/static/{}",
    "/static/..{}", "/static/../../../../..{}", "/assets/{}", "/assets/../../../../..{}", "/assets/..%2f..%2f..%2f..{}",
    "/svelte/..{}", "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{}", "/gradio_api/proxy=http://127.0.0.1:1{}",
    "/gradio_api/proxy=file://{}", "/gs/../..{}", "/gs/%2e%2e{}", "/pwa_icon{}", "//{}", "/gradio_api/stream/x/0/0{}",
    "/custom_component/x/client/component{}", "/gradio_api/custom_component/0/client/component/..{}",
]  # fmt: skip


@pytest.mark.parametrize("route", SHUT)
def test_no_file_can_be_read(address: str, tmp_path: Path, route: str) -> None:
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    for file in (str(tmp_path / "secret.txt"), str(ROOT / "app.py"), "/etc/passwd"):
        status, text, _ = ask(address, route.format(file))
        assert status in (400, 403, 404, 405) and SECRET not in text and "root:" not in text and "def " not in text
        assert not HIDDEN.search(text)


def routes() -> list[tuple[str, str]]:
    """Every method and path that the installed Gradio has, its blanks filled with the name of a file."""
    import gradio as gr
    from gradio.routes import App

    with gr.Blocks() as demo:
        pass
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = list(App.create_app(demo).routes)
    while waiting:
        route = waiting.pop()
        waiting += list(getattr(getattr(route, "original_router", None), "routes", []))
        if (path := getattr(route, "path", None)) is not None:
            prefix = "" if path.startswith("/gradio_api") else "/gradio_api"
            filled = re.sub(r"\{[^}]+\}", "..%2f..%2fetc%2fpasswd", path)
            found |= {
                (method, start + filled) for method in getattr(route, "methods", None) or () for start in ("", prefix)
            }
    return sorted(found)


def test_every_route_is_walked_without_a_file_or_an_inner_word(address: str) -> None:
    walked = [(m, p) for m, p in routes() if m in ("GET", "POST") and "heartbeat" not in p and "startup" not in p]
    assert len(walked) > 60
    for method, path in walked:
        status, text, _ = ask(address, path, b"{}" if method == "POST" else None)
        assert "root:" not in text and not HIDDEN.search(text), path
        assert status < 500, (path, text)


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/gradio_api/deep_link", "/monitoring", "/gradio_api/vibe-edit"]
)
def test_what_the_page_does_not_need_is_shut(address: str, path: str) -> None:
    for body in (None, b"{}"):
        status, text, _ = ask(address, path, body)
        assert status == 404 and json.loads(text)["detail"].startswith("There is nothing at this address")


def test_every_answer_has_the_security_headers(address: str) -> None:
    for path in ("/", "/config", "/gs/alive", "/gradio_api/info", "/gradio_api/upload", "/theme.css"):
        headers = {name.lower(): value for name, value in ask(address, path)[2].items()}
        assert all(headers.get(name) == value for name, value in security_headers().items()), path
    assert "default-src 'self'" in HEADERS["content-security-policy"]


def test_the_page_names_no_place_of_the_machine(address: str) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/gradio_api/app_id"):
        assert not HIDDEN.search(ask(address, path)[1]), path


def test_a_request_beyond_the_limit_gets_a_sentence(address: str) -> None:
    body = b'{"data": ["' + b"x" * MAX_BODY + b'"]}'
    status, text, _ = ask(address, "/gradio_api/call/look", body, **{"Accept-Language": "ru"})
    assert status == 413 and json.loads(text)["detail"].startswith("Слишком большой запрос")


def called(address: str, name: str, data: Any, session: str) -> str:
    """What an endpoint answered to raw JSON, as one text."""
    body = json.dumps({"data": data, "session_hash": session}).encode("utf-8")
    status, text, _ = ask(address, f"/gradio_api/call/{name}", body)
    if status != 200:
        assert 400 <= status < 500, text
        return text
    return ask(address, f"/gradio_api/call/{name}/{json.loads(text)['event_id']}")[1]


DEFAULTS = [0.8, 50, 0.95, 0, 3, 0.5]
ANY_DATA = st.one_of(
    st.tuples(short_texts(), *(mostly(st.just(value)) for value in DEFAULTS)).map(list),
    st.lists(values(), max_size=8),
    values(),
)


@given(data=ANY_DATA)
@share(0.08)
def test_any_call_gets_an_answer_or_a_sentence(address: str, data: Any) -> None:
    answer = called(address, "generate", data, f"odd{time.monotonic_ns()}")
    assert not HIDDEN.search(answer), answer[:500]


@pytest.mark.parametrize("data", [float("inf"), float("nan"), 7, None])
def test_a_body_that_is_no_list_is_refused_whatever_it_is(address: str, data: Any) -> None:
    assert "valid list" in called(address, "generate", data, "odd")


@given(text=texts())
@share(0.04)
def test_any_text_gets_an_answer_or_a_sentence(address: str, text: str) -> None:
    answer = called(address, "look", [text], f"odd{time.monotonic_ns()}")
    assert not HIDDEN.search(answer), answer[:500]
    too_large = say("large_request", "en") in answer
    assert too_large or "event: complete" in answer or ("event: error" in answer and "null" not in answer), answer


@given(
    query=st.dictionaries(st.sampled_from(["lang", "text", "seed", "__theme", "view", "x"]), short_texts(), max_size=4)
)
@share(0.04)
def test_any_query_string_opens_the_page(address: str, query: dict[str, str]) -> None:
    line = urllib.parse.urlencode(query, errors="replace")
    status, text, _ = ask(address, f"/?{line}")
    assert status == 200 and "Glyphscope" in text and "<script>window.hacked" not in text


def test_the_server_asked_no_other_host(address: str, asked_hosts: Path) -> None:
    assert "complete" in called(address, "look", ["кот"], "lonely")
    assert not asked_hosts.exists(), asked_hosts.read_text()


def test_one_visitor_has_so_many_texts_a_minute(engine: Engine) -> None:
    requests = RequestQueue(engine)
    for n in range(MAX_PER_WINDOW):
        assert requests.look("кот", visitor=Visitor("", "a")).done.wait(20), n
    with pytest.raises(UserError, match="a minute per visitor"):
        requests.look("кот", visitor=Visitor("", "a"))
    assert requests.look("кот", visitor=Visitor("", "b")).done.wait(20)


def test_the_line_has_an_end_and_the_next_one_is_told(engine: Engine) -> None:
    requests = RequestQueue(engine, batch_size=1, capacity=3)
    orders = [
        requests.write("кот", Sampling(new_tokens=40, top_p=1.0, top_k=0), visitor=Visitor("", str(n)))
        for n in range(3)
    ]
    with pytest.raises(UserError, match="press the button again"):
        for n in range(9):
            orders.append(requests.write("кот", Sampling(new_tokens=40), visitor=Visitor("", f"late{n}")))
    assert all(order.done.wait(30) for order in orders)
    assert requests.write("кот", Sampling(new_tokens=2), visitor=Visitor("", "late")).done.wait(20)
    assert MAX_WAITING + BATCH_SIZE < 160 and os.environ.get("GRADIO_ANALYTICS_ENABLED") == "False"
