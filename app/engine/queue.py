"""The request queue: everything that needs the model goes through it.  Many texts are generated as one batch, one token
each per forward pass; the others wait and learn their place in line.

One thread runs the network; visitors only submit a request and poll it, so that a hundred who wait hold no
thread.  A visitor who leaves frees the model within one token.

Addresses take turns (`FairLine`), and none has the whole batch: the next one that comes is read at once.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence

from app.engine.engine import Engine, EngineRun, Feed, Step
from app.engine.fair_line import NOBODY, FairLine, Visitor
from app.engine.sampling import Sampling
from app.engine.visitor_limits import VisitorLimits
from app.network.interface import Output
from app.system.cores import use_all_cores
from app.system.memory import release_memory
from app.system.thread_trials import ThreadTrials
from app.system.threads import use_network_threads
from app.trace.record import Trace
from app.wording.errors import UserError

BATCH_SIZE = 32
"""Texts that are generated at once."""
KEPT_FREE = 2
"""Places of the batch that no single address takes."""
MAX_WAITING = 96
"""Requests that may wait, 64 of one address; one more is refused."""
MAX_UNDER_WAY = 4
"""Requests of one session that may be under way."""
MAX_PER_WINDOW, WINDOW_SECONDS = 120, 60.0
"""Requests of one session in any `WINDOW_SECONDS`."""
_NEW_TEXTS = 4  # read in one round
RELEASE_SECONDS = 20.0  # freed memory is given back at most this often
_POLL_SECONDS = 0.05

log = logging.getLogger(__name__)


class QueuedRequest:
    """A text to read or to continue; filled by the thread of the queue, read by the visitor's."""

    def __init__(self, visitor: Visitor, ids: list[int]) -> None:
        self.visitor, self.ids = visitor, ids
        """Who asks, and the ids of the text, without the start token."""
        self.steps: list[Step] = []
        """Tokens written so far."""
        self.trace: Trace | None = None
        """Of the whole text, once it is finished."""
        self.error: Exception | None = None
        self.done = threading.Event()
        self._stop, self._abandoned = threading.Event(), threading.Event()

    def stop(self) -> None:
        """End after the current token; what is written stays."""
        self._stop.set()

    def abandon(self) -> None:
        """Its visitor no longer waits for it."""
        self._abandoned.set()

    @property
    def stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for it any more."""
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
    """Requests to one engine, up to `batch_size` served at once, the addresses in turn; `capacity` may wait.
    all_cores: whether its thread may use them where the others share one."""

    def __init__(
        self, engine: Engine, batch_size: int = BATCH_SIZE, capacity: int = MAX_WAITING, all_cores: bool = False
    ) -> None:
        self.engine = engine
        self._all_cores = all_cores
        self.batch_size = batch_size
        self._each = max(batch_size - KEPT_FREE, 1)  # served at once of one address
        self._waiting: FairLine[tuple[QueuedRequest, EngineRun]] = FairLine(capacity)
        self._serving: list[_Running] = []
        self._limits = VisitorLimits(MAX_UNDER_WAY, MAX_PER_WINDOW, WINDOW_SECONDS)
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._released = time.monotonic()

    def look(self, text: str, weights: Sequence[float] | None = None, visitor: Visitor = NOBODY) -> QueuedRequest:
        """Request that a text be read (see `Engine.look`)."""
        queued = QueuedRequest(visitor, self.engine.encode(text))
        return self._enqueue(queued, self.engine.reading(queued.ids, weights))

    def write(
        self, prompt: str, sampling: Sampling, weights: Sequence[float] | None = None, visitor: Visitor = NOBODY
    ) -> QueuedRequest:
        """Request that a text be continued (see `Engine.generate`)."""
        queued = QueuedRequest(visitor, self.engine.encode(prompt))
        stop = lambda: queued.stopped or queued.abandoned  # noqa: E731
        return self._enqueue(queued, self.engine.writing(queued.ids, sampling, weights, stop))

    def place(self, queued: QueuedRequest) -> int:
        """Place of a request among those that wait, from 1; 0 once it is being served."""
        with self._condition:
            return self._waiting.place(lambda entry: entry[0] is queued)

    def stop(self, visitor: Visitor) -> None:
        """End all requests of a visitor's session after the current token."""
        with self._condition:
            for queued in self._under_way(visitor.session):
                queued.stop()

    @property
    def busy(self) -> int:
        """How many requests are being served."""
        return len(self._serving)

    @property
    def first_token_awaited(self) -> bool:
        """Whether any request still has no token."""
        return len(self._waiting) > 0 or any(not served.queued.steps for served in self._serving)

    def wait_until_idle(self, seconds: float) -> bool:
        """Block until no request is under way, at most for so many seconds: for work of low priority.  Always true,
        so that it serves as a `Progress`."""
        begun = time.monotonic()
        while (self._serving or len(self._waiting)) and time.monotonic() - begun < seconds:
            time.sleep(_POLL_SECONDS)
        return True

    def _enqueue(self, queued: QueuedRequest, run: EngineRun) -> QueuedRequest:
        """Append a request with its generator.

        Raises:
            UserError: `crowded` when the queue is full, or has no more room for the address; `hurried` when a session
                exceeds the limits.
        """
        visitor = queued.visitor
        with self._condition:
            self._waiting.check(visitor)
            if visitor != NOBODY:
                mine = sum(not request.abandoned for request in self._under_way(visitor.session))
                self._limits.admit(visitor, mine)
            self._waiting.append(visitor, (queued, run))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="request-queue", daemon=True)
                self._thread.start()
            self._condition.notify()
        return queued

    def _under_way(self, session: str) -> list[QueuedRequest]:
        """What a session asked for that is not answered yet, from whatever address, which changes for one who travels;
        the caller holds the lock."""
        queued = [*(waiting for waiting, _ in self._waiting), *(served.queued for served in self._serving)]
        return [request for request in queued if request.visitor.session == session]

    def _serve(self) -> None:
        use_network_threads()
        if self._all_cores:
            use_all_cores()
        trials = ThreadTrials()
        while True:
            self._release_memory()
            self._admit_waiting()
            wanting = [served for served in self._serving if served.wants is not None]
            feeds = [s.wants for s in wanting if s.wants is not None]
            one_token_each = all(len(feed.ids) == 1 for feed in feeds)
            try:
                with trials.timed(len(feeds) if one_token_each else None):
                    outputs: Sequence[Output | None] = self.engine.feed(feeds)
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
        if not len(self._waiting) and not self._serving and now - self._released > RELEASE_SECONDS:
            self._released = now
            release_memory()

    def _admit_waiting(self) -> None:
        """Move requests into the batch, a few per round, so that those under way are not held up; block while
        there are none."""
        with self._condition:
            self._condition.wait_for(lambda: len(self._waiting) or self._serving)
            for queued, run in self._waiting.remove(lambda entry: entry[0].abandoned or entry[0].stopped):
                run.close()
                queued.done.set()
            for _ in range(min(_NEW_TEXTS, self.batch_size - len(self._serving))):
                held = Counter(served.queued.visitor.address for served in self._serving)
                entry = self._waiting.take([a for a, count in held.items() if a and count >= self._each])
                if entry is None:
                    break
                served = _Running(*entry)
                self._serving.append(served)
                served.advance(None)
