"""The model card of a checkpoint folder, written from what training measured."""

from typing import Any

from app.expert import OPTIONS, Recipe
from app.model import Shape

WORDS = "python -m app.train words --to assets/mini"


def model_card(shape: Shape, training: dict[str, Any], kept: float, attribution: str) -> str:
    """Markdown with hub front matter: what the model is, held-out figures, how it was made, licences.

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
    return "\n".join(lines)


def _commands(experts: dict[str, Any]) -> str:
    lines = ["python -m app.train prepare --text TEXT"]
    for name, run in experts.items():
        for recipe, following in zip(run["recipes"], [*run["recipes"][1:], None], strict=True):
            mix = ",".join(f"{language}={share}" for language, share in recipe["mix"].items())
            until = f"   # stopped at step {following['from_step']}" if following else ""
            chosen = _chosen(recipe)
            lines.append(
                f"python -m app.train expert {name.lower()} --mix {mix} --tokens {recipe['tokens']}{chosen}{until}"
            )
    return "\n".join([*lines, "python -m app.train evaluate", "python -m app.train bundle --to assets/mini", WORDS])


def _chosen(recipe: dict[str, Any]) -> str:
    """The options of a recipe that are not the defaults."""
    fields = [name for name in OPTIONS if name != "tokens"]
    others = [name for name in fields if recipe.get(name, getattr(Recipe, name)) != getattr(Recipe, name)]
    return "".join(f" --{name.replace('_', '-')} {recipe[name]}" for name in others)
