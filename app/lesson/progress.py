"""How far a visitor is in the lesson: the step on view and the answers given, checked like any other input."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from app.lesson.lesson import STEPS
from app.lesson.record import Asked, Step

LAST = len(STEPS)
"""The place behind the last step: the result."""


@dataclass(frozen=True)
class Progress:
    """at: index of the step on view, `LAST` at the end; answers: key of a question -> index of the option chosen."""

    at: int = 0
    answers: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> str | None:
        """Of the step on view; None at the end."""
        return list(STEPS)[self.at] if self.at < LAST else None

    def moved(self, place: Any) -> "Progress":
        """The progress at another step; unchanged if there is no such step."""
        fits = isinstance(place, int) and not isinstance(place, bool) and 0 <= place <= LAST
        return replace(self, at=place) if fits else self

    def answered(self, step: Step, question: Any, option: Any) -> "Progress":
        """The progress with an answer to a question of the shown step; unchanged if there is no such question or
        option, or if the question is not open or already answered."""
        asked = next((asked for asked in open_questions(step, self)[-1:] if asked.key == question), None)
        fits = isinstance(option, int) and not isinstance(option, bool)
        if asked is None or asked.key in self.answers or not fits or not 0 <= option < len(asked.options):
            return self
        return replace(self, answers=MappingProxyType({**self.answers, asked.key: option}))


def open_questions(step: Step, progress: Progress) -> tuple[Asked, ...]:
    """The questions of a step that are on view: those answered, and the next one."""
    answered = sum(asked.key in progress.answers for asked in step.questions)
    return step.questions[: answered + 1]


def finished(step: Step, progress: Progress) -> bool:
    """Whether all questions of a step are answered."""
    return all(asked.key in progress.answers for asked in step.questions)
