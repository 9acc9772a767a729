"""The figures panel: what was measured on held-out text, and what is published of the large models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from viz.html import SIDES, Say, panel


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
    heads = "".join(f"<th scope='col'>{escape(_fusion(name, say))}</th>" for name in names)
    rows = "".join(
        f"<tr><th scope='row'>{escape(say('words_' + language))}</th>"
        + "".join(_cell(row[name], row[name] == min(row.values()), say) for name in names)
        + "</tr>"
        for language, row in held.bits.items()
    )
    trained = "".join(
        f"<tr class='gs-{side}'><th scope='row'>{escape(name)}</th>"
        f"<td>{say.number(held.tokens[name])}</td><td>{say.number(held.minutes[name])}</td></tr>"
        for name, side in zip(held.tokens, SIDES, strict=False)
    )
    benchmarks = list(dict.fromkeys(name for row in published.values() for name in row))
    columns = "".join(f"<th scope='col'>{escape(name)}</th>" for name in benchmarks)
    known = "".join(
        f"<tr><th scope='row'>{escape(model)}</th>"
        + "".join(f"<td>{_points(row.get(name), say)}</td>" for name in benchmarks)
        + "</tr>"
        for model, row in published.items()
    )
    body = (
        f"<div class='gs-ribbons'><div class='gs-ribbon'><h3>{escape(say('figures_held'))}</h3>"
        f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"<div class='gs-ribbon'><h3>{escape(say('figures_training'))}</h3><table><thead><tr><th></th>"
        f"<th scope='col'>{escape(say('figures_tokens'))}</th>"
        f"<th scope='col'>{escape(say('figures_minutes'))}</th></tr></thead>"
        f"<tbody>{trained}</tbody></table></div></div>"
        f"{'' if translation is None else _translation(translation, tuple(held.tokens), say)}"
        f"<div class='gs-ribbon'><h3>{escape(say('figures_published'))}</h3>"
        f"<table><thead><tr><th></th>{columns}</tr></thead><tbody>{known}</tbody></table></div>"
        f"<p class='gs-note'>{escape(say('figures_chance'))}</p>"
    )
    facts: dict[str, Any] = {
        "bits_per_character": held.bits,
        "tokens": held.tokens,
        "minutes": held.minutes,
        "published": published,
    }
    if translation is not None:
        facts["translation"] = vars(translation)
    return panel(say, "figures", body, _summary(held, names, say), facts)


def _translation(translation: Translation, experts: Sequence[str], say: Say) -> str:
    """BLEU by direction, the best in bold, with what stands against comparing it with the published model."""
    scores = translation.scores
    names = list(next(iter(scores.values())))
    heads = "".join(f"<th scope='col'>{escape(_fusion(name, say))}</th>" for name in names)
    rows = ""
    for direction, row in scores.items():
        best = max(row[name]["bleu"] for name in names)
        cells = "".join(_cell(row[name]["bleu"], row[name]["bleu"] == best, say, digits=1) for name in names)
        rows += (
            f"<tr><th scope='row'>{escape(_direction(direction, say))}</th>{cells}"
            f"<td>{say.number(row[names[0]]['pairs'])}</td>"
            f"<td>{_points(translation.published.get(direction), say)}</td></tr>"
        )
    return (
        f"<div class='gs-ribbon'><h3>{escape(say('figures_translation'))}</h3><table><thead><tr><th></th>{heads}"
        f"<th scope='col'>{escape(say('figures_pairs'))}</th>"
        f"<th scope='col'>{escape(say('figures_translation_published', model=translation.model))}</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
        f"<p class='gs-note'>{escape(_against_better(scores, experts, say))} "
        f"{escape(say('figures_translation_note', model=translation.model))}</p>"
    )


def _against_better(scores: Mapping[str, Mapping[str, Mapping[str, float]]], experts: Sequence[str], say: Say) -> str:
    """BLEU points between the mean of logits and the better expert, direction by direction."""
    gaps = {
        direction: row["mean of logits"]["bleu"] - max(row[name]["bleu"] for name in experts)
        for direction, row in scores.items()
    }
    # A gap that rounds to nothing has no minus sign.
    parts = [f"{_direction(direction, say)} {say.signed(round(gap, 1) + 0.0, 1)}" for direction, gap in gaps.items()]
    return say("figures_translation_summary", list="; ".join(parts))


def _direction(direction: str, say: Say) -> str:
    source, target = direction.split("-")
    return f"{say('words_' + source)}\u00a0→\u00a0{say('words_' + target)}"  # in one line


def _fusion(name: str, say: Say) -> str:
    known = {
        "mean of logits": "fusion_logits",
        "mean of probabilities": "fusion_probabilities",
        "gate by likelihood": "fusion_gate",
    }
    return say(known[name]) if name in known else name


def _cell(value: float, best: bool, say: Say, digits: int = 3) -> str:
    return f"<td>{'<strong>' if best else ''}{say.number(value, digits)}{'</strong>' if best else ''}</td>"


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
    return say("figures_summary", list="; ".join(parts))
