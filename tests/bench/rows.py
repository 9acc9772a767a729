"""One line of the table; what all of its parts measure with."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from app.engine.sampling import Sampling


class Row(NamedTuple):
    """One line: what, our figure, beside whom, theirs, ours over theirs (or theirs over ours, in times: more
    is better for us), what we aim at."""

    what: str
    ours: str
    beside: str = ""
    theirs: str = ""
    ratio: str = ""
    aim: str = ""


PROMPT = "Жила-была девочка Маша"
TOKENS = 100
SAMPLING = Sampling(seed=1, new_tokens=TOKENS, temperature=1.0)
REPEATS = 5


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median wall time of a call, after one call that does not count."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def seconds_by_turns(*works: Callable[[], object], repeats: int = 2 * REPEATS) -> list[float]:
    """Median processor time of each call, after one that does not count; they take turns, so that a busy moment falls
    on all."""

    def seconds(work: Callable[[], object]) -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    times = [[seconds(work) for work in works] for _ in range(repeats + 1)]
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]


def resident_megabytes(process: int, field: str = "VmRSS") -> float:
    """Resident memory of a process, from /proc; its peak with the field VmHWM."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024
