"""Short computations that are no run of a text, such as patching: one after the other in one thread, few may wait.

The request queue batches texts token by token; these jobs cannot be batched, so they have a thread of their own and
leave the queue's alone.  A visitor who leaves ends a job that asks whether to go on.
"""

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.system.threads import use_network_threads
from app.wording.errors import UserError

MAX_WAITING = 48
"""Jobs under way or waiting; one more is refused."""
MAX_OF_ONE = 3
"""Of these, jobs of one visitor."""
MAX_PER_WINDOW, WINDOW_SECONDS = 600, 60.0
"""Jobs of one visitor in any `WINDOW_SECONDS`: strokes of a pen come fast."""
_VISITORS = 1_000  # whose last minute is remembered

Result = TypeVar("Result")
Job = Callable[[threading.Event], Result]
"""Given an event that is set once nobody waits any more; it may end early then, and what it returns is dropped."""


class JobQueue:
    """Jobs of many visitors, first come, first served."""

    def __init__(self, capacity: int = MAX_WAITING, each: int = MAX_OF_ONE) -> None:
        self._capacity, self._each = capacity, each
        self._pool = ThreadPoolExecutor(1, "jobs", initializer=use_network_threads)
        self._under_way: list[str] = []
        self._recent: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    async def run(self, visitor: str, job: Job[Result]) -> Result:
        """What a job returns, once its turn has come.

        Raises:
            UserError: `crowded` when too many wait, `hurried` when a visitor exceeds the limits; what the job raises.
        """
        self._admit(visitor)
        left = threading.Event()
        try:
            future = self._pool.submit(self._unless_left, job, left)
        except BaseException:
            self._release(visitor)
            raise
        future.add_done_callback(lambda _: self._release(visitor))
        try:
            return await asyncio.wrap_future(future)
        finally:
            left.set()

    @staticmethod
    def _unless_left(job: Job[Result], left: threading.Event) -> Result:
        if left.is_set():
            raise UserError("cancelled")
        return job(left)

    def _admit(self, visitor: str) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._under_way) >= self._capacity:
                raise UserError("crowded", limit=self._capacity)
            recent = self._recent.setdefault(visitor, deque())
            self._recent.move_to_end(visitor)
            while len(self._recent) > _VISITORS:
                self._recent.popitem(last=False)
            while recent and now - recent[0] > WINDOW_SECONDS:
                recent.popleft()
            if self._under_way.count(visitor) >= self._each or len(recent) >= MAX_PER_WINDOW:
                raise UserError("hurried", orders=self._each, runs=MAX_PER_WINDOW)
            recent.append(now)
            self._under_way.append(visitor)

    def _release(self, visitor: str) -> None:
        with self._lock:
            self._under_way.remove(visitor)
