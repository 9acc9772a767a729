"""How far a redrawn token's state is from its own, by layer, as a small chart: the experts, an untrained network, and
the level of a random token.

Lines differ in their marks and dashes as well as in colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, sides
from viz.templates import rendered

_WIDTH, _HEIGHT = 440, 196
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 14, 10, 38
_MARKS = {
    "circle": "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z",
    "square": "M-3.3 -3.3H3.3V3.3H-3.3z",
    "triangle": "M0 -4.2L4.2 3.4H-4.2z",
    "diamond": "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
    "cross": "M-3 -3L3 3M3 -3L-3 3",
}
_EXPERT_MARKS = ("circle", "square", "triangle", "diamond")
_TICKS = 4  # at most, above zero


@dataclass(frozen=True)
class _Line:
    """One line of the chart: the class of its colour, its kind (`expert`, `control`), its points and what they say."""

    name: str
    side: str
    kind: str
    mark: str
    points: tuple[tuple[str, str], ...]
    """As the picture has them."""
    ends: str
    """The first and the last value."""

    @property
    def path(self) -> str:
        return "M" + "L".join(f"{x} {y}" for x, y in self.points)


def path_chart(
    experts: Sequence[str], path: NDArray[np.float32], untrained: NDArray[np.float32] | None, say: Say
) -> str:
    """The chart of path (E, L + 1) and untrained (L + 1,) in units of a random token, with its sentence and its key."""
    rows = [
        *zip(experts, sides(len(experts)), path, strict=True),
        *([] if untrained is None else [(say("draw_untrained"), "fused", untrained)]),
    ]
    values = np.stack([row for *_, row in rows])
    step = _step(max(float(values.max()), 1.0))
    reach = step * np.ceil(max(float(values.max()), 1.0) / step - 1e-6)
    last = values.shape[1] - 1

    def across(layer: float) -> str:
        return f"{_LEFT + layer * (_WIDTH - _LEFT - _RIGHT) / max(last, 1):.1f}"

    def up(value: float) -> str:
        return f"{_HEIGHT - _BOTTOM - value / reach * (_HEIGHT - _BOTTOM - _TOP):.1f}"

    lines = [
        _Line(
            name=name,
            side=side,
            kind="expert" if number < len(experts) else "control",
            mark=_EXPERT_MARKS[number % len(_EXPERT_MARKS)] if number < len(experts) else "cross",
            points=tuple((across(layer), up(float(value))) for layer, value in enumerate(row)),
            ends=f"{say.number(float(row[0]), 2)} → {say.number(float(row[-1]), 2)}",
        )
        for number, (name, side, row) in enumerate(rows)
    ]
    return rendered(
        "drawing_path.html",
        say=say,
        sentence=path_sentence([name for name, *_ in rows], values, say),
        lines=lines,
        marks=_MARKS,
        level=up(1.0),
        ticks=[(up(at), say.number(at, 1)) for at in np.arange(0, reach + step / 2, step).tolist()],
        layers=[(across(layer), layer) for layer in range(last + 1)],
        frame={"width": _WIDTH, "height": _HEIGHT, "left": _LEFT, "right": _WIDTH - _RIGHT, "foot": _HEIGHT - _BOTTOM},
    )


def path_sentence(names: Sequence[str], values: NDArray[np.float32], say: Say) -> str:
    """How far each ends from its own state."""
    ends = " · ".join(f"{name} {say.number(float(value), 2)}" for name, value in zip(names, values[:, -1], strict=True))
    return say("draw_path_said", last=values.shape[1] - 1, list=ends)


def _step(reach: float) -> float:
    """The distance between two ticks: 1, 2 or 5 times a power of ten, from a half on."""
    steps = (0.5, *(factor * 10.0**power for power in range(12) for factor in (1, 2, 5)))
    return next(step for step in steps if reach / step <= _TICKS)
