"""The word list as the model on display sees it: computed once, kept, and shipped with the bundled model.

`words.safetensors` of a checkpoint folder holds the hidden states of every word of the list, read in held-out
sentences where there are any; `proof.safetensors` what was measured on them: the UMAP places of the presets, and
the curves of the probes.  They are used only if they turn out to be this model's: at start, layer 0 must be the
model's own embedding of every word, and a few words are read anew in carrier sentences and compared with what
the file has of that; and the measures must be of the very states beside them.
"""

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from app.checkpoint.checksums import damaged_files, write_checksums
from app.engine.engine import Engine
from app.probing.contexts import Readings
from app.probing.control_states import read_control_states
from app.probing.curves import ProbeResults
from app.probing.measures import purity
from app.probing.probe_suite import run_probes
from app.probing.umap_layout import MIN_POINTS, aligned_umap
from app.probing.word_list import PRESETS, Word, all_words, preset, second_list
from app.probing.word_proof import Proof, measure_proof, proof_from_json, proof_to_json
from app.probing.word_states import Progress, WordStates, centred, part_of, word_states
from app.substrate.pictures import draw_pictures
from app.trace.record import Floats
from app.wording.errors import UserError

WORDS_FILE = "words.safetensors"
PROOF_FILE = "proof.safetensors"
NEAR_ON_MAP = 5
_AROUND = "around_"
_SAMPLE = 7  # words compared at start, spread over the list
_TOLERANCE = 0.02  # of states of about unit size, stored in half precision
_KEPT_SETS = 16
Scale = tuple[Floats, Floats]
"""Mean and deviation (E, L + 1, d) of the list's states, read in carrier sentences."""

Pictures = NDArray[np.bool_]

Value = TypeVar("Value")
Kept: TypeAlias = LRUCache[tuple[Word, ...], Value]
"""What was computed of the last word sets; one lock for all, so that no visitor's threads meet in it."""

log = logging.getLogger(__name__)


class WordCache:
    """States of word sets, and the UMAP places that are known of them.  One for all visitors."""

    def __init__(self, engine: Engine, folder: Path | None = None) -> None:
        self.engine = engine
        self.folder = folder
        """The checkpoint folder of the model, where it has one."""
        self.list_states: WordStates | None = None
        """States of the whole list, once `prepare` is through."""
        self.pictures: Pictures = np.zeros((0, 32, 32), bool)
        """Every word of the list as the substrate draws it (n, 32, 32), once `prepare` is through."""
        self.scale: Scale | None = None
        """What a text that is read in carrier sentences is compared on, once `prepare` is through."""
        self._states: Kept[WordStates] = LRUCache(_KEPT_SETS)
        self._places: Kept[Floats] = LRUCache(_KEPT_SETS)
        self.proof: Proof | None = None
        """Curves of the presets, where they are shipped."""
        self._results: Kept[ProbeResults] = LRUCache(_KEPT_SETS)
        self._shipped: dict[tuple[Word, ...], Floats] = {}
        self._around: dict[tuple[Word, ...], Floats] = {}
        self._lock = threading.Lock()

    def prepare(self, folder: Path | None = None, progress: Progress = lambda share: True) -> None:
        """Take the list's states from a checkpoint folder if they are this model's, else compute them; `progress` is
        called before every pass.

        Raises:
            UserError: `cancelled` when `progress` returns False.
        """
        found = read_words(folder, self.engine) if folder is not None else None
        if found is None:
            list_states = word_states(self.engine, all_words(), progress)
            found = WordFile(list_states, centred(list_states.states)[1:], {}, {}, None)
        list_states, self.scale, self.proof = found.list_states, found.scale, found.proof
        self._shipped = {preset(name): found.places[name] for name in PRESETS if name in found.places}
        self._around = {preset(name): found.around[name] for name in PRESETS if name in found.around}
        self.pictures = draw_pictures([word.text for word in list_states.words], self.engine.bundle.substrate.recipe)
        self.list_states = list_states

    def states(self, words: tuple[Word, ...], progress: Progress = lambda share: True) -> WordStates:
        """States of a word set: of a preset from the list, of any other read now.  The last sets are kept."""
        known = self._known(self._states, words)
        if known is None:
            list_states = self.list_states
            known = (
                list_states.subset(words)
                if list_states and list_states.has(words)
                else word_states(self.engine, words, progress)
            )
            self._keep(self._states, words, known)
        return known

    def places(self, words: tuple[Word, ...]) -> Floats | None:
        """UMAP places (E, L + 1, n, 2) of a word set: shipped ones of a preset, others once `umap` made them."""
        return self._shipped.get(words) if words in self._shipped else self._known(self._places, words)

    def around(self, words: tuple[Word, ...]) -> Floats | None:
        """kNN purity (E, L + 1) of the tokens before the words of a preset: what their sentences tell without
        them; None where all words were read in the same sentences."""
        return self._around.get(words)

    def umap(self, words: tuple[Word, ...], progress: Progress = lambda share: True) -> Floats:
        """Compute the UMAP places (E, L + 1, n, 2) of a word set, if they are not known.

        Raises:
            UserError: `cancelled` when `progress` returns False between two experts; `few_words` for too few.
        """
        known = self.places(words)
        if known is None:
            if len(words) < MIN_POINTS:
                raise UserError("few_words", limit=MIN_POINTS)
            known = _umap(self.states(words).states, progress)
            self._keep(self._places, words, known)
        return known

    def probed(self, words: tuple[Word, ...], progress: Progress = lambda share: True) -> ProbeResults:
        """The probes over a word set, read in carrier sentences, with their controls; the last ones are kept.

        Raises:
            UserError: `cancelled` when `progress` returns False.
        """
        known = self._known(self._results, words)
        if known is None:
            states = word_states(self.engine, words, part_of(progress, 0.0, 0.2))
            known = run_probes(self.engine, states, part_of(progress, 0.2, 1.0))
            self._keep(self._results, words, known)
        return known

    def _known(self, kept: Kept[Value], words: tuple[Word, ...]) -> Value | None:
        with self._lock:
            return kept.get(words)

    def _keep(self, kept: Kept[Value], words: tuple[Word, ...], value: Value) -> None:
        with self._lock:
            kept[words] = value


def purity_by_layer(states: WordStates) -> Floats:
    """kNN purity (E, L + 1) of the groups in a word set."""
    groups = [word.concept for word in states.words]
    return np.array([[purity(layer, groups) for layer in expert] for expert in states.states], np.float32)


def _umap(states: Floats, progress: Progress = lambda share: True) -> Floats:
    places = []
    for number, expert in enumerate(states):
        if not progress(number / len(states)):
            raise UserError("cancelled")
        places.append(aligned_umap(expert))
    return np.stack(places).astype(np.float32)


@dataclass(frozen=True, eq=False)
class WordFile:
    """What the two files hold.  places[preset]: UMAP places (E, L + 1, n, 2); around[preset]: kNN purity (E, L + 1)
    of the tokens before the words."""

    list_states: WordStates
    scale: Scale
    places: dict[str, Floats]
    around: dict[str, Floats]
    proof: Proof | None


def read_words(folder: Path, engine: Engine) -> WordFile | None:
    """A folder's `words.safetensors`; None if it has none for this model."""
    path = folder / WORDS_FILE
    if not path.is_file():
        return None
    if damaged_files(folder, [WORDS_FILE]):
        log.warning("%s is damaged and is not used", path.name)
        return None
    try:
        with safe_open(path, "numpy") as file:
            names = ("states", "sample", "mean", "deviation", "sentences")
            states, sample, mean, deviation, sentences = (file.get_tensor(name) for name in names)
        list_states = WordStates(all_words(), states.astype(np.float32), tuple(sentences.tolist()))
    except (OSError, SafetensorError, KeyError, AssertionError):
        log.warning("%s is damaged and is not used", path.name)
        return None
    if not _is_of(engine, list_states, sample):
        log.warning("%s belongs to another model and is not used", path.name)
        return None
    return WordFile(list_states, (mean, deviation), *_measured(folder, _code_of(states)))


def _measured(folder: Path, code: str) -> tuple[dict[str, Floats], dict[str, Floats], Proof | None]:
    """Places, purity of the tokens before, and proof from a folder's `proof.safetensors`; nothing where there is no
    whole file of the states with this code."""
    path = folder / PROOF_FILE
    if not path.is_file():
        return {}, {}, None
    try:
        if damaged_files(folder, [PROOF_FILE]):
            raise ValueError("another checksum")
        with safe_open(path, "numpy") as file:
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
            facts = file.metadata() or {}
        if facts["states"] != code:
            log.warning("%s was measured on other states and is not used", path.name)
            return {}, {}, None
        around = {name: stored.pop(_AROUND + name) for name in PRESETS if _AROUND + name in stored}
        return stored, around, proof_from_json(facts["proof"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        log.warning("%s is damaged and is not used", path.name)
        return {}, {}, None


def _code_of(states: NDArray[np.float16]) -> str:
    """What tells the stored states of one model from another's: measures hold for one only."""
    return hashlib.sha256(np.ascontiguousarray(states).tobytes()).hexdigest()


def _sample() -> tuple[Word, ...]:
    words = all_words()
    return words[:: max(1, len(words) // _SAMPLE)]


def _is_of(engine: Engine, list_states: WordStates, sample: Floats) -> bool:
    """Whether states of the list, and of a sample read in carrier sentences, are those of a model."""
    shape = engine.model.shape
    if list_states.states.shape != (shape.experts, shape.layers + 1, len(list_states.words), shape.width):
        return False
    last = [engine.ids_of(word.text)[-1] for word in list_states.words]
    return _close(list_states.states[:, 0], engine.model.embedding[last].numpy()[None]) and _close(
        sample, word_states(engine, _sample()).states
    )


def _close(stored: Floats, fresh: Floats) -> bool:
    bound = _TOLERANCE * max(1.0, float(np.abs(fresh).max()))
    return bool(stored.shape[1:] == fresh.shape[1:] and np.abs(stored - fresh).max() <= bound)


def write_words(folder: Path, engine: Engine, readings: Readings | None = None) -> None:
    """Compute and write `words.safetensors` and `proof.safetensors` for a checkpoint folder's model.  readings: real
    sentences to read the words in; those without any are read in carrier sentences.  What is known of controls
    comes from the folder's `controls.safetensors`."""
    words = all_words()
    carried = word_states(engine, (*words, *second_list()))
    known = carried.subset(words)
    list_states = word_states(engine, words, readings=readings) if readings else known
    mean, deviation = centred(known.states)[1:]
    states = list_states.states.astype(np.float16)
    arrays: dict[str, NDArray[Any]] = {
        "states": states,
        "sentences": np.array(list_states.sentences, np.int16),
        "sample": known.subset(_sample()).states,
        "mean": mean,
        "deviation": deviation,
    }
    _save(folder / WORDS_FILE, arrays)
    context = word_states(engine, words, readings=readings, before=True)
    measured = {name: _umap(list_states.subset(preset(name)).states) for name in PRESETS}
    for name in PRESETS:
        if list_states.subset(preset(name)).in_text:
            measured[_AROUND + name] = purity_by_layer(context.subset(preset(name)))
    proof = measure_proof(
        engine, carried, list_states, context, read_control_states(folder, list_states.states.shape[1:])
    )
    _save(folder / PROOF_FILE, measured, {"proof": proof_to_json(proof), "states": _code_of(states)})
    write_checksums(folder)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]], facts: dict[str, str] | None = None) -> None:
    rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}  # else stored in another order
    save_file(rows, path, metadata=facts)
    path.chmod(0o644)  # safetensors writes for the owner only
