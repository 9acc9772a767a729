"""The figures panel: what was measured on held-out text, and what is published of the large models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viz.controls import WAYS
from viz.html import SIDES, Say, Table, panel
from viz.templates import rendered


@dataclass(frozen=True)
class HeldOut:
    """bits[language][who]: bits per character on held-out lines, of each expert and then of the ways to
    fuse them.  tokens and minutes of training, by expert."""

    bits: Mapping[str, Mapping[str, float]]
    tokens: Mapping[str, int]
    minutes: Mapping[str, float]


@dataclass(frozen=True)
class Translation:
    """scores[direction][who]: `bleu` and `chrf`, 0 to 100, on so many `pairs` kept out of training, of each expert and
    of the ways to fuse them; direction: `en-ru`.  published[direction]: BLEU of the published `model` on its own test
    set, and half its 95 % interval, if there is one."""

    scores: Mapping[str, Mapping[str, Mapping[str, float]]]
    model: str
    published: Mapping[str, tuple[float, float | None]]


def figures_panel(
    held: HeldOut,
    published: Mapping[str, Mapping[str, tuple[float, float | None]]],
    translation: Translation | None,
    say: Say,
) -> str:
    """Tables.  published[model][benchmark]: per cent and half its 95 % interval, if there is one."""
    names = list(next(iter(held.bits.values())))
    benchmarks = list(dict.fromkeys(name for row in published.values() for name in row))
    body = rendered(
        "figures.html",
        say=say,
        ways=[_fusion(name, say) for name in names],
        held=[(say("words_" + language), _cells(row, names, say, 3)) for language, row in held.bits.items()],
        trained=[
            (name, side, say.number(held.tokens[name]), say.number(held.minutes[name]))
            for name, side in zip(held.tokens, SIDES, strict=False)
        ],
        translation=None if translation is None else _translation(translation, tuple(held.tokens), say),
        benchmarks=benchmarks,
        published=[(model, [_points(row.get(name), say) for name in benchmarks]) for model, row in published.items()],
    )
    facts: dict[str, Any] = {
        "bits_per_character": held.bits,
        "tokens": held.tokens,
        "minutes": held.minutes,
        "published": published,
    }
    if translation is not None:
        facts["translation"] = vars(translation)
    return panel(say, "figures", body, _summary(held, names, say), facts, _table(held, translation))


def _table(held: HeldOut, translation: Translation | None) -> Table:
    """What was measured on this model: one row for each figure and each way to fuse the experts."""
    rows = {(f"bits_per_character {language}", "bits"): dict(row) for language, row in held.bits.items()}
    for direction, row in () if translation is None else translation.scores.items():
        for score in ("bleu", "chrf"):
            rows[f"{score} {direction}", "0 to 100"] = {who: found[score] for who, found in row.items()}
    sources = list(dict.fromkeys(name for row in rows.values() for name in row))
    values = [[row.get(name) for name in sources] for row in rows.values()]
    units = [[unit] * len(sources) for _, unit in rows]
    return Table({"figure": [name for name, _ in rows], "source": sources}, {"value": values, "unit": units})


def _translation(translation: Translation, experts: Sequence[str], say: Say) -> dict[str, Any]:
    """BLEU by direction, the best in bold, with what stands against comparing it with the published model."""
    scores = translation.scores
    names = list(next(iter(scores.values())))
    return {
        "model": translation.model,
        "ways": [_fusion(name, say) for name in names],
        "rows": [
            (
                _direction(direction, say),
                _cells({name: row[name]["bleu"] for name in names}, names, say, 1, max),
                say.number(row[names[0]]["pairs"]),
                _points(translation.published.get(direction), say),
            )
            for direction, row in scores.items()
        ],
        "gaps": _against_better(scores, experts, say),
    }


def _against_better(scores: Mapping[str, Mapping[str, Mapping[str, float]]], experts: Sequence[str], say: Say) -> str:
    """BLEU points between the mean of logits and the better expert, direction by direction."""
    gaps = {
        direction: row["mean of logits"]["bleu"] - max(row[name]["bleu"] for name in experts)
        for direction, row in scores.items()
    }
    # A gap that rounds to nothing has no minus sign.
    parts = [f"{_direction(direction, say)} {say.signed(round(gap, 1) + 0.0, 1)}" for direction, gap in gaps.items()]
    return say("figures_translation_summary", list=say.clauses(parts))


def _direction(direction: str, say: Say) -> str:
    source, target = direction.split("-")
    return f"{say('words_' + source)}\u00a0→\u00a0{say('words_' + target)}"  # in one line


def _fusion(name: str, say: Say) -> str:
    return say(WAYS[name]) if name in WAYS else name


def _cells(
    row: Mapping[str, float], names: Sequence[str], say: Say, digits: int, best: Callable[..., float] = min
) -> list[tuple[str, bool]]:
    """The numbers of a row, each with whether it is the best one."""
    return [(say.number(row[name], digits), row[name] == best(row.values())) for name in names]


def _points(found: tuple[float, float | None] | None, say: Say) -> str:
    if found is None:
        return "–"
    percent, interval = found
    return say.number(percent, 1) + ("" if interval is None else f" ± {say.number(interval, 1)}")


def _summary(held: HeldOut, names: list[str], say: Say) -> str:
    """How far the published fusion is from the better expert, language by language."""
    experts = names[:2]
    parts = [
        f"{say('words_' + language)} {say.change(row['mean of logits'] / min(row[name] for name in experts) - 1)}"
        for language, row in held.bits.items()
    ]
    return say("figures_summary", list=say.clauses(parts))
