"""The controls panel: runs that differ in one thing, their figures, their merges, and what each writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viz.charts import Chart, chart_picker, curves_of
from viz.html import Say, Table, panel
from viz.templates import rendered
from viz.tokens import visible


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
    languages = list(runs[0].bits)
    body = rendered(
        "controls.html",
        say=say,
        charts=chart_picker(charts, budget, say),
        lines=lines,
        prompt=prompt,
        languages=[say("words_" + language) for language in languages],
        runs=[
            {
                "side": run.side,
                "name": f"{run.expert}: {run.kind}",
                "tokens": say.number(run.tokens),
                "minutes": say.number(run.minutes),
                "bits": [say.number(run.bits[language], 3) for language in languages],
                "answer": visible(run.answer).replace("␣", " "),
            }
            for run in runs
        ],
        columns=[f"{say('words_' + language)}, {say(code)}" for language in languages for code in WAYS.values()],
        merges=[
            (
                merge.name,
                [
                    (say.number(merge.bits[language][way], 3), say.change(merge.cost(language, way)))
                    for language in languages
                    for way in WAYS
                ],
            )
            for merge in merges
        ],
    )
    table = Table(
        {"run": [f"{run.expert} {run.kind}" for run in runs], "language": languages},
        {
            "bits_per_character": [[run.bits[language] for language in languages] for run in runs],
            "tokens": [[run.tokens] * len(languages) for run in runs],
            "minutes": [[run.minutes] * len(languages) for run in runs],
        },
    )
    facts = {"merges": {m.name: m.bits for m in merges}, "charts": {c.label: curves_of(c) for c in charts}}
    return panel(say, "controls", body, summary, facts, table)
