"""Listeners that compute in the thread of the jobs: what takes long says how far it is."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.engine.fair_line import Visitor
from app.engine.job_queue import JobQueue
from app.intervene.steps import run_to_end
from app.wording.errors import UserError

POLL_SECONDS = 0.3

Result = TypeVar("Result")


@dataclass(frozen=True)
class Done(Generic[Result]):
    """The result of a job."""

    value: Result


async def watched(
    jobs: JobQueue, visitor: Visitor, steps: Callable[[], Generator[float, None, Result]], stop: threading.Event
) -> AsyncGenerator[float | Done[Result], None]:
    """Run a generator of shares, 0..1, as one job: the share that is done every `POLL_SECONDS`, then what it returns.
    stop: ends it.

    Raises:
        UserError: `cancelled` once `stop` is set; what the steps and the queue raise.
    """
    share = 0.0

    def note(done: float) -> None:
        nonlocal share
        share = done

    task = asyncio.ensure_future(jobs.run(visitor, lambda left: run_to_end(steps(), left, stop, told=note)))
    try:
        while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
            if stop.is_set():
                raise UserError("cancelled")
            yield share
        yield Done(task.result())
    finally:
        task.cancel()  # nothing where it is done; else the visitor has left
