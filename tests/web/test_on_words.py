"""A long measurement runs beside the page: its progress is told, it can be stopped, its error arrives."""

import threading
import time
from typing import Any

import numpy as np
import pytest

from app.models import ModelRegistry
from app.probing.word_list import PRESETS, preset
from app.web import on_words
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


class _List:
    """A word list of which only this is asked."""

    list_states, made = np.zeros(1), False

    def places(self, words: Any) -> Any:
        return np.zeros(1) if self.made else None


def test_a_shipped_set_is_drawn_once_in_each_language_and_anew_with_another_kind_of_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[tuple[int, str]] = []

    def mapped(_: Any, words: Any, language: str) -> dict[str, Any]:
        drawn.append((len(words), language))
        return {}

    monkeypatch.setattr(on_words, "_mapped", mapped)
    listeners, words = on_words.WordListeners(ModelRegistry({}, {}, "")), _List()
    monkeypatch.setattr(listeners, "_word_cache", lambda request: words)
    for name, language in (("mixed", "en"), ("mixed", "en"), ("mixed", "ru"), ("few_en", "en"), ("no such set", "en")):
        listeners.on_preset(name, language, None)  # type: ignore[arg-type]
    asked = (("mixed", "en"), ("mixed", "ru"), ("few_en", "en"), (PRESETS[0], "en"))
    assert drawn == [(len(preset(name)), language) for name, language in asked]
    words.made = True
    listeners.on_preset("mixed", "en", None)  # type: ignore[arg-type]
    assert drawn[4:] == drawn[:1]
