"""A few words of each of four groups, read so that no text around them tells their group: what the page shows first."""

import threading
from weakref import WeakKeyDictionary

from app.probing.word_cache import WordCache
from app.probing.word_list import FEW, Word, all_words
from app.probing.word_states import WordStates, word_states

GROUP_WORDS = 6
"""Words of each group: 24 in all have room on a phone."""
LETTERS = 8
"""Longer words are hard to read in 32 dots, and would not stand beside each other on a phone."""

_lock = threading.Lock()
_read: WeakKeyDictionary[WordCache, dict[tuple[Word, ...], WordStates]] = WeakKeyDictionary()  # goes with its model


def showcase_words(word_cache: WordCache, language: str) -> tuple[Word, ...]:
    """Of each of the four groups the first short words that the model reads as one picture; where there are too few of
    them, the first of the others."""
    engine = word_cache.engine
    found: list[Word] = []
    for group in FEW:
        words = [word for word in all_words() if (word.language, word.concept) == (language, group)]
        words = [word for word in words if len(word.text) <= LETTERS]
        found += sorted(words, key=lambda word: len(engine.ids_of(word.text)) > 1)[:GROUP_WORDS]
    return tuple(found)


def carried_states(word_cache: WordCache, words: tuple[Word, ...]) -> WordStates | None:
    """States of words that were all read in the same carrier sentences, so that no context tells a group; None as long
    as a foreign model's list is not read.

    The shipped list of a model of ours was read in real sentences, so its few words are read anew, once, which takes
    less than a second; a foreign model's list was read in carriers, once it is there."""
    list_states = word_cache.list_states
    if list_states is not None and not list_states.in_text:
        return list_states.subset(words)
    if word_cache.engine.bundle.report is not None:
        return None
    with _lock:
        known = _read.setdefault(word_cache, {})
        if words not in known:
            known[words] = word_states(word_cache.engine, words)
        return known[words]
