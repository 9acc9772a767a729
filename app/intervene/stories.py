"""The curated stories of `assets/stories.toml`: pairs of texts to open with, and the prompts that they are measured
on, set aside into those that choose what is claimed and fresh ones that test it."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

STORIES = Path(__file__).parent.parent.parent / "assets" / "stories.toml"


@dataclass(frozen=True)
class Prompt:
    """Two texts to compare, and the two answers, where they are fixed."""

    first: str
    second: str
    answers: tuple[str, str] | None = None


@dataclass(frozen=True)
class PairStory:
    """A difference between two texts."""

    key: str
    language: str
    """Of its texts."""
    opening: Prompt
    """What the page opens with."""
    choose: tuple[Prompt, ...]
    """Prompts of the same kind, on which is chosen."""
    fresh: tuple[Prompt, ...]
    """Others, on which is measured."""


@dataclass(frozen=True)
class ExchangeStory:
    """One word in two languages: the state of the one in the place of the other."""

    key: str
    language: str
    """Of the text."""
    text: str
    """With {} for the word."""
    donor: str
    """With {} for its translation."""
    other: str
    """An unrelated word, in donor."""
    words: tuple[tuple[str, str], ...]
    """Translations, (in text, in donor); the first of them opens the story."""


@dataclass(frozen=True)
class DrawingStory:
    """A token's picture that morphs into another's."""

    key: str
    language: str
    """Of the text."""
    text: str
    character: str
    """The token in it."""
    target: str
    """The character to morph into."""
    drawn: str = ""
    """The character whose picture stands in its place from the start, if it does not begin half morphed."""


@dataclass(frozen=True)
class AttentionStory:
    """A text after which silencing one head changes the prediction much; which one, a network says."""

    key: str
    language: str
    """Of its texts."""
    text: str
    """What the page opens with."""
    choose: tuple[str, ...]
    """Texts of the same kind, on which is chosen."""
    fresh: tuple[str, ...]
    """Others, on which is measured."""


@dataclass(frozen=True)
class Stories:
    """All stories."""

    pairs: tuple[PairStory, ...]
    exchanges: tuple[ExchangeStory, ...]
    drawings: tuple[DrawingStory, ...]
    attention: tuple[AttentionStory, ...]
    reference: tuple[str, ...]
    """Short texts over which means for silencing are taken."""


@lru_cache(maxsize=1)
def read_stories(path: Path = STORIES) -> Stories:
    """Read the stories; a file of another form is a programmer's error."""
    record = tomllib.loads(path.read_text(encoding="utf-8"))
    return Stories(
        pairs=tuple(map(_pair_story, record["pair"])),
        exchanges=tuple(
            ExchangeStory(
                r["key"], r["language"], r["text"], r["donor"], r["other"], tuple((a, b) for a, b in r["words"])
            )
            for r in record["exchange"]
        ),
        drawings=tuple(DrawingStory(**r) for r in record["drawing"]),
        attention=tuple(
            AttentionStory(r["key"], r["language"], r["text"], tuple(r["choose"]), tuple(r["fresh"]))
            for r in record["attention"]
        ),
        reference=tuple(record["reference"]["texts"]),
    )


def _pair_story(record: dict[str, Any]) -> PairStory:
    first, second = record["opening"]
    return PairStory(
        key=record["key"],
        language=record["language"],
        opening=Prompt(first, second, _answers(record.get("answers", []))),
        choose=_prompts(record["choose"]),
        fresh=_prompts(record["fresh"]),
    )


def _prompts(part: dict[str, list[Any]]) -> tuple[Prompt, ...]:
    """Every template with every pair of words; a pair may name its two answers too."""
    return tuple(
        Prompt(template.replace("{}", first), template.replace("{}", second), _answers(answers))
        for template in part["templates"]
        for first, second, *answers in part["pairs"]
    )


def _answers(given: list[str]) -> tuple[str, str] | None:
    return (given[0], given[1]) if given else None
