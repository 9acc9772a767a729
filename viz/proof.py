"""The proof panel: curves of meaning by layer with their controls, and what crosses experts and languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.charts import Chart, chart_picker
from viz.html import Say, Table, panel, sides
from viz.templates import rendered


@dataclass(frozen=True, eq=False)
class CrossingRows:
    """What crosses experts and languages."""

    experts: tuple[str, ...]
    alike: NDArray[np.float32]
    """(L + 1, L + 1): CKA, rows the first expert's layers, columns the second's."""
    pairs: tuple[str, ...]
    """Names of P language pairs."""
    found: NDArray[np.float32]
    """(P, E, L + 1): translation retrieval@1, 0..1."""
    chance: float
    """What retrieval@1 is by chance."""
    paired: float
    """Largest share of sentences with their translations in what an expert was trained on, 0..1."""


def proof_panel(
    charts: Sequence[Chart], table: Table, crossed: CrossingRows | None, subject: str, note: str, say: Say
) -> str:
    """One chart at a time, chosen in the page; its sentence under it.  subject: which words it is about; note: what
    to know of the groups, or nothing."""
    tables = "" if crossed is None else _crossed(crossed, say)
    noted = f"<p class='gs-note'>{escape(note)}</p>" if note else ""
    body = chart_picker(charts, subject, say) + noted + tables
    return panel(say, "proof", body, say("proof_summary"), {"words": subject}, table)


def _crossed(crossed: CrossingRows, say: Say) -> str:
    last = len(crossed.alike) - 1
    ends = (say.number(crossed.alike[at, at], 2) for at in (0, last))
    best, chance = (say.percent(share) for share in (float(crossed.found.max()), crossed.chance))
    says = say("retrieval_says", best=best, chance=chance)
    if crossed.paired:
        says = say.sentences((says, say("retrieval_paired", share=say.percent(crossed.paired))))
    return rendered(
        "crossings.html",
        say=say,
        first=crossed.experts[0],
        second=crossed.experts[1],
        layers=range(last + 1),
        alike=[
            [{"share": f"{max(float(value), 0):.3f}", "number": say.number(float(value), 2)} for value in values]
            for values in crossed.alike
        ],
        alike_says=say("cka_says", **dict(zip(("first", "last"), ends, strict=True))),
        retrieval=[
            (
                f"{pair}, {expert}",
                side,
                [{"share": f"{float(v):.3f}", "number": say.number(100 * float(v), 1)} for v in values],
            )
            for pair, both in zip(crossed.pairs, crossed.found, strict=True)
            for expert, side, values in zip(crossed.experts, sides(len(both)), both, strict=True)
        ],
        retrieval_says=says,
    )
