"""The model card of a checkpoint folder, written from what training measured."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open

from app.checkpoint.bundle import MINI, shape_of, write_json
from app.checkpoint.checksums import write_checksums
from app.checkpoint.standalone import write_modelling_files
from app.network.interface import Shape
from app.probing.control_record import LINES, ControlRecord, ControlRun, read_control_record
from app.training.card_sections import held_out, runs_table, training_commands, translation, usage
from app.training.corpus import TextError

ATTRIBUTION = MINI.parent / "attribution.md"
"""Whose text the bundled model was trained on."""
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
    told = {"text": text.read_text(encoding="utf-8") if text else "", "licence": licence}
    given = {key: value for key, value in told.items() if value}
    if given:
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        write_json(folder / "training.json", {**training, "release": {**training.get("release", {}), **given}})


def release_of(folder: Path, told: dict[str, str]) -> Release:
    """The release of a folder.  The bundled one has our text and licence where its record says nothing else."""
    if folder.resolve() == MINI.resolve():
        text = told.get("text") or ATTRIBUTION.read_text(encoding="utf-8")
        return Release("assets/mini", text, told.get("licence", "apache-2.0"))
    return Release(
        folder.resolve().name,
        told.get("text", "Whose text it was trained on, and under which licence, was not recorded."),
        told.get("licence", ""),
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
    shape: Shape, training: dict[str, Any], kept: float, release: Release, twins: ControlRecord | None
) -> str:
    """Markdown with hub front matter: what the model is, held-out figures, how it was made, its twins, licences.

    training: what `training.json` holds; kept: share of the pictures' variance in the embedding.
    """
    sections = (
        _head(shape, training, kept, release.licence),
        usage(release.home),
        held_out(training),
        translation(training.get("translation", {})),
        _training(shape, training, release.home),
        "" if twins is None else _twins(twins),
        _licences(release),
    )
    return "\n".join(section for section in sections if section)


def _head(shape: Shape, training: dict[str, Any], kept: float, licence: str) -> str:
    names = list(training["experts"])
    able = "translates simple sentences, with many mistakes" if training.get("translation") else "does not translate"
    named = f"license: {licence}\n" if licence else ""
    return f"""---
{named}language: [{", ".join(training["bits_per_character"])}]
library_name: transformers
pipeline_tag: text-generation
tags: [frozen-embeddings, visual-embeddings, mixture-of-experts, interpretability]
---
# {" + ".join(names)} over one frozen picture table

A small language model by the recipe of Bochkov (2025, arXiv 2507.04886): every token is drawn with
GNU Unifont, the 32 x 32 pixels are compressed by PCA to {shape.width} numbers ({kept:.1%} of the pictures'
variance) and never trained. {shape.experts} experts of {shape.layers} layers x {shape.width}, {shape.heads} heads,
context {shape.context}, trained apart on that one table of {shape.vocabulary:,} tokens, are fused by the plain
mean of their logits. Nothing was trained after the merge.

It writes short, simple sentences and stories, and {able}. It knows no facts and is no assistant.
"""


def _training(shape: Shape, training: dict[str, Any], home: str) -> str:
    return f"""## Training

{runs_table(training["experts"])}

Muon for the blocks, AdamW for the heads, in bfloat16 where the processor computes in it, else in float32, rows of
{shape.context} tokens; the rates rise, stay, and fall to zero at the end of each expert's last run. `training.json`
holds every recipe and loss curve. Made by:

```
{training_commands(training, home)}
```
"""


def _licences(release: Release) -> str:
    released = f"The weights are released under {release.licence}. " if release.licence else ""
    return f"""## Text and licences

{release.text.strip()}

{released}The pictures are drawn with GNU Unifont (SIL Open Font License 1.1).
"""


def _twins(twins: ControlRecord) -> str:
    """Sections on the twins, their merges, and the short runs that decided something."""
    tries = "\n## What was tried in short runs\n\n" + _measured(twins.tries) if twins.tries else ""
    return f"""## Twins

Runs that differ in one thing (`app/training/controls.py`), made by
`python -m app.training expert ru_trained --embedding trained` and the like;
those called grown by `python -m app.training grow`. Bits per character on the first {LINES:,} held-out
lines of each language; purity of 5 neighbours at the best layer, the words read in held-out sentences where there
are any (–: measured on an earlier word list).

{_measured(twins.runs)}
Merges of two of them (`MERGES` in `app/probing/control_record.py`), bits per character on the same lines:

{_merges(twins)}{tries}"""


def _merges(twins: ControlRecord) -> str:
    first = next(iter(twins.fusions.values()), {})
    ways = [f"{language}, {way}" for language, row in first.items() for way in row]
    lines = ["| merge | " + " | ".join(ways) + " |", "|---" * (len(ways) + 1) + "|"]
    for way, fusion in twins.fusions.items():
        lines.append(
            f"| {way} | " + " | ".join(f"{bits:.3f}" for row in fusion.values() for bits in row.values()) + " |"
        )
    return "\n".join([*lines, ""])


def _measured(runs: tuple[ControlRun, ...]) -> str:
    languages = ("en", "ru", "zh")
    columns = [*(f"{name}, bits" for name in languages), *(f"{name}, purity" for name in languages)]
    lines = ["| run | tokens | minutes | mix | " + " | ".join(columns) + " |", "|---" * (len(columns) + 4) + "|"]
    for run in runs:
        mix = ", ".join(f"{name} {share:.0%}" for name, share in run.mix.items())
        best = [
            f"{max(value for value, _, _ in run.curves[name]['purity']):.3f}" if run.curves else "–"
            for name in languages
        ]
        figures = [*(f"{run.bits[name]:.3f}" for name in languages), *best]
        lines.append(f"| {run.name} | {run.tokens:,} | {run.minutes:.0f} | {mix} | " + " | ".join(figures) + " |")
    return "\n".join([*lines, ""])
