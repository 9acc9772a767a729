"""What both experts make of the same words, of translations, and of look-alikes, layer by layer."""

from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter

from app.engine.engine import Engine
from app.probing.control_states import ControlStates
from app.probing.curves import Curves, ProbeResults
from app.probing.measures import cka, retrieval
from app.probing.probe_suite import run_probes
from app.probing.word_list import CARRIERS, Word, even, kept_out, language_of_word, nouns, preset, second
from app.probing.word_states import WordStates, unit, word_states
from app.trace.record import Floats

PAIRS = (("en", "ru"), ("en", "zh"), ("ru", "zh"))


@dataclass(frozen=True, eq=False)
class Crossings:
    """What crosses experts and languages."""

    experts: tuple[str, ...]
    alike: Curves
    """(L + 1, L + 1): CKA of the first expert's layers (rows) with the second's (columns) on English words."""
    found: Curves
    """(P, E, L + 1): translation retrieval@1 for each of `PAIRS`, by CSLS."""
    words: int
    """Of each language."""

    @property
    def chance(self) -> float:
        """Retrieval@1 of one guess among the words of a language."""
        return 1 / self.words


@dataclass(frozen=True, eq=False)
class Proof:
    """What is shipped with a model: results of the presets by name, and what crosses experts and languages."""

    results: dict[str, ProbeResults]
    crossings: Crossings


_PROOF = TypeAdapter(Proof)


def cross(experts: tuple[str, ...], list_states: WordStates) -> Crossings:
    """Compare two experts, and three languages within each, on the whole word list."""
    rows = {
        language: [i for i, word in enumerate(list_states.words) if word.language == language] for language in CARRIERS
    }
    first, second = (list_states.states[e][:, rows["en"]] for e in (0, 1))
    alike = [[cka(a, b) for b in second] for a in first]
    found = [
        [[retrieval(layer[rows[one]], layer[rows[other]])[0] for layer in expert] for expert in list_states.states]
        for one, other in PAIRS
    ]
    return Crossings(experts, np.array(alike, np.float32), np.array(found, np.float32), len(rows["en"]))


@dataclass(frozen=True, eq=False)
class Apart:
    """How far two texts are apart in an expert's layers, 1 - cosine of standardised states: (E, L + 1),
    each at the end of the same sentences (`same`), and each in sentences of its own script (`own`)."""

    same: Floats
    own: Floats


def pair_apart(engine: Engine, scale: tuple[Floats, Floats], first: str, second: str) -> Apart:
    """Read two texts in carrier sentences and compare their states, on the scale of the word list: mean and
    deviation (E, L + 1, d) of its words in the same sentences.

    Raises:
        UserError: for a text in none of the three scripts.
    """
    own = (Word(first, language_of_word(first), ""), Word(second, language_of_word(second), ""))
    same = (own[0], Word(second, own[0].language, ""))
    mean, deviation = (part[:, :, None] for part in scale)

    def distances(words: tuple[Word, ...]) -> Floats:
        rows = unit((word_states(engine, words).states - mean) / deviation)  # (E, L + 1, 2, d)
        apart: Floats = 1 - (rows[:, :, 0] * rows[:, :, 1]).sum(axis=-1)
        return apart

    return Apart(distances(same), distances(own))


PROOF_SETS = tuple(
    kind + language for kind in ("kept_", "second_", "nouns_", "", "text_", "even_") for language in CARRIERS
)
"""Those that decided nothing come first."""


def proof_set(name: str) -> tuple[Word, ...]:
    """The words of a shipped set: the groups that were kept out of every decision; the second list; the nouns among
    the other groups; all of these, in carrier sentences or (`text`) in real ones; and their words of one length."""
    kind, _, language = name.rpartition("_")
    sets = {"kept": kept_out, "second": second, "nouns": nouns, "": preset, "text": preset, "even": even}
    return sets[kind](language)


def measure_proof(
    engine: Engine,
    carried: WordStates,
    list_states: WordStates,
    context: WordStates,
    controls: ControlStates | None = None,
) -> Proof:
    """Everything that is shipped, computed by the code that also answers a visitor's own words.  carried: both lists,
    read in carrier sentences; list_states and context: the first one in real sentences, and the tokens before its
    words."""
    results = {}
    for name in PROOF_SETS:
        words = proof_set(name)
        if name.startswith("text_"):
            rows = list_states.places(words)
            around = context.states[:, :, rows]
            results[name] = run_probes(
                engine, list_states.subset(words), controls=controls and controls.rows(rows), context=around
            )
        else:
            results[name] = run_probes(engine, carried.subset(words))
    return Proof(results, cross(engine.bundle.experts, list_states))


def proof_to_json(proof: Proof) -> str:
    """As it is shipped."""
    return _PROOF.dump_json(proof).decode()


def proof_from_json(text: str) -> Proof:
    """The reverse of `proof_to_json`.

    Raises:
        ValueError: when it is no record of a proof.
    """
    proof = _PROOF.validate_json(text)
    if missing := set(PROOF_SETS) - set(proof.results):
        raise ValueError(f"no {', '.join(sorted(missing))}")
    return proof
