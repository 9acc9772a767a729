"""The desk: one line for everything that needs the model.  Many texts are written at once, a token each in
turn, through one forward pass; the rest wait in line and are told their place.

One thread runs the network; visitors only leave an order and look at it now and then, so that a
hundred who wait hold no thread.  Whoever leaves frees the model within one token.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from app.engine.engine import Engine, Feed, Run, Step
from app.engine.sampling import Sampling
from app.network.interface import Output
from app.system.memory import give_back
from app.system.threads import take_cores
from app.trace.record import Trace
from app.wording.errors import UserError

PLACES = 32
"""Texts written at once."""
LINE = 64
"""Orders that may wait; one more is asked to try again."""
VISITOR_ORDERS = 4
"""Orders of one visitor that may be under way."""
VISITOR_RUNS, WINDOW_SECONDS = 120, 60.0
"""Orders of one visitor in any minute."""
_NEW_TEXTS = 4  # read in one round
TIDY_SECONDS = 20.0  # at most so often is freed memory given back
_NOD = 0.05  # seconds
_VISITORS = 1_000  # visitors whose last minute is remembered

log = logging.getLogger(__name__)


class Order:
    """What a visitor asked of the model; filled by the desk's thread, read by the visitor's."""

    def __init__(self, visitor: str) -> None:
        self.visitor = visitor
        self.steps: list[Step] = []
        """Tokens written so far."""
        self.trace: Trace | None = None
        """Of the whole text, once it is finished."""
        self.error: Exception | None = None
        self.done = threading.Event()
        self._stop, self._left = threading.Event(), threading.Event()

    def stop(self) -> None:
        """End after the token in hand; what is written stays."""
        self._stop.set()

    def leave(self) -> None:
        """Nobody waits for it any longer."""
        self._left.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def left(self) -> bool:
        return self._left.is_set()

    def result(self) -> Trace:
        """The trace of a finished order.

        Raises:
            UserError: `cancelled` when it was stopped in line; whatever else ended it.
        """
        assert self.done.is_set(), "the order is still under way"
        if self.error is not None:
            raise self.error
        if self.trace is None:
            raise UserError("cancelled")
        return self.trace


class _Served:
    """An order with its run; `wants` is what the run wants read next, None once it is over."""

    def __init__(self, order: Order, run: Run) -> None:
        self.order, self._run = order, run
        self.wants: Feed | None = None

    def go_on(self, output: Output | None) -> None:
        """Hand the run its output and take what came of it, up to its next want."""
        self.wants = None
        try:
            if self.order.left:
                raise StopIteration
            item = self._run.send(output)
            while not isinstance(item, Feed):
                self._keep(item)
                item = next(self._run)
            self.wants = item
        except StopIteration:
            self._run.close()
            self.order.done.set()
        except Exception as error:
            log.exception("a run failed")
            self.order.error = error
            self.order.done.set()

    def _keep(self, step: Step) -> None:
        if step.trace is not None:
            self.order.trace = step.trace
        else:
            self.order.steps.append(step)


class Desk:
    """Takes orders over one engine and serves them all, the first ones first."""

    def __init__(self, engine: Engine, places: int = PLACES, line: int = LINE) -> None:
        self.engine = engine
        self.places, self._room = places, line
        self._line: deque[tuple[Order, Run]] = deque()
        self._serving: list[_Served] = []
        self._recent: dict[str, deque[float]] = {}
        self._bell = threading.Condition()
        self._thread: threading.Thread | None = None
        self._tidied = time.monotonic()

    def look(self, text: str, weights: Sequence[float] | None = None, visitor: str = "") -> Order:
        """Order a text to be read (see `Engine.look`)."""
        return self._take(visitor, lambda order: self.engine.reading(text, weights))

    def write(
        self, prompt: str, sampling: Sampling, weights: Sequence[float] | None = None, visitor: str = ""
    ) -> Order:
        """Order a text to be written on (see `Engine.generate`)."""
        return self._take(
            visitor, lambda order: self.engine.writing(prompt, sampling, weights, lambda: order.stopped or order.left)
        )

    def place(self, order: Order) -> int:
        """How many are served before an order, itself included; 0 once it is being served."""
        with self._bell:
            return next((n for n, (waiting, _) in enumerate(self._line, 1) if waiting is order), 0)

    def stop(self, visitor: str) -> None:
        """End what a visitor ordered, after the token in hand."""
        with self._bell:
            orders = [*(order for order, _ in self._line), *(served.order for served in self._serving)]
            for order in orders:
                if order.visitor == visitor:
                    order.stop()

    @property
    def busy(self) -> int:
        """Orders being served just now."""
        return len(self._serving)

    @property
    def pressed(self) -> bool:
        """Whether somebody still waits for a first token."""
        return bool(self._line) or any(not served.order.steps for served in self._serving)

    def stand_back(self, seconds: float) -> bool:
        """Wait, but not for long, until nothing is being read or written: for work that is in no hurry.  Always
        true: it may go on."""
        begun = time.monotonic()
        while (self._serving or self._line) and time.monotonic() - begun < seconds:
            time.sleep(_NOD)
        return True

    def _take(self, visitor: str, start: Callable[[Order], Run]) -> Order:
        """Put an order in line.

        Raises:
            UserError: `crowded` when the line is full, `hurried` when one visitor asks too much; what is
                wrong with the text.
        """
        order = Order(visitor)
        run = start(order)  # checks the text: no place in line for a bad one
        with self._bell:
            if len(self._line) >= self._room:
                raise UserError("crowded", limit=self._room)
            if visitor:
                self._admit(visitor)
            self._line.append((order, run))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
                self._thread.start()
            self._bell.notify()
        return order

    def _admit(self, visitor: str) -> None:
        """Count an order of a visitor, if it is within the limits."""
        under_way = [*(order for order, _ in self._line), *(served.order for served in self._serving)]
        mine = sum(order.visitor == visitor and not order.left for order in under_way)
        now = time.monotonic()  # the wall clock may jump
        recent = self._recent.pop(visitor, deque())
        while recent and now - recent[0] > WINDOW_SECONDS:
            recent.popleft()
        self._recent[visitor] = recent  # the last one to order is the last to be forgotten
        while len(self._recent) > _VISITORS:
            del self._recent[next(iter(self._recent))]
        if mine >= VISITOR_ORDERS or len(recent) >= VISITOR_RUNS:
            raise UserError("hurried", orders=VISITOR_ORDERS, runs=VISITOR_RUNS)
        recent.append(now)

    def _serve(self) -> None:
        take_cores()
        while True:
            self._tidy()
            self._let_in()
            wanting = [served for served in self._serving if served.wants is not None]
            try:
                outputs: Sequence[Output | None] = self.engine.feed([s.wants for s in wanting if s.wants is not None])
            except Exception as error:
                log.exception("a forward pass failed")
                for served in wanting:
                    served.order.error = error
                    served.order.leave()
                outputs = [None] * len(wanting)
            for served, output in zip(wanting, outputs, strict=True):
                served.go_on(output)
            self._serving = [served for served in self._serving if served.wants is not None]

    def _tidy(self) -> None:
        """Give freed memory back now and then, while nobody waits."""
        now = time.monotonic()
        if not self._line and not self._serving and now - self._tidied > TIDY_SECONDS:
            self._tidied = now
            give_back()

    def _let_in(self) -> None:
        """Fill free places from the line, a few new texts a round, so that those under way go on; wait for
        somebody when there is nobody."""
        with self._bell:
            self._bell.wait_for(lambda: self._line or self._serving)
            for order, run in [pair for pair in self._line if pair[0].left or pair[0].stopped]:
                self._line.remove((order, run))
                run.close()
                order.done.set()
            for _ in range(min(_NEW_TEXTS, len(self._line), self.places - len(self._serving))):
                served = _Served(*self._line.popleft())
                self._serving.append(served)
                served.go_on(None)
