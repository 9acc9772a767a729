"""The model card of a checkpoint folder, written from what training measured."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from safetensors import safe_open

from app.checkpoint.bundle import MINI, shape_of, write_json
from app.checkpoint.checksums import write_checksums
from app.checkpoint.standalone import write_modelling_files
from app.network.interface import Shape
from app.probing.control_record import LINES, ControlRecord, ControlRun, read_control_record
from app.training.card_tables import bits_table, mix_of, runs_table, table, training_commands, translation_table
from app.training.corpus import TextError

ATTRIBUTION = MINI.parent / "attribution.md"
"""Whose text the bundled model was trained on."""
TEMPLATES = Path(__file__).with_name("templates")
_LANGUAGES = ("en", "ru", "zh")
_RECORDS = ("config.json", "training.json", "substrate.safetensors")


@dataclass(frozen=True)
class Release:
    """What no measurement says.  home: path or hub id by which the folder is found.  text: whose text it was trained
    on, Markdown.  licence: of the weights, as a model hub writes it; empty: none was given."""

    home: str
    text: str
    licence: str


def describe(folder: Path, text: Path | None, licence: str) -> None:
    """Keep what a card is to say of text (a Markdown file) and licence in the folder's training.json; of neither, if
    nothing is given.

    Raises:
        TextError: when one of the files is not there.
    """
    if missing := [name for name in _RECORDS if not (folder / name).is_file()]:
        raise TextError(f"{folder.name} is no checkpoint folder: it lacks {', '.join(missing)}.")
    if text and not text.is_file():
        raise TextError(f"{text.name} is no file: name a Markdown file that says whose text it was.")
    stated = {"text": text.read_text(encoding="utf-8") if text else "", "licence": licence}
    given = {key: value for key, value in stated.items() if value}
    if given:
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        write_json(folder / "training.json", {**training, "release": {**training.get("release", {}), **given}})


def release_of(folder: Path, stated: dict[str, str]) -> Release:
    """The release of a folder.  The bundled one has our text and licence where its record says nothing else."""
    if folder.resolve() == MINI.resolve():
        text = stated.get("text") or ATTRIBUTION.read_text(encoding="utf-8")
        return Release("assets/mini", text, stated.get("licence", "apache-2.0"))
    return Release(
        folder.resolve().name,
        stated.get("text", "Whose text it was trained on, and under which licence, was not recorded."),
        stated.get("licence", ""),
    )


def write_card(folder: Path) -> None:
    """Write what stands beside a folder's weights: the modelling files with their entry in config.json, the README.md
    from its records, and the checksums of all."""
    write_modelling_files(folder)
    config, training = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("config.json", "training.json")
    )
    with safe_open(folder / "substrate.safetensors", "numpy") as file:
        kept = float(file.metadata()["kept"])
    release = release_of(folder, training.get("release", {}))
    card = model_card(shape_of(config), training, kept, release, read_control_record(folder))
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_checksums(folder)


def model_card(
    shape: Shape, training: dict[str, Any], kept: float, release: Release, controls: ControlRecord | None
) -> str:
    """Markdown with hub front matter: what the model is, held-out figures, how it was made, its controls, licences.

    training: what `training.json` holds; kept: share of the pictures' variance in the embedding.
    """
    templates = Environment(  # no escaping: this is Markdown, and the folder's owner wrote what it is filled in with
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return templates.get_template("model_card.md").render(
        shape=shape,
        release=release,
        kept=f"{kept:.1%}",
        vocabulary=f"{shape.vocabulary:,}",
        experts=list(training["experts"]),
        languages=list(training["bits_per_character"]),
        held_out=bits_table(training["bits_per_character"]),
        stories=bits_table(training.get("bits_per_character_stories")),
        translation=translation_table(training.get("translation", {})),
        runs=runs_table(training["experts"], shape.context),
        commands=training_commands(training, release.home, shape.context),
        lines=f"{LINES:,}",
        controls=controls and _measured(controls.runs),
        merges=controls and _merges(controls),
        tries=controls and controls.tries and _measured(controls.tries),
    )


def _merges(controls: ControlRecord) -> str:
    first = next(iter(controls.fusions.values()), {})
    ways = [f"{language}, {way}" for language, row in first.items() for way in row]
    rows = [
        [way, *(f"{bits:.3f}" for row in fusion.values() for bits in row.values())]
        for way, fusion in controls.fusions.items()
    ]
    return table(["merge", *ways], rows)


def _measured(runs: tuple[ControlRun, ...]) -> str:
    rows = []
    for run in runs:
        best = [
            f"{max(value for value, _, _ in run.curves[name]['purity']):.3f}" if run.curves else "–"
            for name in _LANGUAGES
        ]
        bits = [f"{run.bits[name]:.3f}" for name in _LANGUAGES]
        rows.append([run.name, f"{run.tokens:,}", f"{run.minutes:.0f}", mix_of(run.mix), *bits, *best])
    figures = [f"{name}, {figure}" for figure in ("bits", "purity") for name in _LANGUAGES]
    return table(["run", "tokens", "minutes", "mix", *figures], rows)
