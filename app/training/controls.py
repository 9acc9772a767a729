"""Controls of the experts: what each claim about the frozen pictures is tested against.

A control is trained on the same rows from the same seed, at the same budget, and differs in one thing: its
table is trained along, its tokens got each other's pictures, it starts from random vectors, its expert
never saw the other's script, or it was grown layer by layer.  Their weights are not shipped: `controls.json`
of a checkpoint folder holds what was measured on them, and `controls.safetensors` the states of the word list
in the controls that the proof draws beside the experts.

Runs named `…_try_…` are no controls: short ones that a decision about training was made on.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.checkpoint.bundle import Bundle
from app.engine.engine import Engine
from app.engine.examples import EXAMPLES
from app.engine.sampling import Sampling
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.probing.contexts import Readings, held_out_contexts
from app.probing.control_record import (
    KINDS,
    LINES,
    MERGES,
    RUN,
    ControlRecord,
    ControlRun,
    Kind,
    beside,
    read_control_record,
    save_control_record,
)
from app.probing.control_states import STATES_FILE, ControlStates, write_control_states
from app.probing.probe_suite import run_probes, untrained_engine
from app.probing.word_list import all_words, list_code, preset
from app.probing.word_states import word_states
from app.training.checkpoints import read_checkpoint, read_curve
from app.training.evaluate import evaluate, load_network
from app.wording.catalogue import LANGUAGES

SHOWN = ("purity", "auc")

_ANSWER = Sampling(new_tokens=32, seed=1)


def run_names(work: Path) -> list[tuple[str, Kind]]:
    """The runs of a work folder that are controls, with their kind."""
    names = [(f"{expert}_{kind}", kind) for expert in ("ru", "zh") for kind in KINDS]
    grown: list[tuple[str, Kind]] = [
        (path.stem, "grown") for path in sorted(work.glob("??_grown[0-9].pt"), key=lambda path: path.stem)
    ]
    return [(name, kind) for name, kind in names if (work / f"{name}.pt").exists()] + grown


def tried_names(work: Path) -> list[tuple[str, Kind]]:
    """The short runs of a work folder that a decision was made on."""
    return [(path.stem, "try") for path in sorted(work.glob("??_try_*.pt"))]


def load_run(work: Path, name: str) -> tuple[StackedExperts, dict[str, Any]]:
    """A run's network, and the rest of its checkpoint."""
    state = read_checkpoint(work, name)
    return load_network(state["model"], Shape(**state["shape"])), state


def measure_run(work: Path, bundle: Bundle, name: str, kind: Kind, readings: Readings) -> ControlRun:
    """Measure one run, or read what was measured of it at the same step and on the same words.  readings: what the
    words are read in."""
    model, state = load_run(work, name)
    kept, code = work / f"{name}.measured.json", list_code()
    if kept.exists():
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["step"] == state["step"] and known.get("run", {}).get("words") == code:
            return replace(RUN.validate_python(known["run"]), kind=kind)
    recipe, engine = state["recipes"][-1], Engine(replace(bundle, model=model, experts=(name,)))
    run = ControlRun(
        name,
        name[:2].upper(),
        kind,
        model.shape.layers,
        state["step"] * recipe["batch"] * model.shape.context,
        round(state["seconds"] / 60, 1),
        recipe["mix"],
        [(int(line["tokens"]), line["loss"]) for line in read_curve(work / f"{name}.curve.jsonl")],
        {language: row[name] for language, row in evaluate(work, [model], [name], LINES).items()},
        {language: probe(engine, language, readings) for language in LANGUAGES},
        answer(engine),
        code,
    )
    kept.write_text(json.dumps({"step": state["step"], "run": asdict(run)}), encoding="utf-8")
    return run


def probe(engine: Engine, language: str, readings: Readings) -> dict[str, list[tuple[float, float, float]]]:
    """The shown measures of a one-expert engine on a language's preset words, by layer."""
    results = run_probes(engine, word_states(engine, preset(language), readings=readings))
    return {
        name: [
            (round(float(v), 5), round(float(low), 5), round(float(high), 5))
            for v, low, high in zip(curve.values[0], curve.low[0], curve.high[0], strict=True)
        ]
        for name, curve in results.curves.items()
        if name in SHOWN
    }


def answer(engine: Engine) -> str:
    """What an engine writes after the prompt of the opening example."""
    return "".join(step.text for step in engine.generate(EXAMPLES[0].prompt, _ANSWER) if step.id is not None)


def measure_fusion(work: Path, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Bits per character by language: the experts RU and ZH, and every way to fuse them."""
    models = [load_run(work, name)[0] for name in names]
    return evaluate(work, models, ["RU", "ZH"], LINES)


def trained_names(work: Path, bundle: Bundle) -> list[str]:
    """The runs with a trained table, one for each expert; none if one is missing."""
    names = [f"{expert.lower()}_trained" for expert in bundle.experts]
    return names if all((work / f"{name}.pt").exists() for name in names) else []


def measure_control_states(work: Path, bundle: Bundle, readings: Readings) -> ControlStates:
    """The word list as an untrained network and, where there is one for each expert, controls with a trained
    table see it."""
    words = all_words()
    engine = Engine(bundle)
    untrained = word_states(untrained_engine(engine), words, readings=readings).states
    names = trained_names(work, bundle)
    if not names:
        return ControlStates(untrained[0], untrained[:0])
    controls = [Engine(replace(bundle, model=load_run(work, name)[0], experts=(name,))) for name in names]
    return ControlStates(
        untrained[0], np.concatenate([word_states(e, words, readings=readings).states for e in controls])
    )


def write_control_record(folder: Path, work: Path, bundle: Bundle) -> ControlRecord:
    """Measure every run of a work folder; write and return the record, and write the states for the proof.  What the
    checkpoint folder records of runs that the work folder lacks is kept."""
    known = read_control_record(folder)
    readings = held_out_contexts(work, all_words(), bundle.tokenizer)
    runs, tries = (
        tuple(measure_run(work, bundle, name, kind, readings) for name, kind in names)
        for names in (run_names(work), tried_names(work))
    )
    fusions = {
        way: measure_fusion(work, names)
        for way, names in MERGES.items()
        if all((work / f"{name}.pt").exists() for name in names)
    }
    controls = ControlRecord(runs, fusions, tries, EXAMPLES[0].prompt)
    controls = controls if known is None else beside(known, controls)
    save_control_record(folder, controls)
    if trained_names(work, bundle) or not (folder / STATES_FILE).exists():
        write_control_states(folder, measure_control_states(work, bundle, readings))
    return controls
