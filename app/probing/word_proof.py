"""What both experts make of the same words, of translations, and of look-alikes, layer by layer."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.engine import Engine
from app.probing.control_states import ControlStates
from app.probing.curves import Battery, from_plain, to_plain
from app.probing.measures import cka, retrieval
from app.probing.probe_suite import run_battery
from app.probing.word_list import CARRIERS, Word, even, kept_out, language_of_word, nouns, preset, second
from app.probing.word_states import WordStates, unit, word_states
from app.trace.record import Floats

PAIRS = (("en", "ru"), ("en", "zh"), ("ru", "zh"))


@dataclass(frozen=True, eq=False)
class Crossings:
    """alike (L + 1, L + 1): CKA of the first expert's layers (rows) with the second's (columns) on English
    words.  found (P, E, L + 1): translation retrieval@1 for each of `PAIRS`, by CSLS; chance: of one
    guess among the `words` of a language."""

    experts: tuple[str, ...]
    alike: Floats
    found: Floats
    words: int

    @property
    def chance(self) -> float:
        return 1 / self.words


@dataclass(frozen=True, eq=False)
class Proof:
    """What is shipped with a model: batteries of the presets by name, and what crosses experts and languages."""

    batteries: dict[str, Battery]
    crossings: Crossings


def cross(experts: tuple[str, ...], bank: WordStates) -> Crossings:
    """Compare two experts, and three languages within each, on the whole word list."""
    rows = {language: [i for i, word in enumerate(bank.words) if word.language == language] for language in CARRIERS}
    first, second = (bank.states[e][:, rows["en"]] for e in (0, 1))
    alike = [[cka(a, b) for b in second] for a in first]
    found = [
        [[retrieval(layer[rows[one]], layer[rows[other]])[0] for layer in expert] for expert in bank.states]
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
    """Words of a shipped battery: the groups that were kept out of every decision; the second list; the nouns among
    the other groups; all of these, in carrier sentences or (`text`) in real ones; and their words of one length."""
    kind, _, language = name.rpartition("_")
    sets = {"kept": kept_out, "second": second, "nouns": nouns, "": preset, "text": preset, "even": even}
    return sets[kind](language)


def prove(
    engine: Engine, carried: WordStates, bank: WordStates, context: WordStates, twins: ControlStates | None = None
) -> Proof:
    """Everything that is shipped, computed by the code that also answers a visitor's own words.  carried: both lists,
    read in carrier sentences; bank and context: the first one in real sentences, and the tokens before its words."""
    batteries = {}
    for name in PROOF_SETS:
        words = proof_set(name)
        if name.startswith("text_"):
            rows = bank.places(words)
            around = context.states[:, :, rows]
            batteries[name] = run_battery(engine, bank.subset(words), twins=twins and twins.rows(rows), context=around)
        else:
            batteries[name] = run_battery(engine, carried.subset(words))
    return Proof(batteries, cross(engine.bundle.experts, bank))


def plain_proof(proof: Proof) -> dict[str, Any]:
    """As JSON takes it."""
    crossings = proof.crossings
    return {
        "batteries": {name: to_plain(battery) for name, battery in proof.batteries.items()},
        "alike": np.round(crossings.alike.astype(float), 5).tolist(),
        "found": np.round(crossings.found.astype(float), 5).tolist(),
        "words": crossings.words,
        "experts": list(crossings.experts),
    }


def read_proof(record: dict[str, Any]) -> Proof:
    """The reverse of `plain_proof`."""
    alike, found = (np.array(record[name], np.float32) for name in ("alike", "found"))
    crossings = Crossings(tuple(record["experts"]), alike, found, record["words"])
    return Proof({name: from_plain(record["batteries"][name]) for name in PROOF_SETS}, crossings)
