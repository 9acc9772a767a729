"""Arguments of the API may be anything: each gets a value or one sentence that names the argument."""

from collections.abc import Callable
from typing import Any

import pytest

from app.web.arguments import MAX_TEXTS, choice_of, choices_of, text_of, texts_of, weight_of, whole_of, wholes_of
from app.web.endpoint import example_call, sections
from app.wording.errors import UserError

ANYTHING: list[Any] = [None, 7, 1.5, True, "", "x", [], ["a"], [1], [True], {}, {"a": 1}, [None], "\x00", float("nan")]
CHECKS: dict[str, Callable[[Any], Any]] = {
    "texts": lambda value: texts_of("texts", value),
    "text": lambda value: text_of("text", value),
    "whole": lambda value: whole_of("whole", value, 1, 9),
    "wholes": lambda value: wholes_of("wholes", value, 0, 3),
    "choice": lambda value: choice_of("choice", value, ("a", "b")),
    "choices": lambda value: choices_of("choices", value, ("a", "b")),
}


@pytest.mark.parametrize("name", CHECKS)
def test_anything_is_a_value_or_a_sentence_about_the_argument(name: str) -> None:
    for value in ANYTHING:
        try:
            CHECKS[name](value)
        except UserError as error:
            assert str(error).startswith(f"{name}: give ")


def test_good_arguments_pass() -> None:
    assert texts_of("t", "a") == ["a"] and texts_of("t", ["a"] * MAX_TEXTS) == ["a"] * MAX_TEXTS
    assert whole_of("n", 9, 1, 9) == 9 and wholes_of("l", [3, 0, 3], 0, 3) == (3, 0)
    assert wholes_of("l", None, 0, 2) == (0, 1, 2)
    assert choices_of("c", ["b"], ("a", "b")) == {"b"} and choices_of("c", None, ("a",)) == frozenset()
    assert weight_of("w", 1) == 1.0


@pytest.mark.parametrize("value", [None, "1", True, 1.5, -0.1, float("nan"), [0.5]])
def test_weights_are_shares(value: Any) -> None:
    with pytest.raises(UserError):
        weight_of("w", value)


def test_too_many_or_odd_values_are_refused() -> None:
    for call in (
        lambda: texts_of("t", ["a"] * (MAX_TEXTS + 1)),
        lambda: wholes_of("l", [4], 0, 3),
        lambda: wholes_of("l", [0, True], 0, 3),
        lambda: choices_of("c", "ab", ("a", "b")),
    ):
        with pytest.raises(UserError):
            call()


def test_sections_of_a_docstring() -> None:
    def function(first: str, second: int) -> str:
        """Do a thing
        in two lines.

        Args:
            first: One
                and more.
            second: Two: with a colon.

        Returns:
            What comes
            of it.
        """
        return first * second

    assert sections(function) == {
        "": {"": "Do a thing in two lines."},
        "Args": {"first": "One and more.", "second": "Two: with a colon."},
        "Returns": {"": "What comes of it."},
    }
    assert example_call("f", {"a": ["01"] * 3, "b": "x"}) == "client.predict(a=['01'] * 3, b='x', api_name=\"/f\")"
