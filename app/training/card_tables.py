"""Tables and commands of a model card, Markdown: what its template, `templates/model_card.md`, is filled in with."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.checkpoint.published import FUSED, published_bleu
from app.training.recipe import OPTIONS, Recipe

Scores = dict[str, dict[str, float]]


def translation_table(report: dict[str, Scores]) -> str:
    """BLEU and chrF by direction, beside what is published of the large model; empty without a record.

    report: `{direction: {who: {bleu, chrf, pairs}}}`.
    """
    if not report:
        return ""
    who = list(next(iter(report.values())))
    rows = []
    for direction, row in report.items():
        cells = [f"{row[name]['bleu']:.1f} / {row[name]['chrf']:.1f}" for name in who]
        other = published_bleu(direction)
        pairs = int(next(iter(row.values()))["pairs"])
        rows.append([direction, f"{pairs:,}", *cells, "–" if other is None else f"{other.percent:.1f}"])
    return table(["", "pairs", *who, f"{FUSED} (0.9B), published"], rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|---" * len(heads) + "|", *lines[1:]])


def bits_table(report: Scores | None) -> str:
    """Bits per character: a row a language, a column an expert and each way to fuse them; empty without a record."""
    if not report:
        return ""
    columns = list(next(iter(report.values())))
    rows = [[language, *(f"{row[c]:.3f}" for c in columns)] for language, row in report.items()]
    return table(["", *columns], rows)


def runs_table(experts: dict[str, Any], context: int) -> str:
    """Tokens, minutes and mix of each expert's training, and which weights are means.  context: tokens in a row."""
    rows = []
    for name, run in experts.items():
        mixes = "; ".join(
            f"{mix_of(recipe['mix'])} ({_tokens_before(recipe, context) / 1e6:.1f})" for recipe in run["recipes"]
        )
        rows.append([name, f"{run['tokens']:,}", f"{run['minutes']:.0f}", mixes])
    means = [
        f"The weights {which} are the {_mean_words(mean)}."
        for name, run in experts.items()
        for which, mean in _means(name, run, context)
    ]
    return "\n\n".join([table(["expert", "tokens", "minutes", "language mix (from million tokens)"], rows), *means])


def _means(name: str, run: dict[str, Any], context: int) -> list[tuple[str, dict[str, Any]]]:
    """Which weights of an expert are means, in words, and the record of each: those that a recipe began from, the
    last."""
    begun = [
        (f"that {name} went on from at {_tokens_before(recipe, context) / 1e6:.1f} million tokens", recipe)
        for recipe in run["recipes"]
        if "mean_of" in recipe
    ]
    return [*begun, (f"of {name}", run)] if "mean_of" in run else begun


def _mean_words(mean: dict[str, Any]) -> str:
    """What a mean is of.  mean: a record with the steps `mean_of`, and the `shares` of each where they differ."""
    steps = [f"{step:,}" for step in mean["mean_of"]]
    if "shares" not in mean:
        return f"plain mean of those at steps {' and '.join(steps)} (Izmailov et al. 2018, arXiv 1803.05407)"
    named = [f"{step} ({share:.0%})" for step, share in zip(steps, mean["shares"], strict=True)]
    return (
        f"weighted mean of those at steps {' and '.join(named)} (Wortsman et al. 2022, arXiv 2109.01903; a negative "
        "weight leads away from a checkpoint, Ilharco et al. 2023, arXiv 2212.04089)"
    )


def mix_of(mix: dict[str, float]) -> str:
    """Shares of text streams, in words."""
    return ", ".join(f"{language} {share:.0%}" for language, share in mix.items())


def training_commands(training: dict[str, Any], home: str, context: int) -> str:
    """The commands that made the model, from its recipes.  home: the folder that it was bundled into; context: tokens
    in a row of training text."""
    lines = ["python -m app.training prepare --text TEXT"]
    for name, run in training["experts"].items():
        for recipe, following in zip(run["recipes"], [*run["recipes"][1:], None], strict=True):
            mix = ",".join(f"{language}={share}" for language, share in recipe["mix"].items())
            if "mean_of" in recipe:
                lines.append(_mean_command(name, recipe))
            until = _stopped(recipe, following, context) if following else ""
            lines.append(
                f"python -m app.training expert {name.lower()} --mix {mix} --tokens {recipe['tokens']}"
                f"{_chosen(recipe)}{until}"
            )
        if "mean_of" in run:
            lines.append(_mean_command(name, run))
    names = [name.lower() for name in training["experts"]]
    experts = "" if names == ["ru", "zh"] else f" --experts {' '.join(names)}"
    lines.append(f"python -m app.training evaluate{experts}")
    if training.get("translation"):
        lines.append(f"python -m app.training translate{experts}")
    lines.append(f"python -m app.training bundle{experts} --to {home}")
    return "\n".join([*lines, *(f"python -m app.training {step} --to {home}" for step in ("controls", "words"))])


def _mean_command(name: str, mean: dict[str, Any]) -> str:
    named = " ".join(f"{name.lower()}_{step}" for step in mean["mean_of"])
    shares = f" --shares {' '.join(f'{share:g}' for share in mean['shares'])}" if "shares" in mean else ""
    return f"python -m app.training mean {name.lower()} --of {named}{shares}   # its checkpoints at these steps"


def _tokens_before(recipe: dict[str, Any], context: int) -> int:
    """Tokens read before a recipe began: it counts steps in batches of its own size."""
    return int(recipe["from_step"] * recipe.get("batch", Recipe.batch) * context)


def _stopped(recipe: dict[str, Any], following: dict[str, Any], context: int) -> str:
    """A comment where a recipe did not run to its end, but for the last rows that fill no batch."""
    reached = _tokens_before(following, context)
    whole = recipe["tokens"] - reached < recipe.get("batch", Recipe.batch) * context
    return "" if whole else f"   # stopped at {reached:,} tokens"


def _chosen(recipe: dict[str, Any]) -> str:
    """The options of a recipe that are not the defaults."""
    fields = [name for name in OPTIONS if name != "tokens"]
    others = [name for name in fields if recipe.get(name, getattr(Recipe, name)) != getattr(Recipe, name)]
    return "".join(f" --{name.replace('_', '-')} {recipe[name]}" for name in others)
