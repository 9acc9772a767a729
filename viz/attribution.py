"""Who adds what: a margin split into what the embedding and every attention and MLP add on the direct path."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides, token, visible

Moved = tuple[str, float]
"""A token's text, and by how many nats a part raises or lowers it against the mean token."""


@dataclass(frozen=True, eq=False)
class AttributionFigure:
    """texts (T,): the tokens, start token first.  answers: the two compared tokens.  names (P,): kind and block of each
    part, in the order in which they are added.  parts (E, P) in nats add up to margins (E,); shares (E, P), weighted,
    add up over all experts to the fusion's margin `fused`; None where the fusion is no weighted sum.  cancellation
    (E,): sum of the parts' sizes by the size of the margin.  promoted, suppressed [E][P]: tokens."""

    experts: tuple[str, ...]
    texts: tuple[str, ...]
    answers: tuple[str, str]
    names: tuple[tuple[str, int], ...]
    parts: NDArray[np.float64]
    margins: NDArray[np.float64]
    shares: NDArray[np.float64] | None
    fused: float
    cancellation: NDArray[np.float64]
    promoted: Sequence[Sequence[Sequence[Moved]]]
    suppressed: Sequence[Sequence[Sequence[Moved]]]


def attribution_panel(figure: AttributionFigure, say: Say) -> str:
    """One line a part: what it adds in each expert, and to the fusion."""
    classes = sides(len(figure.experts))
    reach = max(float(np.abs(figure.parts).max()), float(np.abs(figure.margins).max()), 1e-9)
    fused = None if figure.shares is None else figure.shares.sum(0)
    names = (*figure.experts, *(() if fused is None else (say("fused"),)))
    heads = "".join(f"<th scope='col'>{escape(say('attribute_adds', expert=name))}</th>" for name in names)
    rows = ""
    for p in range(len(figure.names)):
        cells = _bars(figure.parts[:, p], classes, reach, say)
        cells += "" if fused is None else _bars(fused[p : p + 1], ("fused",), reach, say)
        rows += f"<tr><th scope='row'>{_part(figure, p, say)}</th>{cells}</tr>"
    total = _bars(figure.margins, classes, reach, say)
    total += "" if fused is None else _bars(np.array([figure.fused]), ("fused",), reach, say)
    foot = f"<tr><th scope='row'>{escape(say('attribute_total'))}</th>{total}</tr>"
    text = "".join(token(text) for text in figure.texts[1:])
    body = (
        f"<p class='gs-attributed'>{text} → {token(figure.answers[0])} / {token(figure.answers[1])}</p>"
        f"<div class='gs-scroll gs-parts gs-adds' tabindex='0'><table><thead><tr>"
        f"<th scope='col'>{escape(say('attribute_part'))}</th>{heads}</tr></thead><tbody>{rows}</tbody>"
        f"<tfoot>{foot}</tfoot></table></div><p class='gs-note'>{escape(say('attribute_direct'))}</p>"
    )
    table = Table(
        {"expert": figure.experts, "part": [f"{kind} {layer}" for kind, layer in figure.names]},
        {"nats": figure.parts},
    )
    facts = {"experts": figure.experts, "answers": figure.answers, "margins": figure.margins, "fused": figure.fused}
    return panel(say, "attribution", body, attribution_summary(figure, say), facts, table)


def attribution_summary(figure: AttributionFigure, say: Say) -> str:
    """The largest part of each expert, and how much its parts cancel."""
    a, b = map(visible, figure.answers)
    said = []
    for name, parts, margin, factor in zip(
        figure.experts, figure.parts, figure.margins, figure.cancellation, strict=True
    ):
        largest = int(np.abs(parts).argmax())
        kind, layer = figure.names[largest]
        numbers = {"margin": say.signed(float(margin), 3), "most": say.signed(float(parts[largest]), 3)}
        part = part_name(kind, layer, say)
        said.append(say("attribute_expert", expert=name, part=part, factor=say.number(float(factor), 1), **numbers))
    count = len(figure.names)
    return say("attribute_summary", first=a, second=b, count=count, list="; ".join(said))


def part_name(kind: str, layer: int, say: Say) -> str:
    """How a part is called."""
    if kind == "attention":
        return say("attribute_attention", layer=layer)
    if kind == "mlp":
        return say("attribute_mlp", layer=layer)
    return say("attribute_embedding") if kind == "embedding" else say("attribute_constant")


def _bars(values: NDArray[np.float64], classes: Sequence[str], reach: float, say: Say) -> str:
    """A bar from zero and its number for each value, all on one scale."""
    return "".join(
        f"<td class='gs-{side}'><i class='{'gs-minus' if value < 0 else 'gs-plus'}' "
        f"style='--length:{abs(value) / reach:.3f}'></i>{say.signed(float(value), 3)}</td>"
        for value, side in zip(values, classes, strict=True)
    )


def _part(figure: AttributionFigure, part: int, say: Say) -> str:
    """The name of a part; unfolded, the tokens that it raises and lowers most in each expert."""
    lists = ""
    for name, up, down in zip(figure.experts, figure.promoted, figure.suppressed, strict=True):
        for code, tokens in (("attribute_raises", up[part]), ("attribute_lowers", down[part])):
            listed = " ".join(
                f"{token(text)}<span class='gs-number'>{say.signed(nats, 2)}</span>" for text, nats in tokens
            )
            lists += f"<dt>{escape(say(code, expert=name))}</dt><dd>{listed}</dd>"
    name = escape(part_name(*figure.names[part], say))
    return f"<details><summary>{name}</summary><dl class='gs-raised'>{lists}</dl></details>"
