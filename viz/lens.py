"""The lens panel: what each layer of each expert would say at every position."""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides, token, visible


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
    blocks = "".join(
        _lens(t, texts, window, selected, e, side, say)
        for e, (t, side) in enumerate(zip(tables, sides(len(tables)), strict=True))
    )
    settled = [_settling_layer(t) for t in tables]
    last = tables[0].probabilities.shape[1] - 1
    if len(tables) == 2:
        names = {"first": tables[0].expert, "second": tables[1].expert}
        first_layer, second_layer = (say.number(layer, 1) for layer in settled)
        summary = say("lens_summary", last=last, first_layer=first_layer, second_layer=second_layer, **names)
    else:
        listed = ", ".join(
            f"{table.expert} {say.number(layer, 1)}" for table, layer in zip(tables, settled, strict=True)
        )
        summary = say("lens_summary_each", last=last, list=listed)
    if len(rows) < len(texts):
        summary += " " + say("lens_part", first=window.start, end=window.stop - 1, last=len(texts) - 1)
    table = Table(
        {"expert": [t.expert for t in tables], "position": window, "layer": range(last + 1)},
        {
            "read": [[[row] * (last + 1) for row in rows]] * len(tables),
            "best": [t.texts for t in tables],
            "probability": np.stack([t.probabilities for t in tables]),
        },
    )
    return panel(say, "lens", f"<div class='gs-lenses'>{blocks}</div>", summary, {}, table)


def _settling_layer(table: LensTable) -> float:
    """Mean over positions of the first layer from which on the best token stays the final one."""
    layers = []
    for row in table.texts:
        wrong = [layer for layer, text in enumerate(row) if text != row[-1]]
        layers.append(wrong[-1] + 1 if wrong else 0)
    return float(np.mean(layers))


def _row(index: int, selected: int, rows: int) -> str:
    """A row belongs to the token that it foretells; the last one foretells none of the text."""
    return f" data-index='{index}' aria-selected='{str(index == selected).lower()}'" if index < rows else ""


def _lens(
    table: LensTable, texts: tuple[str, ...], window: range, selected: int, expert: int, side: str, say: Say
) -> str:
    heads = "".join(f"<th scope='col'>{layer}</th>" for layer in range(table.probabilities.shape[1]))
    lines = "".join(
        f"<tr{_row(i + 1, selected, len(texts))}><th scope='row'>{token(texts[i])}</th>"
        f"<th scope='row' class='gs-then'>{token(texts[i + 1]) if i + 1 < len(texts) else '…'}</th>"
        + "".join(
            f"<td data-layer='{layer}' tabindex='{0 if i + 1 == selected else -1}' style='--p:{p:.3f}' "
            f"title='{escape(f'{visible(best)} {say.percent(float(p))}', quote=True)}'>{token(best)}</td>"
            for layer, (best, p) in enumerate(zip(table.texts[n], table.probabilities[n], strict=True))
        )
        + "</tr>"
        for n, i in enumerate(window)
    )
    corner = f"<th scope='col'>{escape(say('lens_rows'))}</th><th scope='col'>{escape(say('lens_then'))}</th>"
    return (
        f"<div class='gs-lens gs-{side}' data-expert='{expert}'><h3>{escape(table.expert)}</h3>"
        f"<div class='gs-scroll' tabindex='0'><table><thead><tr>{corner}{heads}</tr></thead>"
        f"<tbody>{lines}</tbody></table></div></div>"
    )
