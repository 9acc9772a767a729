"""Jobs: one after the other, few at once, none for who has left."""

import asyncio
import threading
from functools import partial
from typing import Any

import pytest

from app.engine.fair_line import Visitor
from app.engine.job_queue import MAX_PER_WINDOW, JobQueue
from app.wording.errors import UserError


def one(session: str, address: str = "") -> Visitor:
    return Visitor(address, session)


def test_jobs_run_one_after_the_other_in_order() -> None:
    seen: list[tuple[int, str]] = []

    async def main() -> list[Any]:
        jobs = JobQueue()

        def job(number: int, left: threading.Event) -> int:
            seen.append((number, threading.current_thread().name))
            return number * number

        return await asyncio.gather(*(jobs.run(one(str(i)), partial(job, i)) for i in range(8)))

    assert asyncio.run(main()) == [i * i for i in range(8)]
    assert [number for number, _ in seen] == list(range(8)) and len({thread for _, thread in seen}) == 1


@pytest.mark.parametrize(("visitors", "code"), [("same", "hurried"), ("others", "crowded")])
def test_too_many_are_refused_and_later_served(visitors: str, code: str) -> None:
    async def main() -> tuple[int, list[str], int]:
        jobs, gate = JobQueue(capacity=3, each=2 if visitors == "same" else 9), threading.Event()
        names = ["a"] * 9 if visitors == "same" else [str(i) for i in range(9)]
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(jobs.run(one(name), lambda _: gate.wait(5))))
            await asyncio.sleep(0.05)  # the first is under way before the others wait
        gate.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        refused = [error.code for error in found if isinstance(error, UserError)]
        return found.count(True), refused, await jobs.run(one("a"), lambda _: 7)

    served = 2 if visitors == "same" else 4
    assert asyncio.run(main()) == (served, [code] * (9 - served), 7)


def test_an_address_of_many_names_delays_the_others_by_one_job() -> None:
    """Thirty jobs under thirty names of one address, then one job of another: it is the second to come."""
    order: list[str] = []

    async def main() -> None:
        jobs, gate = JobQueue(), threading.Event()

        def job(name: str, _: threading.Event) -> None:
            gate.wait(5)
            order.append(name)

        tasks = [asyncio.create_task(jobs.run(one(f"n{i}", "crowd"), partial(job, f"n{i}"))) for i in range(30)]
        await asyncio.sleep(0.05)
        tasks.append(asyncio.create_task(jobs.run(one("x", "newcomer"), partial(job, "newcomer"))))
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert order.index("newcomer") in (1, 2) and [name for name in order if name != "newcomer"] == [
        f"n{i}" for i in range(30)
    ]


def test_one_visitor_has_so_many_a_minute() -> None:
    async def main() -> None:
        jobs = JobQueue()
        for _ in range(MAX_PER_WINDOW):
            await jobs.run(one("a"), lambda _: None)
        assert await jobs.run(one("b"), lambda _: 1) == 1
        with pytest.raises(UserError, match="Too many requests"):
            await jobs.run(one("a"), lambda _: None)

    asyncio.run(main())


def test_a_visitor_who_leaves_ends_the_job() -> None:
    async def main() -> bool:
        jobs, ended = JobQueue(), threading.Event()

        def job(left: threading.Event) -> None:
            left.wait(5)
            ended.set()

        task = asyncio.create_task(jobs.run(one("a"), job))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended.wait(2)

    assert asyncio.run(main())


def test_an_error_of_a_job_reaches_who_asked_and_frees_the_place() -> None:
    async def main() -> None:
        jobs = JobQueue(capacity=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await jobs.run(one("a"), lambda _: 1 / 0)

    asyncio.run(main())
