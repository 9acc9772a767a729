"""Silencing: what is predicted before and after some parts say the same everywhere, beside as many at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.change import Option, change_columns
from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible

Part = tuple[str, int, int, int]
"""Kind (head, attention, mlp, block, expert), expert, block from 1, head from 0."""
SMALL = 0.005
"""Nats below which a change reads as none."""


@dataclass(frozen=True, eq=False)
class SilencedFigure:
    """Parts silenced together.  columns: the likeliest tokens under each expert and, last, the fusion, with the
    fusion's first choices before and after; jensen_shannon (E + 1,) in bits; log_probs (E + 1, 2) of the followed
    token before and after, natural."""

    parts: tuple[Part, ...]
    columns: tuple[Sequence[Option], ...]
    winners: tuple[str, str]
    jensen_shannon: NDArray[np.float32]
    log_probs: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SilencingFigure:
    """texts: the tokens that are read, start token left out; followed: the token whose log-probability is followed.
    chosen: None where nothing is; by_chance: as many others at random, None where there are none.  removable: whether
    an expert can be silenced.  reference: the texts over which means are taken, and their number of tokens."""

    experts: tuple[str, ...]
    layers: int
    texts: tuple[str, ...]
    followed: str
    chosen: SilencedFigure | None
    by_chance: SilencedFigure | None
    removable: bool
    reference: tuple[str, ...]
    positions: int


def silencing_panel(figure: SilencingFigure, say: Say) -> str:
    """What is chosen, what it changes, and all that can be chosen."""
    chosen = figure.chosen
    shown: dict[str, Any] = {"chosen": []}
    if chosen is not None:
        shown = {
            "chosen": [
                _button(figure, part, f"{part_called(figure.experts, part, say)} ×", say) for part in chosen.parts
            ],
            "columns": change_columns(figure.experts, chosen.columns, chosen.jensen_shannon, say),
            "numbers_title": say("silencing_numbers", token=visible(figure.followed)),
            "names": (*figure.experts, say("fused")),
            "numbers": _numbers(figure, chosen, say),
        }
    body = rendered("silencing.html", figure=figure, say=say, palettes=_palettes(figure, say), **shown)
    facts: dict[str, Any] = {"experts": figure.experts, "followed": figure.followed, "reference": figure.reference}
    table = None
    if chosen is not None:
        facts |= {"parts": chosen.parts}
        values = {"before": chosen.log_probs[:, 0], "after": chosen.log_probs[:, 1], "bits": chosen.jensen_shannon}
        table = Table({"expert": (*figure.experts, "fused")}, values)
    return panel(say, "silencing", body, silencing_summary(figure, say), facts, table)


def silencing_summary(figure: SilencingFigure, say: Say) -> str:
    """What the chosen parts change in the fusion, and what as many at random do."""
    chosen, chance = figure.chosen, figure.by_chance
    if chosen is None:
        return say("nothing_silenced")
    before, after = map(visible, chosen.winners)
    said = [
        say(
            "silencing_summary",
            parts=parts_named(figure.experts, chosen.parts, say),
            followed=visible(figure.followed),
            nats=_nats(chosen, say),
            bits=say.number(float(chosen.jensen_shannon[-1]), 3),
        ),
        say("draw_kept" if before == after else "draw_turned", before=before, after=after),
    ]
    if chance is None:
        return say.sentences(said)
    names = parts_named(figure.experts, chance.parts, say)
    bits = say.number(float(chance.jensen_shannon[-1]), 3)
    said.append(say("silencing_chance", parts=names, nats=_nats(chance, say), bits=bits))
    return say.sentences(said)


def part_called(experts: Sequence[str], part: Part, say: Say) -> str:
    """How a part is called."""
    _, expert, layer, head = part
    return say(f"part_{part[0]}", expert=experts[expert], layer=layer, head=head)


def parts_named(experts: Sequence[str], parts: Sequence[Part], say: Say) -> str:
    """How some parts are called together."""
    return say.listed(part_called(experts, part, say) for part in parts)


def _nats(figure: SilencedFigure, say: Say) -> str:
    return _moved(float(figure.log_probs[-1, 1] - figure.log_probs[-1, 0]), say)


def _moved(nats: float, say: Say) -> str:
    return say.signed(nats, 2) if abs(nats) >= SMALL else "0"


def _button(figure: SilencingFigure, part: Part, label: str, say: Say) -> dict[str, Any]:
    """A part that a press silences, or lets speak again."""
    kind, expert, layer, head = part
    return {
        "side": sides(len(figure.experts))[expert],
        "kind": kind,
        "expert": expert,
        "layer": layer,
        "head": head,
        "pressed": figure.chosen is not None and part in figure.chosen.parts,
        "name": part_called(figure.experts, part, say),
        "label": label,
    }


def _numbers(figure: SilencingFigure, chosen: SilencedFigure, say: Say) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The followed token's log-probability and the divergence, by expert, for the chosen parts and for chance: name of
    the row, and class, shade and numbers of each cell."""
    classes = (*sides(len(figure.experts)), "fused")
    both = [(parts_named(figure.experts, chosen.parts, say), chosen)]
    if figure.by_chance is not None:
        chance = parts_named(figure.experts, figure.by_chance.parts, say)
        both.append((say("silencing_random", parts=chance), figure.by_chance))
    rows = []
    for name, one in both:
        cells = [
            (side, f"{min(bits, 1.0):.3f}", f"{_moved(after - before, say)} · {say.number(bits, 3)}")
            for side, bits, (before, after) in zip(
                classes, one.jensen_shannon.tolist(), one.log_probs.tolist(), strict=True
            )
        ]
        rows.append((name, cells))
    return rows


def _palettes(figure: SilencingFigure, say: Say) -> list[tuple[Any, ...]]:
    """Everything larger than a head: class and name of an expert, the whole of it if it can be removed, its blocks."""
    kinds = [(kind, say(f"silencing_{kind}")) for kind in ("attention", "mlp", "block")]
    palettes = []
    for expert, (name, side) in enumerate(zip(figure.experts, sides(len(figure.experts)), strict=True)):
        whole = _button(figure, ("expert", expert, 0, 0), say("silencing_expert"), say) if figure.removable else None
        rows = [
            [_button(figure, (of, expert, layer, 0), label, say) for of, label in kinds]
            for layer in range(1, figure.layers + 1)
        ]
        palettes.append((side, name, whole, rows))
    return palettes
