"""A long measurement runs beside the page: its progress is told, it can be stopped, its error arrives."""

import threading
import time
from typing import Any

import pytest

from app.web.on_words import run_with_progress
from app.wording.errors import UserError


def test_a_job_beside_is_told_of_and_left_at_once() -> None:
    stop, left = threading.Event(), threading.Event()

    def job(progress: Any) -> str:
        for step in range(1000):
            if not progress(step / 1000):
                left.set()
                raise UserError("cancelled")
            time.sleep(0.005)
        return "through"

    working = run_with_progress(job, stop)
    shares = [next(working), next(working), next(working)]
    assert shares == sorted(shares) and shares[-1] > 0
    stop.set()
    with pytest.raises(UserError, match="Cancelled"):
        next(working)
    assert left.wait(5)


def test_a_job_gives_its_result_or_its_error() -> None:
    def result(job: Any) -> Any:
        working = run_with_progress(job, threading.Event())
        while True:
            try:
                next(working)
            except StopIteration as done:
                return done.value

    assert result(lambda progress: "words") == "words"
    with pytest.raises(ZeroDivisionError):
        result(lambda progress: 1 / 0)
