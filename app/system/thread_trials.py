"""How many threads a network runs on while other processes want the cores too.

A team of threads waits for its slowest member at every operation: where another process takes one of its cores, two
threads write at a tenth of the pace of one.  No figure of the system shows this everywhere (containers see the load of
their host, or none), so the faster of the two is found by trying: now and then a few steps run the other way.
"""

import statistics
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from app.system.threads import network_threads, set_running_threads

_STEPS = 5
"""Steps on each side of a comparison; their median counts."""
_BETTER = 0.9
"""Another number of threads is kept where a step takes less than this share of its time."""
_SUSPICIOUS = 1.5
"""Steps that take so many times what the quickest took are soon tried the other way."""
_SOONEST, _LATEST = 1.0, 30.0
"""Seconds from one trial to the next: doubled from the first of these up to the second while nothing changes."""


class ThreadTrials:
    """Times the steps of the calling thread and sets on how many threads it computes: all that it was granted, or one.

    `granted`, `set_threads` and `clock` (seconds) are there for tests.
    """

    def __init__(
        self,
        granted: Callable[[], int] = network_threads,
        set_threads: Callable[[int], None] = set_running_threads,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._granted, self._set_threads, self._clock = granted, set_threads, clock
        self._alone = False  # whether one thread is what was found to be faster
        self._trying = False  # whether the steps now run the other way
        self._kind: Hashable = None
        self._seconds: list[float] = []  # of the latest steps, all of that kind
        self._before = 0.0  # seconds of a step before the trial that is under way
        self._quickest: dict[tuple[Hashable, bool], float] = {}
        self._last, self._wait = float("-inf"), _SOONEST

    @contextmanager
    def timed(self, kind: Hashable) -> Iterator[None]:
        """Around each step.  Only steps of one kind do the same work and are compared; those of None are not."""
        started = self._clock()
        yield
        if kind is not None and self._granted() > 1:
            self._took(kind, self._clock() - started)

    def _took(self, kind: Hashable, seconds: float) -> None:
        if kind != self._kind:
            self._kind, self._seconds = kind, []
            if self._trying:
                self._use(self._alone)
            return
        self._seconds.append(seconds)
        if len(self._seconds) < _STEPS:
            return
        median, self._seconds = statistics.median(self._seconds), []
        if self._trying:
            self._decide(median)
        elif self._clock() - self._last > self._pause(median):
            self._before = median
            self._use(not self._alone, trying=True)

    def _pause(self, median: float) -> float:
        """Seconds from the last trial to the next."""
        known = self._quickest.get((self._kind, self._alone), median)
        self._quickest[self._kind, self._alone] = min(median, known)
        return _SOONEST if median > _SUSPICIOUS * known else self._wait

    def _decide(self, median: float) -> None:
        """End a trial: keep what was tried where it is faster, else go back."""
        changed = median < _BETTER * self._before
        self._alone ^= changed
        self._last, self._wait = self._clock(), _SOONEST if changed else min(2 * self._wait, _LATEST)
        self._use(self._alone)

    def _use(self, alone: bool, trying: bool = False) -> None:
        self._trying = trying
        self._set_threads(1 if alone else self._granted())
