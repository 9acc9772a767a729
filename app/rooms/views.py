"""What may be seen of a room: by everybody in it, by one pupil, on the wall (the teacher's screen, shown to the
class)."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What is going on in a room."""

    WAITING = "waiting"  # pupils come
    OPEN = "open"  # a question can be answered
    REVEALED = "revealed"
    FINISHED = "finished"


@dataclass(frozen=True)
class View:
    """What anybody in the room may know just now.  number: of the question, from 0, -1 before the first; right and
    counts (votes of each option): None until they are revealed."""

    phase: Phase
    number: int
    questions: int
    prompt: str
    options: tuple[str, ...]
    picture: tuple[str, ...]
    right: int | None
    counts: tuple[int, ...] | None


@dataclass(frozen=True)
class PupilView(View):
    """And what is this pupil's own: the vote on this question, right votes so far, and revealed questions."""

    mine: int | None
    score: int
    revealed: int


@dataclass(frozen=True)
class WallView(View):
    """And what the wall shows, with the counts of an open question: pupils in the room, votes on this question, and at
    the end (prompt, right votes, votes) of each revealed question."""

    pupils: int
    votes: int
    results: tuple[tuple[str, int, int], ...]
