"""The word list as the model on display sees it: computed once, kept, and shipped with the bundled model.

`words.safetensors` of a checkpoint folder holds the hidden states of every word of the list and the
UMAP places of the presets.  It is used only if it proves to be this model's: the states of a few
words are computed anew at start and compared.
"""

import logging
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from app.bank import Progress, WordStates, word_states
from app.engine import Engine
from app.maps import aligned_umap
from app.trace import Floats
from app.words import PRESETS, Word, all_words, preset

WORDS_FILE = "words.safetensors"
_SAMPLE = 7  # words compared at start, spread over the list
_TOLERANCE = 0.02  # of states of about unit size, stored in half precision
_KEPT_SETS = 16

log = logging.getLogger(__name__)


class Lexicon:
    """States of word sets, and UMAP places of the presets.  One for all visitors."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.bank: WordStates | None = None
        """States of the whole list, once `prepare` is through."""
        self._places: dict[str, Floats] = {}
        self._own: OrderedDict[tuple[Word, ...], WordStates] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, folder: Path | None = None) -> None:
        """Take the list's states from a checkpoint folder if they are this model's, else compute them."""
        shipped = read_words(folder, self.engine) if folder is not None else None
        if shipped is not None:
            self.bank, self._places = shipped
        else:
            self.bank = word_states(self.engine, all_words())

    def states(self, words: tuple[Word, ...], progress: Progress = lambda share: True) -> WordStates:
        """States of a word set: of a preset from the list, of any other read now (and kept for a while)."""
        if self.bank is not None and set(words) <= set(self.bank.words):
            return self.bank.subset(words)
        with self._lock:
            known = self._own.get(words)
        if known is None:
            known = word_states(self.engine, words, progress)
            with self._lock:
                self._own[words] = known
                while len(self._own) > _KEPT_SETS:
                    self._own.popitem(last=False)
        return known

    def places(self, name: str) -> Floats | None:
        """Shipped UMAP places (E, L + 1, n, 2) of a preset, if there are any for this model."""
        return self._places.get(name)


def read_words(folder: Path, engine: Engine) -> tuple[WordStates, dict[str, Floats]] | None:
    """States and UMAP places of a folder's `words.safetensors`; None if it has none for this model."""
    path = folder / WORDS_FILE
    if not path.is_file():
        return None
    try:
        stored = load_file(path)
    except (OSError, SafetensorError):
        log.warning("%s is damaged and is not used", path.name)
        return None
    states = stored.pop("states").astype(np.float32)
    words = all_words()
    sample = words[:: max(1, len(words) // _SAMPLE)]
    shape = engine.model.shape
    if states.shape != (shape.experts, shape.layers + 1, len(words), shape.width):
        return None
    bank = WordStates(words, states)
    fresh = word_states(engine, sample).states
    kept = bank.subset(sample).states
    if np.abs(fresh - kept).max() > _TOLERANCE * max(1.0, float(np.abs(fresh).max())):
        log.warning("%s belongs to another model and is not used", path.name)
        return None
    return bank, stored


def write_words(folder: Path, engine: Engine) -> None:
    """Compute and write `words.safetensors` for a checkpoint folder's model."""
    bank = word_states(engine, all_words())
    arrays: dict[str, Floats] = {"states": bank.states.astype(np.float16)}
    for name in PRESETS:
        states = bank.subset(preset(name)).states
        arrays[name] = np.stack([aligned_umap(expert) for expert in states]).astype(np.float32)
    save_file(arrays, folder / WORDS_FILE)
    (folder / WORDS_FILE).chmod(0o644)
