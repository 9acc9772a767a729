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
    """A difference between two texts.  opening: what the page opens with; choose, fresh: prompts of the same kind."""

    key: str
    language: str
    opening: Prompt
    choose: tuple[Prompt, ...]
    fresh: tuple[Prompt, ...]


@dataclass(frozen=True)
class ExchangeStory:
    """One word in two languages: the state of the one in the place of the other.  text, donor: with {} for the word,
    which ends them; words: translations, (in text, in donor)."""

    key: str
    language: str
    text: str
    donor: str
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DrawingStory:
    """A token's picture that morphs into another's: the text, the character in it, the character to morph into."""

    key: str
    language: str
    text: str
    character: str
    target: str


@dataclass(frozen=True)
class Stories:
    """All stories, and `reference`: short texts over which means for silencing are taken."""

    pairs: tuple[PairStory, ...]
    exchanges: tuple[ExchangeStory, ...]
    drawings: tuple[DrawingStory, ...]
    reference: tuple[str, ...]


@lru_cache(maxsize=1)
def read_stories(path: Path = STORIES) -> Stories:
    """Read the stories; a file of another form is a programmer's error."""
    record = tomllib.loads(path.read_text(encoding="utf-8"))
    return Stories(
        pairs=tuple(map(_pair_story, record["pair"])),
        exchanges=tuple(
            ExchangeStory(r["key"], r["language"], r["text"], r["donor"], tuple((a, b) for a, b in r["words"]))
            for r in record["exchange"]
        ),
        drawings=tuple(DrawingStory(**r) for r in record["drawing"]),
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
