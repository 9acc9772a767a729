"""Gradio's own files: served packed, kept for good, and those that a page needs at once known beforehand."""

import gzip

import brotli
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web.gradio_files import FILES, first_files, gradio_routes


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=gradio_routes()))


def test_they_are_served_packed_and_kept_for_good(client: TestClient) -> None:
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}
    kinds = {".js": "javascript", ".css": "text/css"}
    for name in first_files(frozenset({"slider"}))[:12]:
        for coding in unpack:
            with client.stream("GET", f"/assets/{name}", headers={"accept-encoding": coding}) as answer:
                body = b"".join(answer.iter_raw())
            assert answer.status_code == 200 and kinds[name[name.rindex(".") :]] in answer.headers["content-type"]
            assert answer.headers.get("content-encoding", "") == coding and answer.headers["vary"] == "Accept-Encoding"
            assert "immutable" in answer.headers["cache-control"]
            assert unpack[coding](body) == (FILES / name).read_bytes()


def test_what_is_packed_already_is_sent_as_it_is(client: TestClient) -> None:
    font = next(FILES.glob("*.woff2"))
    answer = client.get(f"/assets/{font.name}")
    assert answer.content == font.read_bytes() and "content-encoding" not in answer.headers


def test_other_files_are_not_there(client: TestClient) -> None:
    for wrong in ("none.js", "%2e%2e%2findex.html", "..%2findex.html", ""):
        assert client.get(f"/assets/{wrong}").status_code == 404, wrong


def test_what_a_page_needs_at_once_is_there_and_grows_with_its_components() -> None:
    bare, more = (set(first_files(frozenset(types))) for types in ((), ("slider", "dropdown")))
    assert bare < more and {name.partition("-")[0] for name in bare} >= {"index", "Index", "core", "Blocks"}
    assert all((FILES / name).is_file() for name in more)
    assert set(first_files(frozenset({"no such type"}))) == bare
