"""Held-out sentences in which the words of the list stand, as far as the word: real text to read them in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from app.probing.word_list import Word
from app.wording.catalogue import LANGUAGES

MOST = 20
"""Sentences a word at the most; averaged over, so that a state depends on the word and little on one text."""
_LONGEST = 160  # characters
_ENDS = re.compile(r"(?<=[.!?…。！？])\s*")

Readings = Mapping[Word, Sequence[str]]
"""Texts that end with a word, by word."""


def find_contexts(lines: Sequence[str], words: Iterable[Word], tokenizer: Tokenizer) -> dict[Word, tuple[str, ...]]:
    """For each word the beginnings of up to `MOST` sentences that end with it, in the order of the lines; a
    word without any is left out.

    A word counts where it stands by itself: between other characters than letters, and, for Chinese, between
    borders of tokens (花 in 花钱, to spend, is no flower).
    """
    offsets = [encoding.offsets for encoding in tokenizer.encode_batch(list(lines), add_special_tokens=False)]
    borders = [({start for start, _ in pairs}, {end for _, end in pairs}) for pairs in offsets]
    found: dict[Word, tuple[str, ...]] = {}
    for word in words:
        name, han = re.escape(word.text), word.language == "zh"
        pattern = re.compile(name if han else rf"(?<!\w){name}(?!\w)")
        texts: list[str] = []
        for line, (starts, ends) in zip(lines, borders, strict=True):
            if len(texts) == MOST:
                break
            for match in pattern.finditer(line):
                if not han or (match.start() in starts and match.end() in ends):
                    text = _ENDS.split(line[: match.end()])[-1][-_LONGEST:]
                    if len(text) > len(word.text) + 1:  # a word that begins its sentence has no context
                        texts.append(text)
                        break
        if texts:
            found[word] = tuple(texts)
    return found


def held_out_contexts(work: Path, words: Sequence[Word], tokenizer: Tokenizer) -> dict[Word, tuple[str, ...]]:
    """`find_contexts` in the held-out lines of a training work folder, each word in its own language."""
    found: dict[Word, tuple[str, ...]] = {}
    for language in LANGUAGES:
        lines = (work / f"{language}.held_out.txt").read_text(encoding="utf-8").split("\n")
        found |= find_contexts(lines, [word for word in words if word.language == language], tokenizer)
    return found
