"""Chinese tales that begin as a tale does: 从前有一个…, once upon a time there was a …

The Chinese corpus is mostly single sentences, and few of its stories begin so: an expert that read only them ends a
tale after its first sentence.  So a story that introduces somebody in one of its first sentences (有一个老裁缝) is
begun there, with 从前 before it; and a tale whose first clause is short is also told with a full stop after that
clause, so that a short first sentence is no reason to end.  Nothing else is changed, and no text is invented.
"""

import re
from collections.abc import Iterable

from app.training.corpus import split_sentences

_BEGUN = re.compile(r"“?(从前|很久很久以前|很久以前|古时候)")
_INTRODUCED = re.compile(r"有一?(个|位|只|对|头|条|座|家|户|群|棵|匹)")
_FIRST = 4  # sentences in which somebody may be introduced
_FEWEST = 4  # sentences of a tale
_LATEST = 14  # characters before the introduction
_SHORT = 12  # characters of a first clause


def tale_of(line: str) -> str | None:
    """A story from where it begins as a tale, None where it does not or is shorter than four sentences."""
    sentences = split_sentences(line)
    for first, sentence in enumerate(sentences[:_FIRST]):
        if len(sentences) - first < _FEWEST:
            return None
        rest = "".join(sentences[first + 1 :])
        if begun := _BEGUN.match(sentence):
            return "从前" + sentence[begun.end() :].lstrip("，,") + rest
        introduced = _INTRODUCED.search(sentence)
        if introduced and introduced.start() <= _LATEST and "“" not in sentence[: introduced.start()]:
            return "从前" + sentence[introduced.start() :] + rest
    return None


def with_short_start(tale: str) -> str | None:
    """A tale with a full stop after its first clause, None where that clause introduces nobody or is long."""
    clause, comma, rest = tale.partition("，")
    if not (tale.startswith("从前有") and comma and len(clause) <= _SHORT) or "“" in clause or "。" in clause:
        return None
    return f"{clause}。{rest}"


def tales(lines: Iterable[str]) -> list[str]:
    """All tales in the lines of Chinese stories, each as it is and, where it can be, with a short start."""
    told = [tale for line in lines if (tale := tale_of(line)) is not None]
    return told + [short for tale in told if (short := with_short_start(tale)) is not None]
