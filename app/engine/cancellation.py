"""Brakes: what lets a visitor end what the visitor started."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Brakes:
    """One event for every run that is under way, by visitor and kind of run."""

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = {}

    @contextmanager
    def hold(self, key: str) -> Iterator[threading.Event]:
        """An event that `press` sets.  It is set at the end as well: a visitor may have gone, and what runs
        beside need not go on."""
        mine = self._events[key] = threading.Event()
        try:
            yield mine
        finally:
            mine.set()
            if self._events.get(key) is mine:  # not that of a newer run
                del self._events[key]

    def press(self, *keys: str) -> None:
        """End what runs under these keys, if anything does."""
        for key in keys:
            if (event := self._events.get(key)) is not None:
                event.set()
