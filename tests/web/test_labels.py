"""What the page says beside its controls."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.web.labels import LABELS
from app.wording.catalogue import LANGUAGES


@pytest.mark.parametrize(
    ("language", "seeds", "picked"), [("en", "seeds", "picked"), ("ru", "Зёрна", "подобраны"), ("zh", "种子", "挑")]
)
def test_the_examples_say_that_their_seeds_were_picked(language: str, seeds: str, picked: str) -> None:
    model: Any = SimpleNamespace()
    note = LABELS["example_note"](model, language)
    assert language in LANGUAGES and seeds in note and picked in note
