"""Requests to a model: an engine that counts what runs through it, asynchronous work and texts run to their end."""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from app.engine.engine import Engine, Step
from app.engine.sampling import Sampling
from app.trace.record import Trace

Result = TypeVar("Result")


class Counting(Engine):
    """An engine that counts what goes through the network, and takes its time."""

    fed = 0

    def feed(self, wanted: Any) -> Any:
        time.sleep(0.01)
        self.fed += len(wanted)
        return super().feed(wanted)


def finished(work: Coroutine[Any, Any, Result]) -> Result:
    """What asynchronous work gives, in a thread of its own: a browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def run(engine: Engine, prompt: str, **options: object) -> tuple[list[Step], Trace]:
    """Continue a prompt: the steps of its tokens, and the trace."""
    *steps, last = engine.generate(prompt, Sampling(**options))  # type: ignore[arg-type]
    assert last.trace is not None and last.id is None
    return steps, last.trace
