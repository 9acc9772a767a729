"""Rooms over HTTP: the whole story, everything hostile, and what leaves the server when."""

import json
import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.rooms.registry import LIFE_SECONDS, MAX_ROOMS, RoomRegistry
from app.rooms.room import MAX_PUPILS, MAX_REQUESTS, WINDOW_SECONDS
from app.web import room_api
from app.web.room_api import RoomApi
from app.web.room_input import MAX_BODY
from app.web.room_pages import checksum, phone_style, room_html, source
from app.web.security import HEADERS, SecurityMiddleware
from app.wording.catalogue import LANGUAGES, say
from tests.support.classroom import Clock, asked

HERE = "https://school.example/deep/"


class Classroom:
    """A server with rooms, its clock, and one room in it."""

    def __init__(self, root_path: str = "") -> None:
        self.clock = Clock()
        self.rooms = RoomRegistry(self.clock)
        api = RoomApi(self.rooms, asked)
        app = Starlette(routes=api.routes(), middleware=[Middleware(SecurityMiddleware)])
        self.client = TestClient(app, root_path=root_path, headers={"accept-language": "en-US"})
        self.opened = self.client.post("/room", json={"language": "ru", "model": "mini", "address": HERE}).json()
        self.code, self.teacher = self.opened["code"], self.opened["token"]

    def post(self, verb: str, **body: Any) -> Any:
        return self.client.post(f"/room/{self.code}/{verb}", json=body)

    def join(self) -> str:
        return str(self.post("join").json()["token"])

    def state(self, token: str, **headers: str) -> Any:
        return self.client.get(f"/room/{self.code}/state", headers={"x-room-token": token, **headers})


@pytest.fixture
def room() -> Classroom:
    return Classroom()


def sentence(answer: Any, status: int, code: str, language: str = "en", **values: Any) -> None:
    """An answer is this error, as one sentence, and nobody keeps it."""
    assert (answer.status_code, answer.json()) == (status, {"detail": say(code, language, **values)})
    assert answer.headers["cache-control"] == "no-store"


def test_a_room_is_opened_with_a_link_and_its_qr_code(room: Classroom) -> None:
    assert re.fullmatch("[A-Z]{5}", room.code) and len(room.teacher) > 20
    assert room.opened["link"] == f"{HERE}room/{room.code}" and room.opened["door"] == f"{HERE}room"
    assert room.opened["qr"].startswith("<svg") and not re.search(r"<(?!svg|/svg|path)|on\w+=|href", room.opened["qr"])


def test_a_lesson_over_http(room: Classroom) -> None:
    pupils = [room.join() for _ in range(3)]
    assert room.state(room.teacher).json()["said"]["pupils"] == "3 pupils are here"
    assert room.post("step", token=room.teacher, question=-1).status_code == 204
    for pupil, option in zip(pupils, (2, 2, 1), strict=True):
        assert room.post("vote", token=pupil, question=0, option=option).status_code == 204
    wall, phone = room.state(room.teacher).json(), room.state(pupils[0]).json()
    assert wall["counts"] == [0, 1, 2, 0] and wall["said"]["votes"] == "3 of 3 answered"
    assert phone["mine"] == 2 and phone["counts"] is None and phone["right"] is None and wall["right"] is None
    assert room.post("reveal", token=room.teacher, question=0).status_code == 204
    notes = [room.state(pupil).json()["said"]["note"] for pupil in (*pupils, room.join())]
    assert notes == [say("room_was_right")] * 2 + [say(f"room_was_{x}", letter="C") for x in ("wrong", "none")]
    for question in range(3):
        room.post("step", token=room.teacher, question=question)
    assert room.state(pupils[0]).json()["said"]["score"] == "You got 1 of 1 right."
    assert room.state(room.teacher).json()["said"]["results"] == ["2 of 3 right"]


def test_the_state_is_sent_once_until_it_changes(room: Classroom) -> None:
    pupil, other = room.join(), room.join()
    first = room.state(pupil)
    tag = first.headers["etag"]
    again = room.state(pupil, **{"if-none-match": tag})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    room.post("step", token=room.teacher, question=-1)
    changed = room.state(pupil, **{"if-none-match": tag})
    assert changed.status_code == 200 and changed.json()["phase"] == "open"
    tag = changed.headers["etag"]
    room.post("vote", token=other, question=0, option=2)
    assert room.state(pupil, **{"if-none-match": tag}).status_code == 304, "others' votes do not show"
    assert len(changed.content) < 700


@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_reads_their_own_language(room: Classroom, language: str) -> None:
    page = room.client.get(f"/room/{room.code}", headers={"accept-language": f"{language};q=0.9"})
    assert f'<html lang="{language}">' in page.text and '<h1 id="prompt" lang="ru">' in page.text
    assert say("room_nameless", language) in page.text
    answer = room.client.post(f"/room/{room.code}/vote?lang={language}", json={"token": "x"})
    sentence(answer, 403, "room_stranger", language)
    gone = room.client.get("/room/AAAAA", headers={"accept-language": language})
    assert gone.status_code == 404 and say("no_such_room", language) in gone.text
    assert 'data-model="&lt;b&gt;&#34;"' in room_html('<b>"', language)


def test_a_pupils_page_runs_nothing_but_its_own(room: Classroom) -> None:
    page = room.client.get(f"/room/{room.code}")
    policy = page.headers["content-security-policy"]
    assert page.headers.get_list("content-security-policy") == [policy] and "default-src 'none'" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    style, script = (re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL) for tag in ("style", "script"))
    assert style == [phone_style()] and script == [source("phone/phone.js")]
    assert checksum(style[0]) in policy and checksum(script[0]) in policy
    assert not re.search(r"\son\w+=|style=|src=|gradio", page.text.split("</script>")[1].lower())
    assert page.headers["referrer-policy"] == HEADERS["referrer-policy"]
    assert len(page.content) < 20_000 and page.headers["content-encoding"] == "gzip"


def test_a_code_is_typed_at_the_door(room: Classroom) -> None:
    door = room.client.get("/room")
    assert door.status_code == 200 and 'action="room"' in door.text
    typed = room.client.get(f"/room?code=+{room.code.lower()}", follow_redirects=False)
    assert typed.status_code == 303 and typed.headers["location"] == f"room/{room.code}"
    assert 'action="../room"' in room.client.get("/room/AAAAA").text
    for wrong in ("AAAAA", "<script>alert(1)</script>", "%00", "A" * 500):
        answer = room.client.get(f"/room?code={wrong}")
        assert answer.status_code == 404 and say("no_such_room") in answer.text and "alert(1)" not in answer.text


def test_behind_a_path_the_same_addresses_answer() -> None:
    room = Classroom("/proxy/demo")
    pupil = room.join()
    assert room.state(pupil).json()["phase"] == "waiting"
    assert "http" not in room.client.get(f"/room/{room.code}").text.replace("http-equiv", "")


BODIES: list[bytes] = [
    b"", b"null", b"[]", b"7", b'"x"', b"{", b'{"token": ', b"\xff\xfe", b"[" * 1900, b'{"a": 1e999999', b"{'a': 1}",
    b'{"a": ' + b"9" * 1900,
]  # fmt: skip


@pytest.mark.parametrize("verb", ["", "/join", "/vote", "/step", "/reveal"])
def test_bodies_that_are_none(room: Classroom, verb: str) -> None:
    where = f"/room/{room.code}{verb}" if verb else "/room"
    for body in BODIES:
        answer = room.client.post(where, content=body, headers={"content-type": "application/json"})
        sentence(answer, 400, "room_bad_request")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
        answer = room.client.post(where, content=b"{}", headers={"content-type": kind})
        sentence(answer, 400, "room_bad_request")
    large = json.dumps({"token": "x" * MAX_BODY}).encode()
    for body in (large, large * 500):
        answer = room.client.post(where, content=body, headers={"content-type": "application/json"})
        sentence(answer, 413, "large_request")


@pytest.mark.parametrize("token", [None, 5, True, [], {}, "x", "\ud800", "' or 1=1"])
def test_forged_tokens(room: Classroom, token: Any) -> None:
    def raw(verb: str, **body: Any) -> Any:
        content = json.dumps({"token": token, **body})
        return room.client.post(
            f"/room/{room.code}/{verb}", content=content, headers={"content-type": "application/json"}
        )

    sentence(raw("vote", question=0, option=0), 403, "room_stranger")
    sentence(raw("step", question=-1), 403, "room_not_teacher")
    sentence(raw("reveal", question=0), 403, "room_not_teacher")
    assert raw("join").json()["token"] != token
    assert room.state(room.teacher).json()["phase"] == "waiting"
    sentence(room.client.get(f"/room/{room.code}/state"), 403, "room_stranger")
    sentence(room.state("x"), 403, "room_stranger")


def test_forged_votes(room: Classroom) -> None:
    pupil = room.join()
    sentence(room.post("vote", token=pupil, question=0, option=0), 409, "room_not_open")
    room.post("step", token=room.teacher, question=-1)
    for question, option in ((None, 0), (0, None), (0, "0"), (0, 4), (0, True), (9, 0), (0.0, 0), ([], {})):
        vote = room.post("vote", token=pupil, question=question, option=option)
        sentence(vote, 400, "room_bad_vote")
    sentence(room.post("vote", token=pupil, question=1, option=0), 409, "room_not_open")
    room.post("reveal", token=room.teacher, question=0)
    sentence(room.post("vote", token=pupil, question=0, option=2), 409, "room_not_open")
    assert sum(room.state(room.teacher).json()["counts"]) == 0


def test_limits_are_told(room: Classroom) -> None:
    pupils = [room.join() for _ in range(MAX_PUPILS)]
    sentence(room.post("join"), 409, "room_full", limit=MAX_PUPILS)
    for _ in range(MAX_REQUESTS):
        room.state(pupils[0])
    sentence(room.state(pupils[0]), 429, "room_hasty")
    room.clock.wait(WINDOW_SECONDS)
    assert room.state(pupils[0]).status_code == 200
    asked = {"language": "en", "model": "mini", "address": HERE}
    for _ in range(MAX_ROOMS - 1):
        assert room.client.post("/room", json=asked).status_code == 200
    sentence(room.client.post("/room", json=asked), 503, "rooms_taken", limit=MAX_ROOMS)
    room.clock.wait(LIFE_SECONDS)
    sentence(room.post("join"), 404, "no_such_room")
    sentence(room.state(room.teacher), 404, "no_such_room")


@pytest.mark.parametrize(
    "address",
    [None, 5, "", "x", "javascript:alert(1)", "//school.example/", "https:///x", "https://a b/", "https://[/",
     "https://a/\n", "https://пример/", "https://a/" + "x" * 400],
)  # fmt: skip
def test_addresses_that_no_page_has(room: Classroom, address: Any) -> None:
    answer = room.client.post("/room", json={"language": "en", "model": "mini", "address": address})
    sentence(answer, 400, "room_bad_request")


def test_other_things_a_room_cannot_be_opened_with(room: Classroom) -> None:
    wrong: dict[str, Any]
    for wrong in ({"language": "xx"}, {"language": None}, {"language": []}, {"model": None}, {"model": 5}):
        answer = room.client.post("/room", json={"language": "en", "model": "mini", "address": HERE, **wrong})
        sentence(answer, 400, "room_bad_request")
    answer = room.client.post("/room", json={"language": "en", "model": "", "address": HERE})
    sentence(answer, 400, "room_no_questions")


def test_a_fault_of_ours_is_one_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(model: str, language: str) -> Any:
        raise RuntimeError("inner words")

    logged: list[Any] = []
    monkeypatch.setattr(room_api.log, "exception", lambda *said: logged.append(said))
    client = TestClient(Starlette(routes=RoomApi(RoomRegistry(), broken).routes()))
    answer = client.post("/room?lang=zh", json={"language": "en", "model": "mini", "address": HERE})
    sentence(answer, 500, "busy", "zh")
    assert len(logged) == 1


@pytest.mark.parametrize("path", ["/room/", "/room/a/b", "/room/a/state/x", "/room/../etc", "/rooms", "/room/a.b"])
def test_other_addresses_are_shut(room: Classroom, path: str) -> None:
    assert room.client.get(path).status_code in (404, 405)
