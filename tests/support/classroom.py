"""Questions for rooms, and a clock that moves only when a test moves it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A question as the lesson asks it."""

    prompt: str
    options: Sequence[str]
    right: int
    picture: Sequence[str] | None = None


QUESTIONS = (
    Asked("Which is nearest?", ("cat", "dog", "cow", "<b>hen</b>"), 2),
    Asked("Which expert?", ("RU", "ZH"), 0, ("01" * 512, "10" * 512)),
    Asked("How many pixels?", ("1", "9", "99"), 1),
)


async def asked(model: str, language: str) -> Sequence[Asked]:
    """The questions over any model but a nameless one."""
    return QUESTIONS if model else ()


class Clock:
    """Seconds of a clock that a test moves forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
