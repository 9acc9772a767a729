"""Who adds what: a margin split into what the embedding and every attention and MLP add on the direct path."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viz.answers import AnswerRow, answer_rows
from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import token, visible

Moved = tuple[str, float]
"""A token's text, and by how many nats a part raises or lowers it against the mean token."""


@dataclass(frozen=True, eq=False)
class AttributionFigure:
    """texts (T,): the tokens, start token first; position: after which of them.  answers: the two compared tokens.
    names (P,): kind and block of each part, in the order in which they are added.  parts (E, P) in nats add up to
    margins (E,); shares (E, P), weighted, add up over all experts to the fusion's margin `fused`; None where the
    fusion is no weighted sum.  cancellation (E,): sum of the parts' sizes by the size of the margin.  promoted,
    suppressed [E][P]: tokens.  rows: what the answers can be chosen from."""

    experts: tuple[str, ...]
    texts: tuple[str, ...]
    position: int
    answers: tuple[str, str]
    names: tuple[tuple[str, int], ...]
    parts: NDArray[np.float64]
    margins: NDArray[np.float64]
    shares: NDArray[np.float64] | None
    fused: float
    cancellation: NDArray[np.float64]
    promoted: Sequence[Sequence[Sequence[Moved]]]
    suppressed: Sequence[Sequence[Sequence[Moved]]]
    rows: tuple[AnswerRow, ...] = ()


def attribution_panel(figure: AttributionFigure, say: Say) -> str:
    """One line a part: what it adds in each expert, and to the fusion."""
    classes = sides(len(figure.experts))
    reach = max(float(np.abs(figure.parts).max()), float(np.abs(figure.margins).max()), 1e-9)
    values, names = np.concatenate([figure.parts, figure.margins[:, None]], 1), figure.experts
    if figure.shares is not None:
        values = np.vstack([values, [*figure.shares.sum(0), figure.fused]])
        classes, names = (*classes, "fused"), (*names, say("fused"))
    lines = [_line(of_part, classes, reach, say) for of_part in values.T.tolist()]
    body = rendered(
        "attribution.html",
        figure=figure,
        say=say,
        answers=answer_rows(figure.rows, say),
        columns=[say("attribute_adds", expert=name) for name in names],
        parts=[
            (part_name(kind, layer, say), _moved(figure, p, say), lines[p])
            for p, (kind, layer) in enumerate(figure.names)
        ],
        total=lines[-1],
    )
    table = Table(
        {"expert": figure.experts, "part": [f"{kind} {layer}" for kind, layer in figure.names]},
        {"nats": figure.parts},
    )
    facts = {
        "text": "".join(figure.texts[1:]),
        "experts": figure.experts,
        "answers": figure.answers,
        "margins": figure.margins,
        "fused": figure.fused,
    }
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
    return say("attribute_summary", first=a, second=b, count=count, list=say.clauses(said))


def part_name(kind: str, layer: int, say: Say) -> str:
    """How a part is called."""
    if kind == "attention":
        return say("attribute_attention", layer=layer)
    if kind == "mlp":
        return say("attribute_mlp", layer=layer)
    return say("attribute_embedding") if kind == "embedding" else say("attribute_constant")


Bar = tuple[str, str, str, str]
"""Class, sign and length of a bar from zero, and its number."""


def _line(values: Sequence[float], classes: Sequence[str], reach: float, say: Say) -> list[Bar]:
    """What a part adds in each expert, and to the fusion where it has one, all on one scale."""
    return [
        (side, "minus" if value < 0 else "plus", f"{abs(value) / reach:.3f}", say.signed(value, 3))
        for side, value in zip(classes, values, strict=True)
    ]


def _moved(figure: AttributionFigure, part: int, say: Say) -> list[tuple[str, Markup]]:
    """The tokens that a part raises and lowers most in each expert."""
    lists = []
    for name, up, down in zip(figure.experts, figure.promoted, figure.suppressed, strict=True):
        lists.append((say("attribute_raises", expert=name), _tokens(up[part], say)))
        lists.append((say("attribute_lowers", expert=name), _tokens(down[part], say)))
    return lists


def _tokens(moved: Sequence[Moved], say: Say) -> Markup:
    """Tokens with their nats.  Not in the template: of some hundreds it would escape every piece anew."""
    listed = (f"{token(text)}<span class='gs-number'>{say.signed(nats, 2)}</span>" for text, nats in moved)
    return Markup(" ".join(listed))
