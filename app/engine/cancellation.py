"""Cancellation of jobs by the visitor who started them."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Cancellations:
    """One event for every job under way, by a key of the visitor."""

    def __init__(self) -> None:
        self._events: dict[Hashable, threading.Event] = {}

    @contextmanager
    def register(self, key: Hashable) -> Iterator[threading.Event]:
        """An event that `cancel` sets.  It is set at the end as well: the visitor may have left, and a job in
        another thread need not continue."""
        mine = self._events[key] = threading.Event()
        try:
            yield mine
        finally:
            mine.set()
            if self._events.get(key) is mine:  # not that of a newer job
                del self._events[key]

    def cancel(self, *keys: Hashable) -> None:
        """Cancel the jobs under these keys, if there are any."""
        for key in keys:
            if (event := self._events.get(key)) is not None:
                event.set()
