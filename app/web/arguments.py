"""Arguments of the public API, checked: callers may send anything, and get one sentence about the argument."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.panels.settings import whole
from app.wording.errors import UserError

MAX_TEXTS = 16
"""Texts in one call."""


def texts_of(name: str, value: Any) -> list[str]:
    """One text or several, as a list.

    Raises:
        UserError: `argument_texts`.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_TEXTS or not all(isinstance(t, str) for t in texts):
        raise UserError("argument_texts", name=name, limit=MAX_TEXTS)
    return texts


def text_of(name: str, value: Any) -> str:
    """A text.

    Raises:
        UserError: `argument_text`.
    """
    if not isinstance(value, str):
        raise UserError("argument_text", name=name)
    return value


def whole_of(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in a range.

    Raises:
        UserError: `argument_whole`.
    """
    number = whole(value)
    if number is None or not low <= number <= high:
        raise UserError("argument_whole", name=name, low=low, high=high)
    return number


def wholes_of(name: str, value: Any, low: int, high: int) -> tuple[int, ...]:
    """Distinct whole numbers in a range, in their order; all of them where none are given.

    Raises:
        UserError: `argument_wholes`.
    """
    if value is None:
        return tuple(range(low, high + 1))
    numbers = [whole(part) for part in value] if isinstance(value, list) else []
    found = [number for number in numbers if number is not None and low <= number <= high]
    if not found or len(found) < len(numbers):
        raise UserError("argument_wholes", name=name, low=low, high=high)
    return tuple(dict.fromkeys(found))


def choice_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of some names.

    Raises:
        UserError: `argument_choice`.
    """
    if not isinstance(value, str) or value not in choices:
        raise UserError("argument_choice", name=name, choices=", ".join(choices))
    return value


def choices_of(name: str, value: Any, choices: Sequence[str]) -> frozenset[str]:
    """Some of some names; none where none are given.

    Raises:
        UserError: `argument_choices`.
    """
    given: Iterable[Any] = () if value is None else value
    if not isinstance(given, list | tuple) or not all(isinstance(part, str) and part in choices for part in given):
        raise UserError("argument_choices", name=name, choices=", ".join(choices))
    return frozenset(given)


def weight_of(name: str, value: Any) -> float:
    """A share, 0 to 1.

    Raises:
        UserError: `bad_weights`.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise UserError("bad_weights", count=2)
    return float(value)
