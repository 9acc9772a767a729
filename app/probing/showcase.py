"""A few words of each of four groups, read so that no text around them tells their group: what the page shows first.

`showcase.safetensors` of a checkpoint folder holds their states, so that a server starts without reading them; it names
the weights that they were read with, and over any others they are read anew.
"""

import json
import logging
import threading
from pathlib import Path
from weakref import WeakKeyDictionary

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from app.checkpoint.checksums import damaged_files, write_checksums
from app.checkpoint.identity import identity_of
from app.engine.engine import Engine
from app.probing.word_cache import WordCache
from app.probing.word_list import FEW, Word, all_words
from app.probing.word_states import WordStates, word_states
from app.wording.catalogue import LANGUAGES

SHOWCASE_FILE = "showcase.safetensors"

GROUP_WORDS = 6
"""Words of each group: 24 in all have room on a phone."""
LETTERS = 8
"""Longer words are hard to read in 32 dots, and would not stand beside each other on a phone."""

log = logging.getLogger(__name__)
_lock = threading.Lock()
_read: WeakKeyDictionary[WordCache, dict[tuple[Word, ...], WordStates]] = WeakKeyDictionary()  # goes with its model


def showcase_words(word_cache: WordCache, language: str) -> tuple[Word, ...]:
    """Of each of the four groups the first short words that the model reads as one picture; where there are too few of
    them, the first of the others."""
    return _chosen(word_cache.engine, language)


def _chosen(engine: Engine, language: str) -> tuple[Word, ...]:
    found: list[Word] = []
    for group in FEW:
        words = [word for word in all_words() if (word.language, word.concept) == (language, group)]
        words = [word for word in words if len(word.text) <= LETTERS]
        found += sorted(words, key=lambda word: len(engine.ids_of(word.text)) > 1)[:GROUP_WORDS]
    return tuple(found)


def carried_states(word_cache: WordCache, words: tuple[Word, ...]) -> WordStates | None:
    """States of words that were all read in the same carrier sentences, so that no context tells a group; None as long
    as a foreign model's list is not read.

    The shipped list of a model of ours was read in real sentences, so its few words come from the showcase of its
    folder, or are read anew, once, which takes less than a second; a foreign model's list was read in carriers, once
    it is there."""
    list_states = word_cache.list_states
    if list_states is not None and not list_states.in_text:
        return list_states.subset(words)
    if word_cache.engine.bundle.report is not None:
        return None
    with _lock:
        known = _read.setdefault(word_cache, {})
        if words not in known:
            stored = read_showcase(word_cache.folder) if word_cache.folder is not None else None
            if stored is not None and stored.has(words):
                known[words] = stored.subset(words)
            else:
                known[words] = word_states(word_cache.engine, words)
        return known[words]


def read_showcase(folder: Path) -> WordStates | None:
    """The words of a folder's `showcase.safetensors` with their states; None if it has none for its weights."""
    path = folder / SHOWCASE_FILE
    if not path.is_file():
        return None
    try:
        if damaged_files(folder, [SHOWCASE_FILE]):
            raise ValueError("another checksum")
        with safe_open(path, "numpy") as file:
            facts, states = file.metadata() or {}, file.get_tensor("states")
        words = tuple(Word(*fields) for fields in json.loads(facts["words"]))
        if json.loads(facts["weights"]) != identity_of(folder):
            log.warning("%s belongs to another model and is not used", path.name)
            return None
        return WordStates(words, states)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AssertionError):
        log.warning("%s is damaged and is not used", path.name)
        return None


def write_showcase(folder: Path, engine: Engine) -> None:
    """Read the words of all languages with a checkpoint folder's model, and write its `showcase.safetensors`."""
    words = tuple(word for language in LANGUAGES for word in _chosen(engine, language))
    fields = [(word.text, word.language, word.concept) for word in words]
    facts = {"words": json.dumps(fields, ensure_ascii=False), "weights": json.dumps(identity_of(folder))}
    path = folder / SHOWCASE_FILE
    save_file({"states": word_states(engine, words).states}, path, metadata=facts)
    path.chmod(0o644)  # safetensors writes for the owner only
    write_checksums(folder)
