"""The request queue: everything that needs the model goes through it.  Many texts are generated as one batch, one
token each per forward pass; the others wait and are told their place.

One thread runs the network; visitors only submit a request and poll it, so that a hundred who wait hold no
thread.  A visitor who leaves frees the model within one token.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from app.engine.engine import Engine, EngineRun, Feed, Step
from app.engine.sampling import Sampling
from app.network.interface import Output
from app.system.memory import release_memory
from app.system.threads import use_network_threads
from app.trace.record import Trace
from app.wording.errors import UserError

BATCH_SIZE = 32
"""Texts that are generated at once."""
MAX_WAITING = 64
"""Requests that may wait; one more is refused."""
MAX_UNDER_WAY = 4
"""Requests of one visitor that may be under way."""
MAX_PER_WINDOW, WINDOW_SECONDS = 120, 60.0
"""Requests of one visitor in any `WINDOW_SECONDS`."""
_NEW_TEXTS = 4  # read in one round
RELEASE_SECONDS = 20.0  # freed memory is given back at most this often
_POLL_SECONDS = 0.05  # seconds
_VISITORS = 1_000  # visitors whose last minute is remembered

log = logging.getLogger(__name__)


class QueuedRequest:
    """A text to read or to continue; filled by the thread of the queue, read by the visitor's."""

    def __init__(self, visitor: str) -> None:
        self.visitor = visitor
        self.steps: list[Step] = []
        """Tokens written so far."""
        self.trace: Trace | None = None
        """Of the whole text, once it is finished."""
        self.error: Exception | None = None
        self.done = threading.Event()
        self._stop, self._abandoned = threading.Event(), threading.Event()

    def stop(self) -> None:
        """End after the token in hand; what is written stays."""
        self._stop.set()

    def abandon(self) -> None:
        """Its visitor no longer waits for it."""
        self._abandoned.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def abandoned(self) -> bool:
        return self._abandoned.is_set()

    def result(self) -> Trace:
        """The trace of a finished request.

        Raises:
            UserError: `cancelled` when it was stopped while it waited; any other error that ended it.
        """
        assert self.done.is_set(), "the request is still under way"
        if self.error is not None:
            raise self.error
        if self.trace is None:
            raise UserError("cancelled")
        return self.trace


class _Running:
    """A request with its generator; `wants` is what the generator needs read next, None once it is over."""

    def __init__(self, queued: QueuedRequest, run: EngineRun) -> None:
        self.queued, self._run = queued, run
        self.wants: Feed | None = None

    def advance(self, output: Output | None) -> None:
        """Send the generator its output and store what it yields, up to the next input that it needs."""
        self.wants = None
        try:
            if self.queued.abandoned:
                raise StopIteration
            item = self._run.send(output)
            while not isinstance(item, Feed):
                self._keep(item)
                item = next(self._run)
            self.wants = item
        except StopIteration:
            self._run.close()
            self.queued.done.set()
        except Exception as error:
            log.exception("a run failed")
            self.queued.error = error
            self.queued.done.set()

    def _keep(self, step: Step) -> None:
        if step.trace is not None:
            self.queued.trace = step.trace
        else:
            self.queued.steps.append(step)


class RequestQueue:
    """Requests to one engine, served first come, first served, up to `batch_size` at once; `capacity` may wait."""

    def __init__(self, engine: Engine, batch_size: int = BATCH_SIZE, capacity: int = MAX_WAITING) -> None:
        self.engine = engine
        self.batch_size, self._capacity = batch_size, capacity
        self._waiting: deque[tuple[QueuedRequest, EngineRun]] = deque()
        self._serving: list[_Running] = []
        self._recent: dict[str, deque[float]] = {}
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._released = time.monotonic()

    def look(self, text: str, weights: Sequence[float] | None = None, visitor: str = "") -> QueuedRequest:
        """Request that a text be read (see `Engine.look`)."""
        return self._enqueue(visitor, lambda queued: self.engine.reading(text, weights))

    def write(
        self, prompt: str, sampling: Sampling, weights: Sequence[float] | None = None, visitor: str = ""
    ) -> QueuedRequest:
        """Request that a text be continued (see `Engine.generate`)."""
        return self._enqueue(
            visitor,
            lambda queued: self.engine.writing(prompt, sampling, weights, lambda: queued.stopped or queued.abandoned),
        )

    def place(self, queued: QueuedRequest) -> int:
        """Place of a request among those that wait, from 1; 0 once it is being served."""
        with self._condition:
            return next((n for n, (waiting, _) in enumerate(self._waiting, 1) if waiting is queued), 0)

    def stop(self, visitor: str) -> None:
        """End all requests of a visitor after the current token."""
        with self._condition:
            requests = [*(queued for queued, _ in self._waiting), *(served.queued for served in self._serving)]
            for queued in requests:
                if queued.visitor == visitor:
                    queued.stop()

    @property
    def busy(self) -> int:
        """How many requests are being served."""
        return len(self._serving)

    @property
    def first_token_awaited(self) -> bool:
        """Whether any request still has no token."""
        return bool(self._waiting) or any(not served.queued.steps for served in self._serving)

    def wait_until_idle(self, seconds: float) -> bool:
        """Block until no request is under way, at most for so many seconds: for work of low priority.  Always true,
        so that it serves as a `Progress`."""
        begun = time.monotonic()
        while (self._serving or self._waiting) and time.monotonic() - begun < seconds:
            time.sleep(_POLL_SECONDS)
        return True

    def _enqueue(self, visitor: str, start: Callable[[QueuedRequest], EngineRun]) -> QueuedRequest:
        """Append a request.

        Raises:
            UserError: `crowded` when the queue is full, `hurried` when a visitor exceeds the limits; any error in the
                text.
        """
        queued = QueuedRequest(visitor)
        run = start(queued)  # checks the text: a bad one is never queued
        with self._condition:
            if len(self._waiting) >= self._capacity:
                raise UserError("crowded", limit=self._capacity)
            if visitor:
                self._admit(visitor)
            self._waiting.append((queued, run))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="request-queue", daemon=True)
                self._thread.start()
            self._condition.notify()
        return queued

    def _admit(self, visitor: str) -> None:
        """Count a request of a visitor, if it is within the limits."""
        under_way = [*(queued for queued, _ in self._waiting), *(served.queued for served in self._serving)]
        mine = sum(queued.visitor == visitor and not queued.abandoned for queued in under_way)
        now = time.monotonic()  # the wall clock may jump
        recent = self._recent.pop(visitor, deque())
        while recent and now - recent[0] > WINDOW_SECONDS:
            recent.popleft()
        self._recent[visitor] = recent  # the latest visitor is the last to be forgotten
        while len(self._recent) > _VISITORS:
            del self._recent[next(iter(self._recent))]
        if mine >= MAX_UNDER_WAY or len(recent) >= MAX_PER_WINDOW:
            raise UserError("hurried", orders=MAX_UNDER_WAY, runs=MAX_PER_WINDOW)
        recent.append(now)

    def _serve(self) -> None:
        use_network_threads()
        while True:
            self._release_memory()
            self._admit_waiting()
            wanting = [served for served in self._serving if served.wants is not None]
            try:
                outputs: Sequence[Output | None] = self.engine.feed([s.wants for s in wanting if s.wants is not None])
            except Exception as error:
                log.exception("a forward pass failed")
                for served in wanting:
                    served.queued.error = error
                    served.queued.abandon()
                outputs = [None] * len(wanting)
            for served, output in zip(wanting, outputs, strict=True):
                served.advance(output)
            self._serving = [served for served in self._serving if served.wants is not None]

    def _release_memory(self) -> None:
        """Give freed memory back now and then, while the queue is empty."""
        now = time.monotonic()
        if not self._waiting and not self._serving and now - self._released > RELEASE_SECONDS:
            self._released = now
            release_memory()

    def _admit_waiting(self) -> None:
        """Move requests into the batch, a few per round, so that those under way are not held up; block while
        there are none."""
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._serving)
            for queued, run in [entry for entry in self._waiting if entry[0].abandoned or entry[0].stopped]:
                self._waiting.remove((queued, run))
                run.close()
                queued.done.set()
            for _ in range(min(_NEW_TEXTS, len(self._waiting), self.batch_size - len(self._serving))):
                served = _Running(*self._waiting.popleft())
                self._serving.append(served)
                served.advance(None)
