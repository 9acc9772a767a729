"""One core for all threads of a server whose network runs on one thread.

Python's threads take turns anyway. Spread over two cores they hand the interpreter from core to core, hundreds of times
a second: thirty visitors at once then took 19 s of processor time, and 8 s on one core, on which each of them also had
the text sooner. What keeps a core for itself, loading and running a large model, may still use them all.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

LOOK_SECONDS = 5.0
"""How often it is seen whether another process, a second server say, has come to the same core."""
_CROWDED, _IDLE = 0.5, 0.25
"""Shares of its time that a core spends on others: from the first on we leave it, up to the second we may come."""

_GIVING_WAY = 10
"""Of the 19 steps down from the usual priority."""

_cores: tuple[int, ...] = ()
_free: set[int] = set()


def keep_to_one_core() -> None:
    """Have all threads, those to come too, run on one of the cores that this process may use, and move on together
    where others take it; nothing where there is only one, or where the system cannot do that."""
    global _cores
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return
    _cores = tuple(sorted(os.sched_getaffinity(0)))
    here = random.choice(_cores)
    _move(here)
    threading.Thread(target=_stay_alone, args=(here,), name="cores", daemon=True).start()


def use_all_cores() -> None:
    """Let the calling thread, and those that it starts from now on, run on every core, and give way there."""
    give_way()
    _free.add(threading.get_native_id())
    if _cores and sys.platform == "linux":
        os.sched_setaffinity(0, _cores)


def give_way() -> None:
    """Let the calling thread, and those that it starts from now on, run where others leave time: what loads or runs a
    large model takes seconds anyway, and whoever opens the page or presses something meanwhile should not wait."""
    with suppress(OSError, AttributeError):  # another system
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _GIVING_WAY)


def better_core(here: int, others: Mapping[int, float], draw: float) -> int:
    """The core to be on.  others: share of each core's time that other processes take; draw: a random number, 0 to 1,
    so that of two servers on one core one stays."""
    best = min(others, key=lambda core: (others[core], core))
    return best if others[here] > _CROWDED and others[best] < _IDLE and draw < 0.5 else here


def _stay_alone(here: int) -> None:
    while True:
        busy, own, began = _busy(_cores), time.process_time(), time.monotonic()
        time.sleep(LOOK_SECONDS)
        passed, used = time.monotonic() - began, time.process_time() - own
        if not (now := _busy(_cores)):
            return  # the system does not tell
        others = {core: (now[core] - busy[core]) / passed for core in _cores}
        others[here] = max(0.0, others[here] - used / passed)
        if (there := better_core(here, others, random.random())) != here:
            _move(there)
            here = there


def _move(core: int) -> None:
    """Put all threads that are there on a core; those that they start will be on it too."""
    for thread in map(int, os.listdir("/proc/self/task")):
        if thread not in _free and sys.platform == "linux":
            with suppress(OSError):  # it has ended
                os.sched_setaffinity(thread, {core})


def _busy(cores: Sequence[int]) -> dict[int, float]:
    """Seconds that each core has been busy since the system started; nothing where that is not told."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    fields = {line.split()[0]: [int(field) for field in line.split()[1:]] for line in lines if line.startswith("cpu")}
    if not all(f"cpu{core}" in fields for core in cores):
        return {}
    tick = os.sysconf("SC_CLK_TCK")
    user, nice, system, interrupts = 0, 1, 2, slice(5, 8)
    found = {}
    for core in cores:
        spent = fields[f"cpu{core}"]
        found[core] = (spent[user] + spent[nice] + spent[system] + sum(spent[interrupts])) / tick
    return found
