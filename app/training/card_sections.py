"""Sections of a model card, Markdown: how to use the model, its held-out figures, translation, how it was made."""

from typing import Any

from app.checkpoint.published import FUSED, published_bleu
from app.training.run import OPTIONS, Recipe

Scores = dict[str, dict[str, float]]


def usage(home: str) -> str:
    """The published example on this folder.  home: path or hub id by which the folder is found."""
    return f"""## Use it

With transformers 5, from any place: the folder brings the model's code, which `trust_remote_code=True` runs.

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{home}", trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained("{home}")
inputs = tokenizer("Жила-была девочка", return_tensors="pt")
output = model.generate(**inputs, max_new_tokens=100, temperature=0.8, top_k=50, top_p=0.95, do_sample=True)
print(tokenizer.decode(output[0], skip_special_tokens=True))
```

`model(**inputs, output_expert_logits=True, output_hidden_states=True)` also gives each expert's logits and states.
"""


def held_out(training: dict[str, Any]) -> str:
    """Bits per character of each language, and of the story lines where there are any."""
    stories = training.get("bits_per_character_stories")
    return f"""## Held-out bits per character

{bits_table(training["bits_per_character"])}

Lower is better. Every fiftieth line, chosen by hash, was held out; each line is scored alone, after a start token;
characters outside the vocabulary are scored as the unknown token.
""" + (
        ""
        if not stories
        else f"\nHeld-out lines of connected prose, split and scored in the same way:\n\n{bits_table(stories)}\n"
    )


def translation(report: dict[str, Scores]) -> str:
    """BLEU and chrF by direction, beside what is published of the large model; empty without a record.

    report: `{direction: {who: {bleu, chrf, pairs}}}`.
    """
    if not report:
        return ""
    who = list(next(iter(report.values())))
    lines = [
        f"| | pairs | {' | '.join(who)} | {FUSED} (0.9B), published |",
        "|---" * (len(who) + 3) + "|",
    ]
    for direction, row in report.items():
        cells = [f"{row[name]['bleu']:.1f} / {row[name]['chrf']:.1f}" for name in who]
        other = published_bleu(direction)
        pairs = int(next(iter(row.values()))["pairs"])
        lines.append(
            f"| {direction} | {pairs:,} | {' | '.join(cells)} | {'–' if other is None else f'{other.percent:.1f}'} |"
        )
    table = "\n".join(lines)
    return f"""## Translation

Asked as `= I love my mother. = ru:` (`en:`, `ru:` or `zh:` names the target). BLEU / chrF by sacrebleu, higher is
better; greedy, one reference a sentence. No sentence of a test pair, case and punctuation aside, is in a training pair.

{table}

The last column is the BLEU on the published model's card, on its own test set. Our sentences are shorter and easier, so
the two do not compare model with model. A pair ru-zh is two sentences that translate one English sentence.
"""


def bits_table(report: Scores) -> str:
    columns = list(next(iter(report.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for language, row in report.items():
        lines.append(f"| {language} | " + " | ".join(f"{row[c]:.3f}" for c in columns) + " |")
    return "\n".join(lines)


def runs_table(experts: dict[str, Any]) -> str:
    """Tokens, minutes and mix of each expert's training, and which weights are means."""
    lines = ["| expert | tokens | minutes | language mix (from step) |", "|---|---|---|---|"]
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


def training_commands(training: dict[str, Any], home: str) -> str:
    """The commands that made the model, from its recipes.  home: the folder that it was bundled into."""
    lines = ["python -m app.training prepare --text TEXT"]
    for name, run in training["experts"].items():
        for recipe, following in zip(run["recipes"], [*run["recipes"][1:], None], strict=True):
            mix = ",".join(f"{language}={share}" for language, share in recipe["mix"].items())
            until = f"   # stopped at step {following['from_step']}" if following else ""
            lines.append(
                f"python -m app.training expert {name.lower()} --mix {mix} --tokens {recipe['tokens']}"
                f"{_chosen(recipe)}{until}"
            )
        if "mean_of" in run:
            named = " ".join(f"{name.lower()}_{step}" for step in run["mean_of"])
            lines.append(f"python -m app.training mean {name.lower()} --of {named}   # its checkpoints at these steps")
    names = [name.lower() for name in training["experts"]]
    experts = "" if names == ["ru", "zh"] else f" --experts {' '.join(names)}"
    lines.append(f"python -m app.training evaluate{experts}")
    if training.get("translation"):
        lines.append(f"python -m app.training translate{experts}")
    lines.append(f"python -m app.training bundle{experts} --to {home}")
    return "\n".join([*lines, *(f"python -m app.training {step} --to {home}" for step in ("twins", "words"))])


def _chosen(recipe: dict[str, Any]) -> str:
    """The options of a recipe that are not the defaults."""
    fields = [name for name in OPTIONS if name != "tokens"]
    others = [name for name in fields if recipe.get(name, getattr(Recipe, name)) != getattr(Recipe, name)]
    return "".join(f" --{name.replace('_', '-')} {recipe[name]}" for name in others)
