"""What was measured on the controls, as shipped: `controls.json` of a checkpoint folder.

How the runs are made and measured: `app.training.controls`.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from app.probing.word_list import list_code

CONTROLS_FILE = "controls.json"

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
"""Held-out lines of each language that controls and merges are scored on, the first ones."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ControlRun:
    """One run as measured."""

    name: str
    expert: str
    kind: Kind
    layers: int
    tokens: int
    """Of its training."""
    minutes: float
    mix: dict[str, float]
    """Share of each text stream."""
    curve: list[tuple[int, float]]
    """Tokens seen and training loss, nats a token."""
    bits: dict[str, float]
    """Held-out bits per character, by language."""
    curves: dict[str, dict[str, list[tuple[float, float, float]]]]
    """By language and measure, (L + 1, 3): by layer, the value and the ends of its 95 % interval; empty where they were
    of another word list than the present one."""
    answer: str
    """What it wrote after the prompt."""
    words: str = ""
    """`list_code` of the list that it was measured on."""


@dataclass(frozen=True)
class ControlRecord:
    """All that was measured on the controls of a model."""

    runs: tuple[ControlRun, ...]
    fusions: dict[str, dict[str, dict[str, float]]]
    """`fusions[way][language][who]`: bits per character of the merges in `MERGES`."""
    tries: tuple[ControlRun, ...]
    """Short runs that a decision was made on, whose names say what they try."""
    prompt: str
    """What every run was asked."""


RUN, _RECORD = TypeAdapter(ControlRun), TypeAdapter(ControlRecord)


def beside(known: ControlRecord, new: ControlRecord) -> ControlRecord:
    """Two records as one; of runs and merges that are in both, the new ones.  Curves over another word list than
    the present one are left out: they cannot be compared."""

    def order(run: ControlRun) -> tuple[bool, str, int, str]:
        place = KINDS.index(run.kind) if run.kind in KINDS else 0
        return run.kind == "grown", run.expert, place, run.name

    def present(run: ControlRun) -> ControlRun:
        return run if run.words == list_code() else replace(run, curves={})

    runs, tries = (
        sorted({run.name: present(run) for run in (*before, *after)}.values(), key=order)
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
        return _RECORD.validate_json(path.read_bytes())
    except ValueError:
        log.warning("%s is damaged and is not shown", path.name)
        return None


def save_control_record(folder: Path, record: ControlRecord) -> None:
    """Write the record of a checkpoint folder."""
    (folder / CONTROLS_FILE).write_bytes(_RECORD.dump_json(record))
