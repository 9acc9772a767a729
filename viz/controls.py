"""The twins panel: runs that differ in one thing, their figures, their merges, and what each writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from viz.charts import Chart, chart_picker
from viz.html import Say, Table, panel, visible


@dataclass(frozen=True)
class RunRow:
    """One run: the class of its expert's colour, what kind it is in words, tokens, minutes, bits per character
    by language, and what it wrote."""

    expert: str
    side: str
    kind: str
    tokens: int
    minutes: float
    bits: Mapping[str, float]
    answer: str


@dataclass(frozen=True)
class Merge:
    """One merge of two experts, in words; bits[language][who]: of each expert, and of the ways to fuse them."""

    name: str
    bits: Mapping[str, Mapping[str, float]]

    def cost(self, language: str, way: str) -> float:
        """Bits per character of a way to fuse against the better expert alone: 0.05 is 5 % more."""
        row = self.bits[language]
        return row[way] / min(list(row.values())[:2]) - 1


WAYS = {
    "mean of logits": "fusion_logits",
    "mean of probabilities": "fusion_probabilities",
    "gate by likelihood": "fusion_gate",
}
"""Ways to fuse two experts, and the codes of their names."""


def controls_panel(
    charts: Sequence[Chart],
    runs: Sequence[RunRow],
    merges: Sequence[Merge],
    prompt: str,
    budget: str,
    lines: int,
    summary: str,
    say: Say,
) -> str:
    """Charts, then the tables: runs, merges, answers to one prompt.  budget: how much text they saw, in
    words.  lines: held-out lines of a language that the figures are of."""
    languages, held = list(runs[0].bits), say("twins_held", lines=lines)
    body = (
        f"{chart_picker(charts, budget, say)}"
        f"<div class='gs-ribbon'><h3>{escape(held)}</h3>{_runs(runs, languages, say)}</div>"
        f"<div class='gs-ribbon'><h3>{escape(say('twins_merges'))}</h3>{_merges(merges, languages, say)}"
        f"<p class='gs-note'>{escape(say('twins_merges_note'))}</p></div>"
        f"<details class='gs-answers'><summary>{escape(say('twins_answers', prompt=prompt))}</summary>"
        f"{_answers(runs)}<p class='gs-note'>{escape(say('twins_answers_note'))}</p></details>"
    )
    table = Table(
        {"run": [f"{run.expert} {run.kind}" for run in runs], "language": languages},
        {"bits_per_character": [[run.bits[language] for language in languages] for run in runs]},
    )
    return panel(say, "twins", body, summary, {"merges": {m.name: m.bits for m in merges}}, table)


def _runs(runs: Sequence[RunRow], languages: Sequence[str], say: Say) -> str:
    heads = _heads([say("figures_tokens"), say("figures_minutes"), *(say("words_" + name) for name in languages)])
    rows = "".join(
        f"<tr class='gs-{run.side}'>{_name(f'{run.expert}: {run.kind}')}<td>{say.number(run.tokens)}</td>"
        f"<td>{say.number(run.minutes)}</td>"
        + "".join(f"<td>{say.number(run.bits[name], 3)}</td>" for name in languages)
        + "</tr>"
        for run in runs
    )
    return f"<table>{heads}<tbody>{rows}</tbody></table>"


def _merges(merges: Sequence[Merge], languages: Sequence[str], say: Say) -> str:
    columns = [f"{say('words_' + language)}, {say(code)}" for language in languages for code in WAYS.values()]
    rows = "".join(
        f"<tr>{_name(merge.name)}"
        + "".join(
            f"<td>{say.number(merge.bits[language][way], 3)} "
            f"<small>{say.change(merge.cost(language, way))}</small></td>"
            for language in languages
            for way in WAYS
        )
        + "</tr>"
        for merge in merges
    )
    return f"<table>{_heads(columns)}<tbody>{rows}</tbody></table>"


def _answers(runs: Sequence[RunRow]) -> str:
    rows = "".join(
        f"<tr class='gs-{run.side}'>{_name(f'{run.expert}: {run.kind}')}"
        f"<td><bdi>{escape(visible(run.answer).replace('␣', ' '))}</bdi></td></tr>"
        for run in runs
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _heads(names: Sequence[str]) -> str:
    return "<thead><tr><th></th>" + "".join(f"<th scope='col'>{escape(name)}</th>" for name in names) + "</tr></thead>"


def _name(text: str) -> str:
    return f"<th scope='row'>{escape(text)}</th>"
