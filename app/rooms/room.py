"""One room: its questions, its pupils and their votes.  Safe to use from many threads.

The right answer of a question leaves a room only after the teacher has revealed it, and so do the counts of votes
except on the wall, the screen that the teacher shows to the class.
"""

import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.rooms.views import Phase, PupilView, View, WallView
from app.wording.errors import UserError

MAX_PUPILS = 60
IDLE_SECONDS = 60.0
"""After this long without a request, a pupil's seat in a full room goes to the next one who joins."""

MAX_REQUESTS, WINDOW_SECONDS = 40, 10.0
"""What one pupil may ask in a time; the page asks every 1.5 s."""

Clock = Callable[[], float]


class Question(Protocol):
    """What the lesson asks.  right: index of the right option; picture: of each option the 1,024 characters 0 and 1
    of its pixels, or None."""

    @property
    def prompt(self) -> str: ...
    @property
    def options(self) -> Sequence[str]: ...
    @property
    def right(self) -> int: ...
    @property
    def picture(self) -> Sequence[str] | None: ...


@dataclass(eq=False)
class Pupil:
    """One who joined.  votes: question -> option; seen: seconds of the clock."""

    seen: float
    votes: dict[int, int] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_REQUESTS))


class Room:
    """A room from its opening on; every method may raise `UserError`."""

    def __init__(self, code: str, questions: Sequence[Question], language: str, clock: Clock) -> None:
        assert questions, "a room without a question"
        self.code, self.language, self.questions = code, language, tuple(questions)
        self.teacher = secrets.token_urlsafe(16)
        self.opened = self.attended = clock()  # attended: when the teacher was last heard of
        self._clock, self._lock = clock, threading.Lock()
        self._number, self._revealed = -1, set[int]()
        self._pupils: dict[str, Pupil] = {}

    def join(self, token: Any = None) -> str:
        """The token of a pupil: that of a seat already taken, or a new one.

        Raises:
            UserError: `room_full`.
        """
        with self._lock:
            now = self._clock()
            if isinstance(token, str) and token in self._pupils:
                self._heard(self._pupils[token], now)
                return token
            if len(self._pupils) >= MAX_PUPILS:
                self._free_a_seat(now)
            seat = secrets.token_urlsafe(12)
            self._pupils[seat] = Pupil(now)
            return seat

    def vote(self, token: Any, number: Any, option: Any) -> None:
        """Vote on the open question, or change the vote.

        Raises:
            UserError: `room_stranger`, `room_hasty`, `room_bad_vote`, `room_not_open`.
        """
        with self._lock:
            pupil = self._pupil(token)
            if type(number) is not int or type(option) is not int or not 0 <= number < len(self.questions):
                raise UserError("room_bad_vote")
            if not 0 <= option < len(self.questions[number].options):
                raise UserError("room_bad_vote")
            if number != self._number or self._phase() is not Phase.OPEN:
                raise UserError("room_not_open")
            pupil.votes[number] = option

    def step(self, token: Any, number: Any) -> None:
        """The teacher goes on from a question (-1: from waiting) to the next, or to the end.  A step from a question
        that is no longer open changes nothing: the button was pressed twice."""
        with self._lock:
            self._check_teacher(token)
            if number == self._number < len(self.questions):
                self._number += 1

    def reveal(self, token: Any, number: Any) -> None:
        """The teacher shows the right answer of the open question; from then on nobody can vote on it."""
        with self._lock:
            self._check_teacher(token)
            if number == self._number and self._phase() is Phase.OPEN:
                self._revealed.add(self._number)

    def pupil_view(self, token: Any) -> PupilView:
        """What a pupil sees.

        Raises:
            UserError: `room_stranger`, `room_hasty`.
        """
        with self._lock:
            pupil = self._pupil(token)
            right = sum(pupil.votes.get(number) == self.questions[number].right for number in self._revealed)
            known = vars(self._view(with_counts=False))
            return PupilView(**known, mine=pupil.votes.get(self._number), score=right, revealed=len(self._revealed))

    def wall_view(self, token: Any) -> WallView:
        """What the teacher's screen shows.

        Raises:
            UserError: `room_not_teacher`.
        """
        with self._lock:
            self._check_teacher(token)
            known = self._view(with_counts=True)
            results = self._results() if known.phase is Phase.FINISHED else ()
            return WallView(**vars(known), pupils=len(self._pupils), votes=sum(known.counts or ()), results=results)

    def is_teacher(self, token: Any) -> bool:
        """Whether this is the teacher's token; compared in constant time."""
        return isinstance(token, str) and secrets.compare_digest(
            token.encode("utf-8", "surrogatepass"), self.teacher.encode()
        )

    @property
    def empty(self) -> bool:
        """Whether nobody has joined."""
        return not self._pupils

    def _phase(self) -> Phase:
        if self._number < 0:
            return Phase.WAITING
        if self._number == len(self.questions):
            return Phase.FINISHED
        return Phase.REVEALED if self._number in self._revealed else Phase.OPEN

    def _view(self, with_counts: bool) -> View:
        phase = self._phase()
        if phase in (Phase.WAITING, Phase.FINISHED):
            return View(phase, self._number, len(self.questions), "", (), (), None, None)
        question, revealed = self.questions[self._number], phase is Phase.REVEALED
        return View(
            phase, self._number, len(self.questions), question.prompt, tuple(question.options),
            tuple(question.picture or ()), right=question.right if revealed else None,
            counts=self._counts(self._number) if revealed or with_counts else None,
        )  # fmt: skip

    def _counts(self, number: int) -> tuple[int, ...]:
        given = Counter(pupil.votes[number] for pupil in self._pupils.values() if number in pupil.votes)
        return tuple(given[option] for option in range(len(self.questions[number].options)))

    def _results(self) -> tuple[tuple[str, int, int], ...]:
        asked = [(self.questions[number], self._counts(number)) for number in sorted(self._revealed)]
        return tuple((question.prompt, counts[question.right], sum(counts)) for question, counts in asked)

    def _check_teacher(self, token: Any) -> None:
        if not self.is_teacher(token):
            raise UserError("room_not_teacher")
        self.attended = self._clock()

    def _pupil(self, token: Any) -> Pupil:
        pupil = self._pupils.get(token) if isinstance(token, str) else None
        if pupil is None:
            raise UserError("room_stranger")
        self._heard(pupil, self._clock())
        return pupil

    def _heard(self, pupil: Pupil, now: float) -> None:
        """Note when the pupil was last heard of; one who asks too often is refused."""
        pupil.seen = now
        if len(pupil.recent) == MAX_REQUESTS and now - pupil.recent[0] < WINDOW_SECONDS:
            raise UserError("room_hasty")
        pupil.recent.append(now)

    def _free_a_seat(self, now: float) -> None:
        """Remove the pupil whose phone has been silent for longest, with all votes."""
        token, pupil = min(self._pupils.items(), key=lambda entry: entry[1].seen)
        if now - pupil.seen < IDLE_SECONDS:
            raise UserError("room_full", limit=MAX_PUPILS)
        del self._pupils[token]
