"""Short computations that are no run of a text, such as patching: one after the other in one thread, few may wait,
and addresses take turns (`FairLine`).

The request queue batches texts token by token; these jobs cannot be batched, so they have a thread of their own and
leave the queue's alone.  A visitor who leaves ends a job that asks whether to go on.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from app.engine.fair_line import FairLine, Visitor
from app.engine.visitor_limits import VisitorLimits
from app.system.threads import use_network_threads
from app.wording.errors import UserError

MAX_WAITING = 72
"""Jobs that may wait, 48 of one address; one more is refused."""
MAX_OF_ONE = 8
"""Jobs of one session that may be under way or waiting: a tab asks for all of its instruments when it is opened."""
MAX_PER_WINDOW, WINDOW_SECONDS = 600, 60.0
"""Jobs of one session in any `WINDOW_SECONDS`: strokes of a pen come fast."""

Result = TypeVar("Result")
Job = Callable[[threading.Event], Result]
"""Given an event that is set once nobody waits any more; it may end early then, and what it returns is dropped."""


class JobQueue:
    """Jobs of many visitors, the addresses in turn."""

    def __init__(self, capacity: int = MAX_WAITING, each: int = MAX_OF_ONE) -> None:
        self._limits = VisitorLimits(each, MAX_PER_WINDOW, WINDOW_SECONDS)
        self._waiting: FairLine[tuple[Future[Any], Callable[[], Any]]] = FairLine(capacity)
        self._pool = ThreadPoolExecutor(1, "jobs", initializer=use_network_threads)
        self._under_way: list[Visitor] = []
        self._lock = threading.Lock()

    async def run(self, visitor: Visitor, job: Job[Result]) -> Result:
        """What a job returns, once its turn has come.

        Raises:
            UserError: `crowded` when too many wait, `hurried` when a session exceeds the limits; what the job raises.
        """
        left = threading.Event()
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.check(visitor)
            self._limits.admit(visitor, self._under_way.count(visitor))
            self._waiting.append(visitor, (future, lambda: self._unless_left(job, left)))
            self._under_way.append(visitor)
        future.add_done_callback(lambda _: self._release(visitor))
        self._pool.submit(self._run_next)  # one call per waiting job; the line decides which job a call takes
        try:
            return await asyncio.wrap_future(future)
        finally:
            left.set()

    def _run_next(self) -> None:
        with self._lock:
            entry = self._waiting.take()
        assert entry is not None, "there is a run for each job that waits"
        future, work = entry
        if not future.set_running_or_notify_cancel():
            return  # its visitor has left
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    @staticmethod
    def _unless_left(job: Job[Result], left: threading.Event) -> Result:
        if left.is_set():
            raise UserError("cancelled")
        return job(left)

    def _release(self, visitor: Visitor) -> None:
        with self._lock:
            self._under_way.remove(visitor)
