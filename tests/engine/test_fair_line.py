"""Who is served when: addresses in turn, within an address its sessions, and a place for whoever comes new."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from operator import is_
from random import Random
from typing import Any, cast

import numpy as np
import pytest

from app.engine.engine import Engine, Feed, Step
from app.engine.fair_line import FairLine, Visitor
from app.engine.queue import BATCH_SIZE, KEPT_FREE, MAX_WAITING, QueuedRequest, RequestQueue
from app.engine.sampling import Sampling
from app.web.visitor import address_of
from app.wording.errors import UserError

SCHOOL = "198.51.100.7"


class FakeEngine:
    """Texts of so many steps, and a network that goes on when it is let: `gate`.  started: texts in the order in which
    they began."""

    def __init__(self, steps: int = 3) -> None:
        self.steps, self.gate = steps, threading.Event()
        self.started: list[str] = []

    def encode(self, text: str) -> list[str]:
        return [text]

    def writing(self, ids: list[str], *_: Any) -> Iterator[Feed | Step]:
        def run() -> Iterator[Feed | Step]:
            self.started.append(ids[0])
            for n in range(self.steps):
                yield Feed([n], None)
                yield Step(n, "", np.zeros(0, np.float32))

        return run()

    def feed(self, wanted: Sequence[Feed]) -> list[Any]:
        assert self.gate.wait(20)
        return [object()] * len(wanted)


def ask(requests: RequestQueue, address: str, session: str) -> QueuedRequest:
    return requests.write(session, Sampling(), visitor=Visitor(address, session))


def opened() -> tuple[FakeEngine, RequestQueue]:
    engine = FakeEngine()
    return engine, RequestQueue(cast(Engine, engine))


def all_done(requests: Sequence[QueuedRequest]) -> bool:
    return all(request.done.wait(20) for request in requests)


def settled(requests: RequestQueue, count: int) -> None:
    """Wait until so many are being served."""
    for _ in range(1_000):
        if requests.busy == count:
            return
        time.sleep(0.005)
    raise AssertionError(f"{requests.busy} are served, not {count}")


def test_150_requests_under_150_names_leave_a_place_and_the_next_turn() -> None:
    """The fault that was seen: they filled every place, and the next visitor was refused."""
    engine, requests = opened()
    taken, refused = [], 0
    for n in range(150):
        try:
            taken.append(ask(requests, "203.0.113.5", f"name{n}"))
        except UserError as error:
            assert error.code == "crowded"
            refused += 1
    assert refused >= 150 - MAX_WAITING and len(taken) + refused == 150
    others = [ask(requests, f"192.0.2.{n}", f"visitor{n}") for n in range(KEPT_FREE + 8)]
    places = [requests.place(other) for other in others]
    assert max(places) <= 2 * len(others) + 1, "one of the crowd between two others, at most"
    engine.gate.set()
    assert all_done([*taken, *others])
    late = [engine.started.index(f"visitor{n}") for n in range(len(others))]
    assert max(late) <= BATCH_SIZE + 2 * len(others), "though more than sixty of the crowd were there before them"


def test_a_newcomer_is_read_at_once_beside_a_crowd_that_is_being_served() -> None:
    engine, requests = opened()
    engine.gate.set()
    held = [ask(requests, "203.0.113.5", f"name{n}") for n in range(4)]
    assert all_done(held)
    engine.steps, before = 10_000, len(engine.started)
    crowd = [ask(requests, "203.0.113.5", f"name{n}") for n in range(60)]
    settled(requests, BATCH_SIZE - KEPT_FREE)
    newcomer = ask(requests, "192.0.2.1", "newcomer")
    settled(requests, BATCH_SIZE - KEPT_FREE + 1)
    assert engine.started[before:].index("newcomer") == BATCH_SIZE - KEPT_FREE and requests.place(newcomer) == 0
    for request in (*crowd, newcomer):
        request.abandon()
    assert all_done([*crowd, newcomer])


def test_thirty_pupils_behind_one_address_are_written_together() -> None:
    engine, requests = opened()
    engine.steps = 10_000
    engine.gate.set()
    pupils = [ask(requests, SCHOOL, f"pupil{n}") for n in range(30)]
    settled(requests, 30)
    assert engine.started == [f"pupil{n}" for n in range(30)], "first come, first served, as ever"
    for request in pupils:
        request.abandon()
    assert all_done(pupils)


def test_one_pupil_who_asks_four_times_waits_for_the_others_of_the_school() -> None:
    line = FairLine[str](90)
    for n in range(4):
        line.append(Visitor(SCHOOL, "eager"), f"eager{n}")
    for n in range(3):
        line.append(Visitor(SCHOOL, f"pupil{n}"), f"pupil{n}")
    wanted = ["eager0", "pupil0", "pupil1", "pupil2", "eager1", "eager2", "eager3"]
    assert list(line) == wanted and [line.take() for _ in wanted] == wanted and line.take() is None


def test_many_addresses_can_each_still_get_in() -> None:
    """Each takes two thirds of what is left, until the line is full."""
    line, places = FairLine[int](MAX_WAITING), []
    for address in range(6):
        held = 0
        while True:
            try:
                line.append(Visitor(f"a{address}", f"s{held}"), held)
            except UserError as error:
                assert error.code == "crowded" and error.values == {"limit": len(line)}
                break
            held += 1
        places.append(held)
    assert places == [64, 22, 7, 2, 1, 0] and len(line) == MAX_WAITING


@pytest.mark.parametrize("seed", range(20))
def test_the_order_told_is_the_order_taken(seed: int) -> None:
    """Against a plain simulation of the rule, through random arrivals, departures and turns."""
    random, line = Random(seed), FairLine[tuple[str, str, int]](10_000)
    turns: list[tuple[str, list[tuple[str, list[tuple[str, str, int]]]]]] = []
    for n in range(200):
        address, session = random.choice("abc"), random.choice("wxyz")
        if random.random() < 0.6:
            line.append(Visitor(address, session), (address, session, n))
            sessions = next((s for a, s in turns if a == address), None)
            if sessions is None:
                turns.append((address, sessions := []))
            items = next((i for s, i in sessions if s == session), None)
            if items is None:
                sessions.append((session, items := []))
            items.append((address, session, n))
        elif turns and random.random() < 0.8:
            address, sessions = turns.pop(0)
            session, items = sessions.pop(0)
            assert line.take() == items.pop(0)
            if items:
                sessions.append((session, items))
            if sessions:
                turns.append((address, sessions))
        else:
            gone = line.remove(lambda item: item[2] % 5 == 0)
            mine = [(a, [(s, [i for i in items if i[2] % 5]) for s, items in sessions]) for a, sessions in turns]
            turns = [(a, kept) for a, sessions in mine if (kept := [(s, i) for s, i in sessions if i])]
            assert all(item[2] % 5 == 0 for item in gone)
        assert len(line) == sum(len(items) for _, sessions in turns for _, items in sessions)
    told = list(line)
    assert [line.place(partial(is_, wanted)) for wanted in told] == list(range(1, len(told) + 1))
    assert [line.take() for _ in told] == told and not line._held and not line._turns
    assert Counter(item[0] for item in told) == Counter(a for a, s in turns for _, items in s for _ in items)


def test_an_address_that_is_passed_over_keeps_its_turn() -> None:
    line = FairLine[int](9)
    for n, address in enumerate("aabb"):
        line.append(Visitor(address, "s"), n)
    assert [line.take("a"), line.take(), line.take(), line.take("a"), line.take()] == [2, 0, 3, None, 1]


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "space", "address"),
    [
        ("192.0.2.1", "198.51.100.9", "", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "0", "me/page", "192.0.2.1"),
        ("172.18.0.2", "1.1.1.1, 9.9.9.9", "1", "", "9.9.9.9"),
        ("172.18.0.2", "8.8.8.8, 1.1.1.1, 10.0.0.3", "2", "", "1.1.1.1"),
        ("172.18.0.2", "1.1.1.1", "2", "", "172.18.0.2"),
        ("172.18.0.2", "<script>", "1", "", "172.18.0.2"),
        ("172.18.0.2", "", "1", "", "172.18.0.2"),
        ("10.16.3.80", "1.1.1.1, 9.9.9.9", "", "me/page", "9.9.9.9"),
        ("10.16.3.80", "1.1.1.1, 9.9.9.9, 10.16.8.1, 10.16.9.2", "", "me/page", "9.9.9.9"),
        ("10.16.3.80", "10.16.8.1", "", "me/page", "10.16.3.80"),
        ("10.0.0.1", "9.9.9.9:443", "1", "", "9.9.9.9"),
        ("10.0.0.1", "::ffff:9.9.9.9", "1", "", "9.9.9.9"),
        ("10.0.0.1", "[2001:db8:1:2:3::4]:443", "1", "", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "", "", "", "2001:db8:1:2::/64"),
        ("testclient", "", "", "", "testclient"),
    ],
)
def test_the_address_is_what_trusted_proxies_saw(
    peer: str, forwarded: str, proxies: str, space: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that a client writes itself stand on the left of those that the proxies append."""
    monkeypatch.setenv("GLYPHSCOPE_PROXIES", proxies)
    monkeypatch.setenv("SPACE_ID", space)
    assert address_of(peer, forwarded) == address
