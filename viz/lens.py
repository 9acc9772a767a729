"""The lens panel: what each layer of each expert would say at every position."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import token, visible


@dataclass(frozen=True, eq=False)
class LensTable:
    """One expert's logit lens: the best token of each position and layer (T, L + 1) and its
    probability, 0..1."""

    expert: str
    texts: tuple[tuple[str, ...], ...]
    probabilities: NDArray[np.float32]


def lens_panel(
    tables: tuple[LensTable, ...], texts: tuple[str, ...], selected: int, say: Say, window: range | None = None
) -> str:
    """Rows: the token read and the one that follows; columns: the layer; cell: what that layer would say.
    texts: of all tokens; window: the positions that the tables are of, by default all."""
    window = range(len(texts)) if window is None else window
    rows = [texts[i] for i in window]
    settled = [_settling_layer(t) for t in tables]
    last = tables[0].probabilities.shape[1] - 1
    if len(tables) == 2:
        names = {"first": tables[0].expert, "second": tables[1].expert}
        first_layer, second_layer = (say.number(layer, 1) for layer in settled)
        summary = say("lens_summary", last=last, first_layer=first_layer, second_layer=second_layer, **names)
    else:
        listed = say.listed(
            f"{table.expert} {say.number(layer, 1)}" for table, layer in zip(tables, settled, strict=True)
        )
        summary = say("lens_summary_each", last=last, list=listed)
    if len(rows) < len(texts):
        part = say("lens_part", first=window.start, end=window.stop - 1, last=len(texts) - 1)
        summary = say.sentences((summary, part))
    table = Table(
        {"expert": [t.expert for t in tables], "position": window, "layer": range(last + 1)},
        {
            "read": [[[row] * (last + 1) for row in rows]] * len(tables),
            "best": [t.texts for t in tables],
            "probability": np.stack([t.probabilities for t in tables]),
        },
    )
    blocks = [
        (side, one.expert, _lines(one, texts, window, selected, say))
        for one, side in zip(tables, sides(len(tables)), strict=True)
    ]
    body = rendered("lens.html", say=say, blocks=blocks, layers=range(last + 1), selected=selected)
    return panel(say, "lens", body, summary, {}, table)


def _settling_layer(table: LensTable) -> float:
    """Mean over positions of the first layer from which on the best token stays the final one."""
    layers = []
    for row in table.texts:
        wrong = [layer for layer, text in enumerate(row) if text != row[-1]]
        layers.append(wrong[-1] + 1 if wrong else 0)
    return float(np.mean(layers))


def _lines(
    table: LensTable, texts: tuple[str, ...], window: range, selected: int, say: Say
) -> list[tuple[int, str, str | None, Markup]]:
    """A row belongs to the token that it foretells, None after the last one: its index, the token read, itself, and
    the cells."""
    return [
        (i + 1, texts[i], texts[i + 1] if i + 1 < len(texts) else None, _cells(table, n, i + 1 == selected, say))
        for n, i in enumerate(window)
    ]


_CELL = "<td data-layer='{}' tabindex='{}' style='--p:{:.3f}' title='{} {}'>{}</td>"


def _cells(table: LensTable, row: int, selected: bool, say: Say) -> Markup:
    """One row's cells, a layer each; they can be reached by keyboard in the row that is selected."""
    # Not in a template: of more than a thousand cells it would escape every number.
    return Markup(
        "".join(
            _CELL.format(layer, 0 if selected else -1, p, escape(visible(best)), say.percent(p), token(best))
            for layer, (best, p) in enumerate(zip(table.texts[row], table.probabilities[row].tolist(), strict=True))
        )
    )
