"""The lesson: from its steps and a visitor's answers to the panel, and from its questions to the sheet."""

from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from app.intervene.pixels import from_strings
from app.lesson.lesson import STEPS, made_steps, make_step, steps
from app.lesson.progress import LAST, Progress, finished, open_questions
from app.lesson.record import Asked, Step
from app.models import LoadedModel
from app.substrate.pictures import SIDE
from app.wording.catalogue import Speech, speaker
from viz.lesson import Card, LessonView, Mark, SheetQuestion, ShownQuestion, Tile, lesson_panel, lesson_sheet

MINUTES = {"kinds": 4, "untrained": 2, "scripts": 2, "next": 2, "expert": 2, "disagree": 2, "moved": 3, "pixels": 3}


def is_ready(model: LoadedModel, progress: Progress, language: str) -> bool:
    """Whether all that is on view is computed already."""
    made = made_steps(model, language)
    return progress.key in made if progress.key is not None else len(made) == LAST


def lesson_view(model: LoadedModel, progress: Progress, language: str) -> str:
    """The panel; computes the step on view if it is not known yet, at the end all of them.

    Raises:
        UserError: see `make_step`.
    """
    say = speaker(language)
    whole = steps(model, say.language) if progress.key is None else []
    step = None if progress.key is None else make_step(model, say.language, progress.key)
    made = made_steps(model, say.language)
    asked = [asked for each in made.values() if each is not None for asked in each.questions]
    answered = [one for one in asked if one.key in progress.answers]
    view = LessonView(
        at=progress.at,
        marks=tuple(_mark(key, made, progress, say) for key in STEPS),
        card=None if progress.key is None else _card(progress.key, step, progress, say),
        right=sum(progress.answers[one.key] == one.right for one in answered),
        answered=len(answered),
        count=len(asked),
        seen=tuple(dict.fromkeys(each.seen for each in whole)),
        sheets=(_sheet_address(model, say, False), _sheet_address(model, say, True)),
    )
    return lesson_panel(view, say)


def _mark(key: str, made: dict[str, Step | None], progress: Progress, say: Speech) -> Mark:
    step = made.get(key)
    if key in made and step is None:
        return Mark(say(f"lesson_{key}_title"), "out")
    if step is None or not finished(step, progress):
        return Mark(say(f"lesson_{key}_title"), "open")
    right = all(progress.answers[asked.key] == asked.right for asked in step.questions)
    return Mark(step.title, "right" if right else "wrong")


def _card(key: str, step: Step | None, progress: Progress, say: Speech) -> Card:
    minutes, title = MINUTES[key], say(f"lesson_{key}_title")
    if step is None:
        return Card(key, minutes, title, say("lesson_left_out"), (), "", "", "", "")
    learned = step.learned if finished(step, progress) else ""
    questions = tuple(_shown(asked, progress) for asked in open_questions(step, progress))
    return Card(key, minutes, title, step.lead, questions, learned, step.task, step.panel, step.text)


def _shown(asked: Asked, progress: Progress) -> ShownQuestion:
    return ShownQuestion(
        key=asked.key,
        prompt=asked.prompt,
        options=asked.options,
        right=asked.right,
        chosen=progress.answers.get(asked.key),
        told=asked.told,
        chart=asked.chart,
        pictures=_pictures(asked),
        subject=None if asked.subject is None else Tile(asked.subject[0], bitmap(asked.subject[1])),
        changed=None if asked.changed is None else Tile(asked.changed[0], bitmap(asked.changed[1])),
    )


def bitmap(bits: str) -> NDArray[np.bool_]:
    """The picture (32, 32) of 1,024 characters 0 and 1."""
    return from_strings([bits[i : i + SIDE] for i in range(0, len(bits), SIDE)])


def _pictures(asked: Asked) -> tuple[NDArray[np.bool_], ...] | None:
    return None if asked.picture is None else tuple(map(bitmap, asked.picture))


def _sheet_address(model: LoadedModel, say: Speech, answers: bool) -> str:
    query = {"lang": say.language, "model": model.key, **({"answers": "1"} if answers else {})}
    return f"lesson/sheet?{urlencode(query)}"


def sheet_view(model: LoadedModel, language: str, answers: bool) -> str:
    """The sheet to print, a whole page; computes the lesson if it is not known yet.

    Raises:
        UserError: see `make_step`.
    """
    say = speaker(language)
    asked = [
        (one, step.lead if one is step.questions[0] else "")
        for step in steps(model, say.language)
        for one in step.questions
    ]
    questions = [
        SheetQuestion(number, lead, one.prompt, one.options, one.right, one.told, _pictures(one))
        for number, (one, lead) in enumerate(asked, 1)
    ]
    return lesson_sheet(questions, model.engine.bundle.name, say.language, answers, say)
