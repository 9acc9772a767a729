"""Every sentence a visitor reads, by its key.  They stand in `en.toml`, `ru.toml` and `zh.toml` beside this file.

A sentence is plain text with named placeholders, or a plural text: a small table with a form for each plural category
of the language and, under `by`, the name of the number that chooses:

    crowded.by = "limit"
    crowded.one = "{limit} text is waiting already."
    crowded.other = "{limit} texts are waiting already."

`{words:n_words}` in a sentence puts the plural text `n_words` there, chosen by the value of `words`: so one sentence
can count several things.  Texts of this kind have a key in `n_` and count by `n`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from app.wording.locales import (
    clauses,
    compact,
    formatted,
    joined,
    listed,
    number,
    percent,
    percent_sign,
    plural_form,
    separators,
)

LANGUAGES = {"en": "English", "ru": "Русский", "zh": "中文"}


@dataclass(frozen=True)
class Plural:
    """A sentence that counts.  by: the name of the number that chooses; forms: a sentence for each plural category."""

    by: str
    forms: Mapping[str, str]


@cache
def texts(language: str) -> Mapping[str, str | Plural]:
    """All texts of a language by their keys, which are unique over the sections of its file."""
    data = tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8"))
    found: dict[str, str | Plural] = {}
    for section, entries in data.items():
        for key, entry in entries.items():
            assert key not in found, f"{language}.toml: {key} stands in two sections, the second is [{section}]"
            found[key] = entry if isinstance(entry, str) else Plural(entry.pop("by"), entry)
    return found


def say(code: str, language: str = "en", /, **values: Any) -> str:
    """The sentence of a code, filled in.  An unknown language reads English."""
    language = language if language in LANGUAGES else "en"
    text = texts(language)[code]
    if isinstance(text, str):
        return _filled(text, values, language)
    count = values[text.by]
    assert isinstance(count, Integral), f"{code} is chosen by {text.by}, a whole number, not {count!r}"
    form = text.forms[plural_form(int(count), language)]
    return _filled(form, {**values, text.by: number(int(count), language)}, language)


@dataclass(frozen=True)
class Speech:
    """`say` bound to a language, with the numbers of that language: what panels and figures are given."""

    language: str

    def __call__(self, code: str, /, **values: Any) -> str:
        return say(code, self.language, **values)

    @property
    def separators(self) -> str:
        """The decimal mark and what groups thousands, as Plotly's layout takes them."""
        return "".join(separators(self.language))

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many digits after the decimal mark."""
        return number(value, self.language, digits)

    def signed(self, value: float, digits: int) -> str:
        """The same with its sign, plus or minus."""
        return number(value, self.language, digits, sign="+")

    def percent(self, share: float, digits: int = 1) -> str:
        """A share, 0 to 1, as a percentage; a small one that is not 0 never reads as 0."""
        return percent(share, self.language, digits)

    def change(self, share: float) -> str:
        """A relative change, with its sign, in per cent: 0.05 is +5.0%."""
        return number(100 * share, self.language, 1, sign="+") + percent_sign(self.language)

    def compact(self, value: float) -> str:
        """A large number in round words: 13.6 million."""
        return compact(value, self.language)

    def sentences(self, said: Iterable[str]) -> str:
        """Sentences one after the other, as the language spaces them."""
        return joined(said, self.language)

    def listed(self, parts: Iterable[str]) -> str:
        """Short parts with commas between them."""
        return listed(parts, self.language)

    def clauses(self, parts: Iterable[str]) -> str:
        """Parts that have commas of their own, with semicolons between them."""
        return clauses(parts, self.language)


def speaker(language: str) -> Speech:
    """Speech in a language; an unknown one is English."""
    return Speech(language if language in LANGUAGES else "en")


def _filled(sentence: str, values: Mapping[str, Any], language: str) -> str:
    if not values:
        return sentence.format()
    # Most values are texts, and asking for `Real` is slow: a strip fills a sentence for every token.
    numbers = {
        name: _Number(value, language)
        for name, value in values.items()
        if type(value) is not str and isinstance(value, Real)
    }
    return sentence.format(**{**values, **numbers}) if numbers else sentence.format(**values)


class _Number:
    """A number in a sentence: `{n}` and `{n:.1f}` write it in the language's way, `{n:n_words}` as the plural text."""

    def __init__(self, value: Real, language: str) -> None:
        self._value, self._language = value, language

    def __format__(self, spec: str) -> str:
        if spec.startswith("n_"):
            return say(spec, self._language, n=self._value)
        return formatted(self._value, spec, self._language)
