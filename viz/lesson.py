"""The lesson as a panel: one step at a time, its answer drawn only once it is answered; and as a sheet to print."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viz.glyphs import difference
from viz.html import Say
from viz.lesson_charts import Bars, Curve, chart_html
from viz.templates import rendered
from viz.tokens import picture

_SIGNS = {"right": "✓", "wrong": "✗", "out": "–"}


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture (32, 32) and its caption."""

    caption: str
    bitmap: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ShownQuestion:
    """A question as it stands: chosen is the visitor's option, None before it is answered; only then `told`, `chart`
    and `changed` are drawn.  pictures: of the options, if they have any."""

    key: str
    prompt: str
    options: tuple[str, ...]
    right: int
    chosen: int | None
    told: str
    chart: Bars | Curve | None
    pictures: tuple[NDArray[np.bool_], ...] | None
    subject: Tile | None
    changed: Tile | None


@dataclass(frozen=True, eq=False)
class Card:
    """One step; `learned` is empty until its questions are answered, `text` where its task needs none."""

    key: str
    minutes: int
    title: str
    lead: str
    questions: tuple[ShownQuestion, ...]
    learned: str
    task: str
    panel: str
    text: str


@dataclass(frozen=True)
class Mark:
    """A step in the row of steps: its title, and whether it is `open`, answered `right` or `wrong`, or left `out`."""

    title: str
    state: str


@dataclass(frozen=True, eq=False)
class LessonView:
    """at: the step on view, or how many there are at the end; card: that step, None at the end.  right, answered,
    count: of the questions so far; seen: the lines of the end.  sheets: addresses of the two sheets."""

    at: int
    marks: tuple[Mark, ...]
    card: Card | None
    right: int
    answered: int
    count: int
    seen: tuple[str, ...]
    sheets: tuple[str, str]


def lesson_panel(view: LessonView, say: Say) -> str:
    """The panel with a step, or with the result."""
    number = len(view.marks)
    marks = [
        {"state": mark.state, "sign": _SIGNS.get(mark.state, i), "title": mark.title}
        for i, mark in enumerate(view.marks, 1)
    ]
    marks.append({"state": "open", "sign": "★", "title": say("lesson_end")})
    score = say("lesson_score", right=view.right, count=view.count) if view.count else say("lesson_none")
    left = say("lesson_open_questions", left=view.count - view.answered) if view.count > view.answered else ""
    names = (say("lesson_sheet"), say("lesson_sheet_answers"))
    words = {
        "title": say("lesson_title"), "lead": say("lesson_lead"), "steps": say("lesson_steps"),
        "guess": say("lesson_guess"), "task": say("lesson_task"), "open": say("lesson_open"),
        "read": say("lesson_read"), "back": say("lesson_back"), "again": say("lesson_again"),
        "next": say("lesson_end") if view.at == number - 1 else say("lesson_next"), "seen": say("lesson_seen"),
    }  # fmt: skip
    shown = {
        "at": view.at, "marks": marks, "card": None if view.card is None else _card(view.card, view.at, number, say),
        "score": score, "left": left, "seen": view.seen, "sheets": list(zip(view.sheets, names, strict=True)),
    }  # fmt: skip
    return rendered("lesson.html", view=shown, words=words)


def _card(card: Card, at: int, count: int, say: Say) -> dict[str, object]:
    where = f"{say('lesson_step', step=at + 1, count=count)} · {say('lesson_minutes', minutes=card.minutes)}"
    questions = [_question(asked, say) for asked in card.questions]
    return {**vars(card), "where": where, "questions": questions}


def _question(asked: ShownQuestion, say: Say) -> dict[str, object]:
    answered = asked.chosen is not None
    right = say("lesson_right") if asked.chosen == asked.right else ""
    return {
        "key": asked.key,
        "prompt": asked.prompt,
        "chosen": asked.chosen,
        "options": [_option(asked, i) for i in range(len(asked.options))],
        "subject": _tile(asked.subject),
        "verdict": right or say("lesson_wrong"),
        "told": asked.told,
        "chart": Markup(chart_html(asked.chart)) if answered else "",
        "changed": _changed(asked) if answered else None,
    }


def _option(asked: ShownQuestion, i: int) -> dict[str, object]:
    state = "open"
    if asked.chosen is not None:
        state = "right" if i == asked.right else "wrong" if i == asked.chosen else "other"
    image = "" if asked.pictures is None else picture(asked.pictures[i])
    pressed = "true" if i == asked.chosen else "false"
    return {"text": asked.options[i], "state": state, "pressed": pressed, "picture": image}


def _tile(tile: Tile | None) -> dict[str, object] | None:
    return None if tile is None else {"picture": picture(tile.bitmap), "caption": tile.caption}


def _changed(asked: ShownQuestion) -> dict[str, object] | None:
    if asked.changed is None or asked.subject is None:
        return None
    apart = difference(asked.subject.bitmap, asked.changed.bitmap, asked.changed.caption)
    return {**(_tile(asked.changed) or {}), "difference": apart}


@dataclass(frozen=True, eq=False)
class SheetQuestion:
    """A question on paper.  lead: of the step that it begins, else empty; pictures: of its options if they have any;
    told: what the sheet with answers adds."""

    number: int
    lead: str
    prompt: str
    options: tuple[str, ...]
    right: int
    told: str
    pictures: tuple[NDArray[np.bool_], ...] | None


def lesson_sheet(questions: Sequence[SheetQuestion], model: str, language: str, answers: bool, say: Say) -> str:
    """A whole page on one side of A4; answers: with the right ones marked, and what the model says."""
    rows = [
        {
            "number": asked.number,
            "lead": asked.lead,
            "prompt": asked.prompt,
            "told": asked.told if answers else "",
            "options": [
                {
                    "text": text,
                    "right": answers and i == asked.right,
                    "picture": "" if asked.pictures is None else picture(asked.pictures[i]),
                }
                for i, text in enumerate(asked.options)
            ],
        }
        for asked in questions
    ]
    how = say("sheet_answers", model=model) if answers else say("sheet_how", model=model)
    words = {"title": say("lesson_title"), "name": say("sheet_name"), "how": how, "print": say("sheet_print")}
    none = "" if rows else say("lesson_none")
    return rendered("lesson_sheet.html", rows=rows, words=words, language=language, answers=answers, none=none)
