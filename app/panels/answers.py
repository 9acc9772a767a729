"""The two tokens whose margin an instrument follows: what they are chosen from, and what a press chooses."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from app.engine.engine import Engine
from app.intervene.predictions import Predictions
from app.panels.settings import whole
from viz.answers import AnswerRow
from viz.tokens import visible

Choices = list[tuple[str, int]]


def token_choices(engine: Engine, ids: Iterable[Any]) -> Choices:
    """(text, id) of tokens for a list, each once."""
    return [(visible(engine.text_of(token)), token) for token in dict.fromkeys(map(int, ids))]


def answer_row(engine: Engine, label: str, likely: Predictions, chosen: int) -> AnswerRow:
    """The fusion's likeliest tokens, of which one is chosen."""
    return AnswerRow(
        label,
        tuple(
            (int(token), engine.text_of(int(token)), float(np.exp(log_prob)))
            for token, log_prob in zip(likely.ids[-1], likely.log_probs[-1], strict=True)
        ),
        (chosen, engine.text_of(chosen)),
    )


def own_answers(answers: tuple[Any, Any], known: tuple[Any, Any]) -> tuple[Any, Any]:
    """What a visitor chose for another text: the answers that are known from the one before belong to that one."""
    return tuple(None if answer == old else answer for answer, old in zip(answers, known, strict=True))  # type: ignore[return-value]


def chosen_anew(answers: tuple[Any, Any], known: tuple[Any, Any]) -> bool:
    """Whether a visitor chose something: Gradio tells of a list that is only left in the same way."""
    return answers != known and not all(answer is None or answer == "" for answer in answers)


def with_answer(answers: tuple[Any, Any], pressed: Any) -> tuple[Any, Any] | None:
    """Two answers after a press on a token in the row of one of them; where it is the other one, both change places.
    None for a press that is none: what comes from the browser may be anything."""
    values = pressed if isinstance(pressed, dict) else {}
    which, token = whole(values.get("answer")), whole(values.get("token"))
    if which not in (0, 1) or token is None:
        return None
    other = answers[which] if token == answers[1 - which] else answers[1 - which]
    return (token, other) if which == 0 else (other, token)
