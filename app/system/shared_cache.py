"""A cache of the last few results that several threads ask."""

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class SharedCache(Generic[Value]):
    """Keeps so many results; the one that was not asked for longest goes first."""

    def __init__(self, size: int) -> None:
        self._kept: LRUCache[Hashable, Value] = LRUCache(size)
        self._lock = threading.Lock()  # `LRUCache` reorders its entries when it is asked, too

    def get(self, key: Hashable) -> Value | None:
        """What is kept under a key, None if nothing is."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, value: Value) -> Value:
        """Keep a value; returns it."""
        with self._lock:
            self._kept[key] = value
        return value
