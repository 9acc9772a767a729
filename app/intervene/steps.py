"""Measurements go in small steps, as generators that return what they found, so that they can be given up."""

import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from app.wording.errors import UserError

Result = TypeVar("Result")


def run_to_end(
    steps: Generator[Any, None, Result], *given_up: threading.Event, told: Callable[[Any], None] = lambda step: None
) -> Result:
    """What a measurement returns.  given_up: any of them is set once nobody waits for it; told: called with what each
    step yields.

    Raises:
        UserError: `cancelled`, at the next step after that.
    """
    try:
        while not any(event.is_set() for event in given_up):
            told(next(steps))
    except StopIteration as done:
        result: Result = done.value
        return result
    steps.close()
    raise UserError("cancelled")
