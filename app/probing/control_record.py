"""What was measured on the controls, as shipped: `twins.json` of a checkpoint folder.

How the runs are made and measured: `app.training.controls`.
"""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from app.probing.word_list import list_code

CONTROLS_FILE = "twins.json"

Kind = Literal["frozen", "trained", "permuted", "random", "alone", "grown", "try"]

KINDS: tuple[Kind, ...] = ("frozen", "trained", "permuted", "random", "alone")

MERGES = {
    "alone": ("ru_alone", "zh_alone"),
    "some": ("ru_frozen", "zh_frozen"),
    "joint": ("joint",),
    "trained": ("ru_trained", "zh_trained"),
    "unshared": ("ru_frozen", "zh_permuted"),
    "random": ("ru_random", "zh_random"),
}
"""Runs whose logits are averaged.  alone: experts that never saw the other's script; some: with a little of
it; joint: the former, tuned together after the merge; trained: each with a trained table of its own that
began as the pictures; unshared: pictures beside permuted pictures, so that no token has one vector in both; random:
one table for both again, but of random vectors."""

LINES = 1_000
"""Held-out lines of each language that twins and merges are scored on, the first ones."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ControlRun:
    """One run as measured.

    expert: its name; tokens and minutes of its training; curve: pairs of tokens seen and training loss, nats
    a token.  bits[language]: held-out bits per character.  curves[language][measure]: by layer, the
    value and the ends of its 95 % interval, (L + 1, 3); empty where they were of another word list than the
    present one.  answer: what it wrote after `PROMPT`.  words: `list_code` of the list that it was measured on.
    """

    name: str
    expert: str
    kind: Kind
    layers: int
    tokens: int
    minutes: float
    mix: dict[str, float]
    curve: list[tuple[int, float]]
    bits: dict[str, float]
    curves: dict[str, dict[str, list[tuple[float, float, float]]]]
    answer: str
    words: str = ""


@dataclass(frozen=True)
class ControlRecord:
    """All runs, and `fusions[way][language][who]`: bits per character of the merges in `MERGES`.
    tries: short runs that a decision was made on, whose names say what they try.  prompt: what every run was
    asked."""

    runs: tuple[ControlRun, ...]
    fusions: dict[str, dict[str, dict[str, float]]]
    tries: tuple[ControlRun, ...]
    prompt: str


def beside(known: ControlRecord, new: ControlRecord) -> ControlRecord:
    """Two records as one; of runs and merges that are in both, the new ones.  Curves over another word list than
    the present one are left out: they cannot be compared."""

    def order(twin: ControlRun) -> tuple[bool, str, int, str]:
        place = KINDS.index(twin.kind) if twin.kind in KINDS else 0
        return twin.kind == "grown", twin.expert, place, twin.name

    def present(twin: ControlRun) -> ControlRun:
        return twin if twin.words == list_code() else replace(twin, curves={})

    runs, tries = (
        sorted({twin.name: present(twin) for twin in (*before, *after)}.values(), key=order)
        for before, after in ((known.runs, new.runs), (known.tries, new.tries))
    )
    fusions = known.fusions | new.fusions
    ordered = {way: fusions[way] for way in MERGES if way in fusions}
    return ControlRecord(tuple(runs), ordered, tuple(tries), new.prompt)


def read_control_record(folder: Path) -> ControlRecord | None:
    """The record of a checkpoint folder, None where there is none."""
    path = folder / CONTROLS_FILE
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        runs, tries = (tuple(map(control_run_from_plain, record[name])) for name in ("runs", "tries"))
        return ControlRecord(runs, record["fusions"], tries, record["prompt"])
    except (ValueError, KeyError, TypeError):
        log.warning("%s is damaged and is not shown", path.name)
        return None


def control_run_from_plain(record: dict[str, Any]) -> ControlRun:
    curves = {
        language: {measure: list(map(tuple, layers)) for measure, layers in row.items()}
        for language, row in record["curves"].items()
    }
    return ControlRun(**{**record, "curve": list(map(tuple, record["curve"])), "curves": curves})
