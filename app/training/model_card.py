"""The model card of a checkpoint folder, written from what training measured."""

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open

from app.checkpoint.bundle import shape_of
from app.checkpoint.checksums import write_checksums
from app.network.interface import Shape
from app.probing.control_record import LINES, ControlRecord, ControlRun, read_control_record
from app.training.run import OPTIONS, Recipe

LAST = """python -m app.training evaluate
python -m app.training bundle --to assets/mini
python -m app.training twins --to assets/mini
python -m app.training words --to assets/mini"""


def write_card(folder: Path, attribution: Path) -> None:
    """Write the README.md of a checkpoint folder from its records, and its checksums.  attribution: whose text
    it was, Markdown."""
    config, training = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("config.json", "training.json")
    )
    with safe_open(folder / "substrate.safetensors", "numpy") as file:
        kept = float(file.metadata()["kept"])
    text = attribution.read_text(encoding="utf-8")
    card = model_card(shape_of(config), training, kept, text, read_control_record(folder))
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_checksums(folder)


def model_card(
    shape: Shape, training: dict[str, Any], kept: float, attribution: str, twins: ControlRecord | None
) -> str:
    """Markdown with hub front matter: what the model is, held-out figures, how it was made, its twins, licences.

    training: what `training.json` holds; kept: share of the pictures' variance in the embedding.
    """
    names = list(training["experts"])
    return f"""---
license: apache-2.0
language: [en, ru, zh]
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

It writes short, simple sentences and stories. It knows no facts, does not translate, and is no assistant.

## Held-out bits per character

{_table(training["bits_per_character"])}

Lower is better. Every fiftieth line, chosen by hash, was held out; each line is scored alone, after a start token;
characters outside the vocabulary are scored as the unknown token.

## Training

{_runs(training["experts"])}

Muon for the blocks, AdamW for the heads, in bfloat16 where the processor computes in it, else in float32, rows of
{shape.context} tokens; the rates rise, stay, and fall to zero at the end of each expert's last run. `training.json`
holds every recipe and loss curve. Made by:

```
{_commands(training["experts"])}
```
{"" if twins is None else _twins(twins)}
## Text and licences

{attribution.strip()}

The weights are released under Apache-2.0. The pictures are drawn with GNU Unifont (SIL Open Font License 1.1).
"""


def _table(report: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(report.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for language, row in report.items():
        lines.append(f"| {language} | " + " | ".join(f"{row[c]:.3f}" for c in columns) + " |")
    return "\n".join(lines)


def _runs(experts: dict[str, Any]) -> str:
    lines = ["| expert | tokens | minutes on one core | language mix (from step) |", "|---|---|---|---|"]
    for name, run in experts.items():
        mixes = "; ".join(
            ", ".join(f"{language} {share:.0%}" for language, share in recipe["mix"].items())
            + f" ({recipe['from_step']})"
            for recipe in run["recipes"]
        )
        lines.append(f"| {name} | {run['tokens']:,} | {run['minutes']:.0f} | {mixes} |")
    means = [
        f"The weights of {name} are the plain mean of those at steps {' and '.join(f'{s:,}' for s in run['mean_of'])} "
        "(Izmailov et al. 2018, arXiv 1803.05407)."
        for name, run in experts.items()
        if "mean_of" in run
    ]
    return "\n".join(lines) + "".join(f"\n\n{mean}" for mean in means)


def _commands(experts: dict[str, Any]) -> str:
    lines = ["python -m app.training prepare --text TEXT"]
    for name, run in experts.items():
        for recipe, following in zip(run["recipes"], [*run["recipes"][1:], None], strict=True):
            mix = ",".join(f"{language}={share}" for language, share in recipe["mix"].items())
            until = f"   # stopped at step {following['from_step']}" if following else ""
            chosen = _chosen(recipe)
            lines.append(
                f"python -m app.training expert {name.lower()} --mix {mix} --tokens {recipe['tokens']}{chosen}{until}"
            )
        if "mean_of" in run:
            named = " ".join(f"{name.lower()}_{step}" for step in run["mean_of"])
            lines.append(f"python -m app.training mean {name.lower()} --of {named}   # its checkpoints at these steps")
    return "\n".join([*lines, LAST])


def _twins(twins: ControlRecord) -> str:
    """Sections on the twins, their merges, and the short runs that decided something."""
    tries = "\n## What was tried in short runs\n\n" + _measured(twins.tries) if twins.tries else ""
    return f"""
## Twins

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


def _chosen(recipe: dict[str, Any]) -> str:
    """The options of a recipe that are not the defaults."""
    fields = [name for name in OPTIONS if name != "tokens"]
    others = [name for name in fields if recipe.get(name, getattr(Recipe, name)) != getattr(Recipe, name)]
    return "".join(f" --{name.replace('_', '-')} {recipe[name]}" for name in others)
