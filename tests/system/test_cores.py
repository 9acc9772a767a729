"""All threads of a server on one core, but those that are let off."""

import os
import subprocess
import sys
import threading

import pytest

from app.system.cores import better_core, give_way
from tests.support.server import ROOT

CODE = """
import os, threading, time
import app.system.cores as cores
before = os.sched_getaffinity(0)
ended = threading.Event()
seen = {}
early = threading.Thread(target=ended.wait)
early.start()
cores.keep_to_one_core()
def look(name):
    seen[name] = os.sched_getaffinity(0)
def freed():
    cores.use_all_cores()
    look("freed")
    inner = threading.Thread(target=look, args=("of freed",))
    inner.start()
    inner.join()
    ended.wait()
threads = [threading.Thread(target=look, args=("later",)), threading.Thread(target=freed)]
for thread in threads:
    thread.start()
threads[0].join()
while len(seen) < 3:
    time.sleep(0.01)
here = os.sched_getaffinity(0)
assert len(here) == 1 and here < before, here
assert seen["later"] == here and os.sched_getaffinity(early.native_id) == here
assert seen["freed"] == seen["of freed"] == before
there = max(before - here)
cores._move(there)
assert os.sched_getaffinity(0) == os.sched_getaffinity(early.native_id) == {there}
assert os.sched_getaffinity(threads[1].native_id) == before
assert set(cores._busy(sorted(before))) == before
ended.set()
print("fine")
"""


@pytest.mark.skipif(sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="takes Linux and two cores")
def test_threads_share_a_core_and_those_let_off_use_all() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "fine\n", done.stderr


@pytest.mark.parametrize(
    ("others", "draw", "core"),
    [
        ({0: 0.9, 1: 0.0}, 0.3, 1),
        ({0: 0.9, 1: 0.0}, 0.7, 0),  # the other server goes
        ({0: 0.3, 1: 0.0}, 0.3, 0),
        ({0: 0.9, 1: 0.8}, 0.3, 0),
        ({0: 0.9, 1: 0.2, 2: 0.1}, 0.3, 2),
    ],
)
def test_it_leaves_a_core_that_others_take_for_one_that_is_idle(
    others: dict[int, float], draw: float, core: int
) -> None:
    assert better_core(0, others, draw) == core


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no priority of a single thread")
def test_a_thread_that_gives_way_stands_behind_the_others_with_those_it_starts() -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def large() -> None:
        give_way()
        look()
        inner = threading.Thread(target=look)
        inner.start()
        inner.join()

    before = os.getpriority(os.PRIO_PROCESS, 0)
    thread = threading.Thread(target=large)
    thread.start()
    thread.join()
    look()
    assert seen[0] == seen[1] > before == seen[2]
