"""Word sets: the concepts whose paths through the layers the page shows, and a visitor's own.

Where there is no real text with a word, it is read at the end of several short carrier sentences of its
language, so that a state depends on the word and little on one context.  Nothing here knows models or pages.
"""

import csv
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.substrate.scripts import script_of
from app.wording.errors import UserError

WORDS_FILE = Path(__file__).parents[2] / "assets" / "words.tsv"
SECOND_FILE = WORDS_FILE.with_name("words_second.tsv")
MAX_WORDS = 200
MIN_GROUPS = 2
MIN_GROUP_WORDS = 3
"""With fewer, a word has hardly a neighbour of its own group to find."""
MIN_WORDS = MIN_GROUPS * MIN_GROUP_WORDS
MAX_WORD_CHARACTERS = 40
MAX_TEXT_CHARACTERS = 6_000

CARRIERS = {
    "en": ("{}", "I see the {}", "This is my {}", "He likes {}", "We talked about {}", "It was {}", "There is a {}"),
    "ru": ("{}", "Я вижу {}", "Это {}", "Мне нравится {}", "Там был {}", "Мы говорили про {}", "У него есть {}"),
    "zh": ("{}", "我喜欢{}", "这是{}", "我看到{}", "他说{}", "有{}", "我们的{}"),
}
"""Language -> beginnings of sentences that end with the word; the bare word is one of them."""

LANGUAGE_OF_SCRIPT = {"latin": "en", "cyrillic": "ru", "han": "zh"}


@dataclass(frozen=True)
class Word:
    """A word, its language (`en`, `ru`, `zh`) and the concept group that it belongs to."""

    text: str
    language: str
    concept: str


@cache
def all_words() -> tuple[Word, ...]:
    """Every word of the list: 19 groups of 11 concepts in three languages, language by language.

    Russian adjectives and verbs stand in forms of many endings: in one form throughout, their last token is one
    and the same picture, and the pictures alone would tell the group.  So would a list of countries in -ия.
    """
    return _read_list(WORDS_FILE)


@cache
def second_list() -> tuple[Word, ...]:
    """A second list, 12 groups of 10 nouns in three languages, that shares no word with `all_words`.

    It was fixed before anything was measured on it and decides nothing: a test holds its checksum.
    """
    return _read_list(SECOND_FILE)


def _read_list(path: Path) -> tuple[Word, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return tuple(Word(row[language], language, row["concept"]) for language in CARRIERS for row in rows)


@cache
def list_code() -> str:
    """What tells one version of the list from another: figures over words can be compared within one only."""
    return hashlib.sha256(repr(all_words()).encode()).hexdigest()[:12]


FEW = ("colours", "numbers", "animals", "family")
"""The groups of the small presets: 44 words of one language, or `mixed`, all three."""
KEPT_OUT = ("furniture", "transport", "reading", "music", "qualities")
"""Groups that no decision about training was ever measured on; they are reported apart."""
WORD_CLASSES = ("numbers", "colours", "countries", "actions", "feelings")
"""Groups that are classes of words as much as of meanings: grammar alone can tell them from nouns."""
PRESETS = (
    *("kept_en", "kept_ru", "kept_zh", "nouns_en", "nouns_ru", "nouns_zh"),
    *("few_en", "few_ru", "few_zh", "mixed", "en", "ru", "zh"),
)
"""Those that decided nothing come first."""


def preset(name: str) -> tuple[Word, ...]:
    """`kept_en` and the like: the groups kept out, in one language; `nouns_`: the others that are no word classes;
    `few_`: a few groups; `mixed`: these few in all three languages; else all groups but those kept out."""
    kind, _, language = name.rpartition("_")
    if name == "mixed":
        return tuple(word for word in all_words() if word.concept in FEW)
    groups = {word.concept for word in all_words()} - set(KEPT_OUT)
    chosen = {"kept": set(KEPT_OUT), "nouns": groups - set(WORD_CLASSES), "few": set(FEW)}.get(kind, groups)
    return tuple(word for word in all_words() if word.concept in chosen and word.language == language)


def kept_out(language: str) -> tuple[Word, ...]:
    """The groups kept out, in one language."""
    return preset(f"kept_{language}")


def nouns(language: str) -> tuple[Word, ...]:
    """The groups that are no word classes, in one language."""
    return preset(f"nouns_{language}")


def second(language: str) -> tuple[Word, ...]:
    """The second list in one language."""
    return tuple(word for word in second_list() if word.language == language)


FEWEST_EVEN = 4


def even(language: str) -> tuple[Word, ...]:
    """Words of one language and script that are alike in length: within one character of the commonest length
    of the preset's words (in Chinese, where a character is as wide as two letters, of that very length), from
    the groups that keep at least `FEWEST_EVEN` of them."""
    words, spread = preset(language), 0 if language == "zh" else 1
    lengths = Counter(len(word.text) for word in words)
    kept: Callable[[int], int] = lambda usual: sum(lengths[usual + step] for step in range(-spread, spread + 1))  # noqa: E731
    usual = max(sorted(lengths), key=kept)
    near = [word for word in words if abs(len(word.text) - usual) <= spread]
    sizes = Counter(word.concept for word in near)
    return tuple(word for word in near if sizes[word.concept] >= FEWEST_EVEN)


@cache
def _glosses() -> dict[str, dict[str, str]]:
    languages = list(CARRIERS)
    columns = {language: [word for word in all_words() if word.language == language] for language in languages}
    return {
        language: {
            word.text: columns[language][row].text for column in columns.values() for row, word in enumerate(column)
        }
        for language in languages
    }


def gloss(word: str, language: str) -> str:
    """What a word of the list means in another language; empty for a word of that language or none of the list."""
    meant = _glosses()[language].get(word, "")
    return "" if meant == word else meant


def parse_words(text: str) -> tuple[Word, ...]:
    """A visitor's own words: separated by spaces or commas, one group a line, which may begin `name:`.

    A word's language follows from the script of its first letter.  Repeated words count once.

    Raises:
        UserError: for too few or too many words, too few groups or words in one of them, too long a word, or one
            in none of the three scripts.
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS:
        raise UserError("many_words", limit=MAX_WORDS)
    found: dict[str, Word] = {}
    lines = [line for line in unicodedata.normalize("NFC", text).splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        name, colon, rest = re.sub("：", ":", line).partition(":")
        concept = name.strip()[:MAX_WORD_CHARACTERS] if colon and name.strip() else str(number)
        for word in re.split(r"[\s,;、，；]+", rest if colon else line):
            if word and word not in found:
                found[word] = Word(_checked(word), language_of_word(word), concept)
    if len(found) < MIN_WORDS:
        raise UserError("few_words", limit=MIN_WORDS)
    if len(found) > MAX_WORDS:
        raise UserError("many_words", limit=MAX_WORDS)
    words = tuple(found.values())
    check_groups(words)
    return words


def asked_words(asked: Any) -> tuple[Word, ...]:
    """The words of a preset by its name, or somebody's own: a text with one group a line, or {group: words}.

    Raises:
        UserError: `argument_words` for anything else; as `parse_words` for words that cannot be probed.
    """
    if isinstance(asked, Mapping) and all(isinstance(words, list | tuple) for words in asked.values()):
        asked = "\n".join(f"{group}: {' '.join(map(str, words))}" for group, words in asked.items())
    if not isinstance(asked, str) or not asked.strip():
        raise UserError("argument_words", name="words", sets=", ".join(PRESETS))
    return preset(asked.strip()) if asked.strip() in PRESETS else parse_words(asked)


def check_groups(words: Sequence[Word]) -> None:
    """Refuse word sets so small that neighbours of the same group could not be distinguished from chance.

    Raises:
        UserError: `few_groups`.
    """
    sizes = Counter(word.concept for word in words)
    if len(sizes) < MIN_GROUPS or min(sizes.values()) < MIN_GROUP_WORDS:
        raise UserError("few_groups", groups=MIN_GROUPS, words=MIN_GROUP_WORDS)


def _checked(word: str) -> str:
    if len(word) > MAX_WORD_CHARACTERS or not word.isprintable():
        raise UserError("odd_word", limit=MAX_WORD_CHARACTERS)
    return word


def language_of_word(word: str) -> str:
    """`en`, `ru` or `zh`, by the first letter that is Latin, Cyrillic or Han.

    Raises:
        UserError: when there is none.
    """
    language = LANGUAGE_OF_SCRIPT.get(script_of(word))
    if language is None:
        raise UserError("other_script", word=word[:MAX_WORD_CHARACTERS])
    return language


def carried(word: Word) -> list[str]:
    """A word at the end of each carrier sentence of its language."""
    return [carrier.format(word.text) for carrier in CARRIERS[word.language]]
