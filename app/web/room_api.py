"""Rooms over HTTP, beside Gradio: a teacher's panel and pupils' phones ask here, each with a secret of its own.

    POST /room              {language, model, address} -> {code, token, link, qr}: open a room
    GET  /room?code=…       the page that asks for a code, or leads to the room
    GET  /room/CODE         the page of a pupil
    GET  /room/CODE/state   what is going on, for the holder of a token (header `X-Room-Token`); 304 if nothing changed
    POST /room/CODE/join    {token?} -> {token}
    POST /room/CODE/vote    {token, question, option}
    POST /room/CODE/step    {token, question}: from this question to the next
    POST /room/CODE/reveal  {token, question}

What is wrong is answered by `{detail: one sentence}` in the visitor's language.
"""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import segno
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.rooms.registry import RoomRegistry
from app.rooms.room import Question
from app.web.room_input import body_of, page_address
from app.web.room_pages import door_page, pupil_page, said_to_pupil, said_to_wall
from app.web.visitor import asked_language
from app.wording.catalogue import LANGUAGES, say
from app.wording.errors import UserError

STATUS: Mapping[str, int] = {
    "no_such_room": 404, "room_stranger": 403, "room_not_teacher": 403, "room_full": 409, "room_not_open": 409,
    "room_hasty": 429, "rooms_taken": 503, "crowded": 503, "meanings_wait": 503, "large_request": 413,
}  # fmt: skip
"""Of the errors that are not simply a bad request."""

NEVER_KEPT = {"Cache-Control": "no-store"}

Questions = Callable[[str, str], Awaitable[Sequence[Question]]]
"""The key of a model and a language -> the questions of the lesson."""

log = logging.getLogger(__name__)


def in_one_sentence(handler: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """Decorator of a method: an error becomes a sentence in the visitor's language."""

    @wraps(handler)
    async def answered(self: Any, request: Request) -> Response:
        language = asked_language(request.scope)
        try:
            return await handler(self, request)
        except UserError as error:
            status, sentence = STATUS.get(error.code, 400), say(error.code, language, **error.values)
        except ClientDisconnect:
            status, sentence = 413, say("large_request", language)
        except Exception:
            log.exception("a room failed")
            status, sentence = 500, say("busy", language)
        return JSONResponse({"detail": sentence}, status, NEVER_KEPT)

    return answered


class RoomApi:
    """The routes over some rooms."""

    def __init__(self, rooms: RoomRegistry, questions: Questions) -> None:
        self._rooms, self._questions = rooms, questions

    def routes(self) -> list[Route]:
        """To be mounted beside the page."""
        room = "/room/{code}"
        return [
            Route("/room", self.open, methods=["POST"]),
            Route("/room", self.door),
            Route(room, self.page),
            Route(f"{room}/state", self.state),
            Route(f"{room}/join", self.join, methods=["POST"]),
            Route(f"{room}/vote", self.vote, methods=["POST"]),
            Route(f"{room}/step", self.step, methods=["POST"]),
            Route(f"{room}/reveal", self.reveal, methods=["POST"]),
        ]

    @in_one_sentence
    async def open(self, request: Request) -> Response:
        """Open a room on the questions of a model, as it is asked in a language."""
        body = await body_of(request)
        language, model, address = (body.get(name) for name in ("language", "model", "address"))
        if not (isinstance(language, str) and language in LANGUAGES and isinstance(model, str)):
            raise UserError("room_bad_request")
        base = page_address(address)
        self._rooms.check_place()
        questions = await self._questions(model, language)
        if not questions:
            raise UserError("room_no_questions")
        room = self._rooms.open(questions, language)
        link = f"{base}room/{room.code}"
        return JSONResponse(
            {"code": room.code, "token": room.teacher, "link": link, "door": f"{base}room", "qr": qr_code(link)},
            headers=NEVER_KEPT,
        )

    async def door(self, request: Request) -> Response:
        """Where a code can be typed; one that is there leads to its room."""
        language, code = asked_language(request.scope), request.query_params.get("code")
        if code is None:
            return door_page(language)
        try:
            room = self._rooms.find(code)
        except UserError as error:
            return door_page(language, say(error.code, language), STATUS[error.code])
        return RedirectResponse(f"room/{room.code}", 303)  # relative: there may be a path before it

    async def page(self, request: Request) -> Response:
        """The page of a pupil, or the door with a sentence."""
        language = asked_language(request.scope)
        try:
            room = self._rooms.find(request.path_params["code"])
        except UserError as error:
            return door_page(language, say(error.code, language), STATUS[error.code], "../room")
        return pupil_page(room.code, room.language, language)

    @in_one_sentence
    async def state(self, request: Request) -> Response:
        """What the holder of a token may see; the same state is not sent twice."""
        room, token = self._room(request), request.headers.get("x-room-token")
        language = asked_language(request.scope)
        shown: dict[str, Any]
        if room.is_teacher(token):
            wall = room.wall_view(token)
            shown = {**vars(wall), "said": said_to_wall(wall, language)}
        else:
            view = room.pupil_view(token)
            shown = {**vars(view), "said": said_to_pupil(view, language)}
        body = json.dumps(shown, ensure_ascii=False).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {**NEVER_KEPT, "ETag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    @in_one_sentence
    async def join(self, request: Request) -> Response:
        """Take a seat."""
        room, body = self._room(request), await body_of(request)
        return JSONResponse({"token": room.join(body.get("token"))}, headers=NEVER_KEPT)

    @in_one_sentence
    async def vote(self, request: Request) -> Response:
        """Vote on the open question."""
        room, body = self._room(request), await body_of(request)
        room.vote(body.get("token"), body.get("question"), body.get("option"))
        return done()

    @in_one_sentence
    async def step(self, request: Request) -> Response:
        """The teacher goes on."""
        room, body = self._room(request), await body_of(request)
        room.step(body.get("token"), body.get("question"))
        return done()

    @in_one_sentence
    async def reveal(self, request: Request) -> Response:
        """The teacher shows the answer."""
        room, body = self._room(request), await body_of(request)
        room.reveal(body.get("token"), body.get("question"))
        return done()

    def _room(self, request: Request) -> Any:
        return self._rooms.find(request.path_params["code"])


def done() -> Response:
    """An empty answer: done."""
    return Response(status_code=204, headers=NEVER_KEPT)


def qr_code(link: str) -> str:
    """A link as inline SVG, black on white in dark mode too, for cameras expect that."""
    return str(segno.make_qr(link, error="m").svg_inline(border=2, dark="#000", light="#fff", omitsize=True))
