"""A small dictionary of the vocabulary, made from sentence pairs alone.

Which words translate each other is found by word alignment, IBM Model 1 (Brown et al. 1993), in both directions: a word
gets the translation that is likely both ways, or none.  Russian and Chinese meet through English.  Words of the word
list, whose translations people wrote, check it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from app.probing.word_list import LANGUAGE_OF_SCRIPT, all_words
from app.substrate.scripts import script_of
from app.substrate.vocabulary import is_han
from app.training.pairs import Pair

ROUNDS = 6
"""Of expectation and maximisation; the order of translations no longer changes after them."""
FEWEST = 4
"""Pairs in which a word must stand."""
LEAST = 0.25
"""Geometric mean of the likelihoods of both directions from which on a translation is kept."""

Likelihoods = dict[str, dict[str, float]]
"""Word -> translation -> how likely it is."""
Words = Callable[[str], list[str]]


def words_of(language: str, tokenizer: Tokenizer) -> Words:
    """How a sentence is cut into words: Chinese by the vocabulary, the others between letters."""
    if language == "zh":
        return lambda text: [token for token in tokenizer.encode(text).tokens if token and all(map(is_han, token))]
    return lambda text: "".join(c if c.isalpha() or c in "'-" else " " for c in text.lower()).split()


@dataclass(frozen=True, eq=False)
class _Cells:
    """Every word of a translation beside every word of its source, over all pairs: which two words meet (kind), and
    for which word of which translation (slot)."""

    kind: NDArray[np.int64]
    slot: NDArray[np.int64]
    pairs: list[tuple[str, str]]
    """The two words of a kind; an empty source stands for words that translate nothing."""


def _cells(sentences: Iterable[tuple[Sequence[str], Sequence[str]]]) -> _Cells:
    kinds: dict[tuple[str, str], int] = {}
    kind, slot, slots = [], [], 0
    for source, target in sentences:
        for word in target:
            for origin in ("", *source):
                kind.append(kinds.setdefault((origin, word), len(kinds)))
                slot.append(slots)
            slots += 1
    return _Cells(np.array(kind, np.int64), np.array(slot, np.int64), list(kinds))


def align(sentences: Iterable[tuple[Sequence[str], Sequence[str]]], rounds: int = ROUNDS) -> Likelihoods:
    """IBM Model 1: how likely each word of the second sentences translates a word of the first ones."""
    cells = _cells(sentences)
    sources: dict[str, int] = {}
    origin = np.array([sources.setdefault(source, len(sources)) for source, _ in cells.pairs], np.int64)
    likely = np.ones(len(cells.pairs))
    for _ in range(rounds):
        share = likely[cells.kind]
        share /= np.bincount(cells.slot, share)[cells.slot]
        counts = np.bincount(cells.kind, share, minlength=len(cells.pairs))
        likely = counts / np.bincount(origin, counts)[origin]
    found: Likelihoods = {}
    for (source, target), value in zip(cells.pairs, likely.tolist(), strict=True):
        if source and value > 0.01:
            found.setdefault(source, {})[target] = value
    return found


def both_ways(pairs: Sequence[Pair], first: Words, second: Words) -> tuple[Likelihoods, Likelihoods]:
    """How likely words translate each other, from the first language to the second and back: the geometric mean of
    both directions, for words that stand in `FEWEST` pairs."""
    sentences = [(first(a), second(b)) for a, b in pairs]
    forward, back = align(sentences), align((b, a) for a, b in sentences)
    seen = (Counter(word for side in sentences for word in set(side[i])) for i in (0, 1))
    often = [{word for word, count in counts.items() if count >= FEWEST} for counts in seen]
    there: Likelihoods = {}
    here: Likelihoods = {}
    for a, translations in forward.items():
        for b, likely in translations.items():
            mean = (likely * back.get(b, {}).get(a, 0.0)) ** 0.5
            if a in often[0] and b in often[1] and mean > 0:
                there.setdefault(a, {})[b] = mean
                here.setdefault(b, {})[a] = mean
    return there, here


def through(first: Likelihoods, second: Likelihoods) -> Likelihoods:
    """From one language to another by a third."""
    found: Likelihoods = {}
    for word, middles in first.items():
        for middle, likely in middles.items():
            for target, value in second.get(middle, {}).items():
                row = found.setdefault(word, {})
                row[target] = row.get(target, 0.0) + likely * value
    return found


def best(likelihoods: Likelihoods, least: float = LEAST) -> dict[str, str]:
    """Word -> its likeliest translation, where that is likely enough."""
    chosen = {word: max(row.items(), key=lambda item: item[1]) for word, row in likelihoods.items()}
    return {word: target for word, (target, value) in chosen.items() if value >= least}


def make_glosses(pairs: Mapping[str, Sequence[Pair]], tokenizer: Tokenizer) -> dict[str, dict[str, str]]:
    """By language of the reader, word -> gloss, for words that are one token of the vocabulary.  pairs: `en-ru` and
    `en-zh`."""
    english, russian, chinese = (words_of(language, tokenizer) for language in ("en", "ru", "zh"))
    en_ru, ru_en = both_ways(pairs["en-ru"], english, russian)
    en_zh, zh_en = both_ways(pairs["en-zh"], english, chinese)
    tables = {
        "en": {**best(ru_en), **best(zh_en)},
        "ru": {**best(en_ru), **best(through(zh_en, en_ru), LEAST / 2)},
        "zh": {**best(en_zh), **best(through(ru_en, en_zh), LEAST / 2)},
    }
    single = _single_tokens(tokenizer)
    return {reader: {word: table[word] for word in sorted(table) if word in single} for reader, table in tables.items()}


def _single_tokens(tokenizer: Tokenizer) -> set[str]:
    """Words, in small letters, that are one token: with the space before it where the language sets one."""
    tokens = (token.replace("▁", " ") for token in tokenizer.get_vocab())
    return {token.strip().lower() for token in tokens if token[:1] == " " or all(map(is_han, token))}


def check_glosses(glosses: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, float]]:
    """By reader, against the word list: of its words that have a gloss, the share (0..1) whose gloss is the list's own
    translation; and how many there are."""
    words = all_words()
    columns = {name: [word.text for word in words if word.language == name] for name in ("en", "ru", "zh")}
    report: dict[str, dict[str, float]] = {}
    for reader, table in glosses.items():
        rows = [
            (table[word], columns[reader][row])
            for name, column in columns.items()
            if name != reader
            for row, word in enumerate(column)
            if word in table
        ]
        report[reader] = {"checked": len(rows), "right": sum(a == b for a, b in rows) / max(1, len(rows))}
    return report


def write_glosses(path: Path, glosses: Mapping[str, Mapping[str, str]], tokenizer: Tokenizer) -> None:
    """Write the dictionary with what is said of it: how much of the vocabulary's foreign words it covers, and how much
    of it is right where the word list can tell."""
    languages = {word: _language(word) for word in _single_tokens(tokenizer)}
    covered = {}
    for reader, table in glosses.items():
        foreign = [word for word, language in languages.items() if language not in ("", reader)]
        covered[reader] = {"words": len(foreign), "covered": sum(word in table for word in foreign) / len(foreign)}
    report = {reader: {**covered[reader], **found} for reader, found in check_glosses(glosses).items()}
    record = {"report": report, "glosses": glosses}
    path.write_text(json.dumps(record, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def _language(word: str) -> str:
    """Of a word of two letters or more, or a Chinese one, by its script; empty for anything else."""
    language = LANGUAGE_OF_SCRIPT.get(script_of(word), "")
    return language if language == "zh" or (len(word) > 1 and word.isalpha()) else ""
