"""Predictions before and after something was changed, side by side: one column an expert, one line a token."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viz.html import Say, sides
from viz.templates import rendered


@dataclass(frozen=True, eq=False)
class Option:
    """A token that an expert expects: its probability before and after the change, 0..1."""

    text: str
    before: float
    after: float


def change_columns(
    experts: Sequence[str], columns: Sequence[Sequence[Option]], jensen_shannon: NDArray[np.float32], say: Say
) -> Markup:
    """The likeliest tokens under each expert and, last in columns, the fusion, which stands between two experts;
    jensen_shannon (E + 1,) in bits."""
    names = (*experts, say("fused"))
    classes = (*sides(len(experts)), "fused")
    order = [0, len(names) - 1, 1] if len(names) == 3 else range(len(names))
    drawn = [
        (classes[i], names[i], say("draw_apart", bits=say.number(float(jensen_shannon[i]), 3)), columns[i])
        for i in order
    ]
    return Markup(rendered("change.html", columns=drawn, say=say))
