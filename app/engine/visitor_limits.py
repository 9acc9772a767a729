"""How much one session of a visitor may ask for: so many things at once, and so many in a window of time."""

import time
from collections import deque

from cachetools import LRUCache

from app.engine.fair_line import Visitor
from app.wording.errors import UserError

_VISITORS = 1_000  # whose last window is remembered


class VisitorLimits:
    """The limits of all visitors of one queue; its caller holds the queue's lock."""

    def __init__(self, at_once: int, per_window: int, seconds: float) -> None:
        self._at_once, self._per_window, self._seconds = at_once, per_window, seconds
        self._recent: LRUCache[Visitor, deque[float]] = LRUCache(_VISITORS)

    def admit(self, visitor: Visitor, under_way: int) -> None:
        """Count one more thing that a visitor asks for, who has so many under way.

        Raises:
            UserError: `hurried`.
        """
        now = time.monotonic()  # the wall clock may jump
        recent = self._recent.setdefault(visitor, deque())
        while recent and now - recent[0] > self._seconds:
            recent.popleft()
        if under_way >= self._at_once or len(recent) >= self._per_window:
            raise UserError("hurried", orders=self._at_once, runs=self._per_window)
        recent.append(now)
