"""Sentences with their translations: training lines in a fixed frame, and test pairs that no training line repeats.

The frame names the target language, `= I love my mother. = ru: Я люблю маму.`: without it one expert of an averaged
pair goes on in Russian and the other in Chinese, and the mean of their logits answers in English.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.substrate.translation_frame import frame

PAIRED = ("en-ru", "en-zh")
PIVOTED = "ru-zh"
"""Russian and Chinese sentences that translate one English sentence are taken as translations of each other."""

DIRECTIONS = ("en-ru", "ru-en", "en-zh", "zh-en", "ru-zh", "zh-ru")

TEST_ONE_IN = 40
PIVOT_TEST_ONE_IN = 2.5
"""Share of English sentences set aside; more of those with a translation into both languages, which are few."""

SHORTEST_TEST = 12
"""Letters and digits of an English test sentence at least: "Thank you." stands in every text."""

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\s\"”»]*")

Pair = tuple[str, str]


@dataclass(frozen=True)
class Pairs:
    """Sentence pairs of `en-ru`, `en-zh` and `ru-zh`, split: nothing of `test` is in `train`."""

    train: dict[str, tuple[Pair, ...]]
    test: dict[str, tuple[Pair, ...]]


def framed(source: str, translation: str, target: str) -> str:
    """A training line: frame and translation, which a language that separates words sets off by a space."""
    return frame(source, target) + ("" if target == "zh" else " ") + translation


def fold(text: str) -> str:
    """A text without case, punctuation and spaces: what two sentences have in common when they say the same."""
    return "".join(character for character in text.casefold() if character.isalnum())


def sentences(line: str) -> list[str]:
    """The sentences of a line."""
    return [part for part in _SENTENCE_END.split(line) if part]


def split_pairs(pairs: Mapping[str, Sequence[Pair]]) -> Pairs:
    """Split `{"en-ru": pairs, "en-zh": pairs}` by the hash of the English side, and pivot Russian against Chinese.

    A pair with a side that is, case and punctuation aside, a side of a test pair is in neither part.  Each English
    sentence has one test pair: one reference.
    """
    russian, chinese = (group(pairs.get(name, ())) for name in PAIRED)
    both = russian.keys() & chinese.keys()
    chosen = [key for key in (*russian, *(chinese.keys() - russian.keys())) if _is_test(key, key in both)]
    chosen.sort(key=digest)
    test = {
        "en-ru": tuple(russian[key][0] for key in chosen if key in russian),
        "en-zh": tuple(chinese[key][0] for key in chosen if key in chinese),
        PIVOTED: tuple((russian[key][0][1], chinese[key][0][1]) for key in chosen if key in both),
    }
    pivots = [
        (english, russian_side, chinese_side)
        for key in russian
        if key in both
        for english, russian_side in russian[key]
        for _, chinese_side in chinese[key]
    ]
    forbidden = test_sides(test)
    train = {name: tuple(pair for pair in pairs.get(name, ()) if _is_free(pair, forbidden)) for name in PAIRED}
    train[PIVOTED] = tuple((row[1], row[2]) for row in pivots if _is_free(row, forbidden))
    return Pairs(train, test)


def group(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Pairs by their folded first side."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(fold(pair[0]), []).append(pair)
    return groups


def test_sides(test: dict[str, tuple[Pair, ...]]) -> frozenset[str]:
    """All folded sentences of test pairs, of any language."""
    return frozenset(fold(side) for rows in test.values() for pair in rows for side in pair)


def repeats_test(line: str, forbidden: frozenset[str]) -> bool:
    """Whether a training line is a test sentence, or has one among its sentences."""
    return fold(line) in forbidden or any(fold(part) in forbidden for part in sentences(line))


def training_lines(pairs: Iterable[Pair], name: str) -> list[str]:
    """Both directions of each pair of `name` (`en-ru`) as framed lines."""
    first, second = name.split("-")
    return [
        line
        for one, other in pairs
        for line in (framed(one, other, second), framed(other, one, first))
    ]  # fmt: skip


def _is_free(sides: Iterable[str], forbidden: frozenset[str]) -> bool:
    return not any(repeats_test(side, forbidden) for side in sides)


def _is_test(folded: str, pivoted: bool) -> bool:
    one_in = PIVOT_TEST_ONE_IN if pivoted else TEST_ONE_IN
    return len(folded) >= SHORTEST_TEST and digest(folded) % 1000 < 1000 / one_in


def digest(text: str) -> int:
    """A number that decides where a text goes, whatever the order of the lines."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
