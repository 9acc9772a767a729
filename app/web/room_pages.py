"""What a room shows and says: the page on a pupil's phone, the page that asks for a code, the sentences of a state.

The phones' page is small and stands alone: one file with its style and its script, nothing of Gradio.  Its content
security policy names these two by their checksums, so that no other script can run in it.
"""

import base64
import hashlib
from functools import cache
from typing import Any

from markupsafe import Markup
from starlette.responses import HTMLResponse

from app.rooms.codes import LENGTH
from app.rooms.registry import LIFE_SECONDS
from app.rooms.room import MAX_PUPILS
from app.rooms.views import Phase, PupilView, WallView
from app.web.assets import PAGE
from app.wording.catalogue import say, speaker
from viz.templates import rendered

LETTERS = "ABCDEFGH"
"""Marks of the options, on the wall and on the phones."""

PHONE_WORDS = ("title", "lost", "right_mark", "door", "enter", "nameless")
PANEL_WORDS = (
    "title", "lead", "open", "opening", "lost", "right_mark", "qr", "join_at", "code", "results", "reveal", "again",
)  # fmt: skip
"""What their templates say, by the names that the sentences have after `room_`."""


@cache
def source(name: str) -> str:
    """A style sheet or a script of `assets/page`."""
    return (PAGE / name).read_text(encoding="utf-8")


def phone_style() -> str:
    """The style of both pages for phones, in the page's own colours."""
    return source("colours.css") + source("phone/phone.css")


def phone_headers() -> dict[str, str]:
    """Only this style and this script; no other site may put the page into a frame."""
    style, script = checksum(phone_style()), checksum(source("phone/phone.js"))
    policy = (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store"}


@cache
def checksum(text: str) -> str:
    """Of an inline style or script, as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def pupil_page(code: str, spoken: str, language: str) -> HTMLResponse:
    """The page of a pupil.  spoken: the language of the questions."""
    return _phone_page(language, code=code, spoken=spoken)


def door_page(language: str, sentence: str = "", status: int = 200, action: str = "room") -> HTMLResponse:
    """The page that asks for a code.  sentence: why it is seen again; action: where its form leads, from here."""
    return _phone_page(language, status, sentence=sentence, action=action, code="", length=LENGTH)


def _phone_page(language: str, status: int = 200, **values: Any) -> HTMLResponse:
    words = {name: say(f"room_{name}", language) for name in PHONE_WORDS}
    html = rendered(
        "phone.html", site=say("title", language), words=words, language=language, style=Markup(phone_style()),
        script=Markup(source("phone/phone.js")), **values,
    )  # fmt: skip
    return HTMLResponse(html, status, phone_headers())


def room_html(model: str, language: str) -> str:
    """The teacher's panel over the model of this key, for the element `room`."""
    limits = say("room_limits", language, pupils=MAX_PUPILS, hours=round(LIFE_SECONDS / 3600))
    words = {name: say(f"room_{name}", language) for name in PANEL_WORDS}
    full = say("full_screen", language)
    return rendered("room.html", words=words, limits=limits, full=full, model=model, language=language)


def said_to_pupil(view: PupilView, language: str) -> dict[str, str]:
    """number: which question it is; note: what there is to do, or what came of it; score: after a reveal."""
    speak, score = speaker(language), ""
    if view.revealed:
        score = speak("room_score", right=view.score, count=view.revealed)
    return {"number": _number(view.phase, view.number, view.questions, language), "note": _note(view, language),
            "score": score}  # fmt: skip


def _note(view: PupilView, language: str) -> str:
    if view.phase is Phase.WAITING:
        return say("room_wait_start", language)
    if view.phase is Phase.FINISHED:
        return say("room_end", language)
    if view.right is None:
        return say("room_choose" if view.mine is None else "room_chosen", language)
    if view.mine == view.right:
        return say("room_was_right", language)
    return say("room_was_none" if view.mine is None else "room_was_wrong", language, letter=LETTERS[view.right])


def said_to_wall(view: WallView, language: str) -> dict[str, Any]:
    """The same for the wall; next: what the button that goes on says; results: one line a question, at the end."""
    speak, votes = speaker(language), ""
    if view.phase in (Phase.OPEN, Phase.REVEALED):
        votes = speak("room_votes", votes=view.votes, pupils=view.pupils)
    results = [speak("room_right_share", right=right, votes=count) for _, right, count in view.results]
    return {
        "number": _number(view.phase, view.number, view.questions, language),
        "pupils": speak("room_here", count=view.pupils), "votes": votes, "next": _next(view, language),
        "results": results, "none": "" if results else speak("room_no_results"),
    }  # fmt: skip


def _number(phase: Phase, number: int, questions: int, language: str) -> str:
    if phase in (Phase.WAITING, Phase.FINISHED):
        return ""
    return say("room_number", language, number=number + 1, count=questions)


def _next(view: WallView, language: str) -> str:
    if view.phase is Phase.WAITING:
        return say("room_begin", language)
    return say("room_finish" if view.number >= view.questions - 1 else "room_next", language)
