"""The proof panel: curves of meaning by layer with their controls, and what crosses experts and languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.charts import Chart, chart_picker
from viz.html import Say, Table, panel, sides


@dataclass(frozen=True, eq=False)
class CrossingRows:
    """alike (L + 1, L + 1): CKA, rows the first expert's layers, columns the second's.  pairs: names of
    language pairs P; found (P, E, L + 1): translation retrieval@1, 0..1, and its chance."""

    experts: tuple[str, ...]
    alike: NDArray[np.float32]
    pairs: tuple[str, ...]
    found: NDArray[np.float32]
    chance: float


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
    heads = "".join(f"<th scope='col'>{escape(crossed.experts[1])} {layer}</th>" for layer in range(last + 1))
    rows = "".join(
        f"<tr><th scope='row'>{escape(crossed.experts[0])} {layer}</th>"
        + "".join(f"<td style='--p:{max(float(value), 0):.3f}'>{say.number(float(value), 2)}</td>" for value in values)
        + "</tr>"
        for layer, values in enumerate(crossed.alike)
    )
    layers = "".join(f"<th scope='col'>{layer}</th>" for layer in range(last + 1))
    found = "".join(
        f"<tr class='gs-{side}'><th scope='row'>{escape(pair)}, {escape(expert)}</th>"
        + "".join(f"<td style='--p:{float(value):.3f}'>{say.number(100 * float(value), 1)}</td>" for value in values)
        + "</tr>"
        for pair, both in zip(crossed.pairs, crossed.found, strict=True)
        for expert, side, values in zip(crossed.experts, sides(len(both)), both, strict=True)
    )
    ends = (say.number(crossed.alike[at, at], 2) for at in (0, last))
    alike = escape(say("cka_says", **dict(zip(("first", "last"), ends, strict=True))))
    best, chance = (say.percent(share) for share in (float(crossed.found.max()), crossed.chance))
    return (
        f"<div class='gs-lenses'><div class='gs-ribbon gs-fused'><h3>{escape(say('cka_title'))}</h3>"
        f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p class='gs-note'>{alike}</p></div>"
        f"<div class='gs-ribbon'><h3>{escape(say('retrieval_title'))}</h3>"
        f"<table><thead><tr><th></th>{layers}</tr></thead><tbody>{found}</tbody></table>"
        f"<p class='gs-note'>{escape(say('retrieval_says', best=best, chance=chance))}</p></div></div>"
    )
