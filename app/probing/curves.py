"""Curves of meaning by layer, with everything that stands beside them, as records and as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.probing.measures import Emergence

Curves = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Curve:
    """One measure by layer.

    values, low, high (E, L + 1): of each expert, with the central 95 % of bootstrap draws over words (equal
    to the values where a measure has none).  shuffled_low, shuffled_high (E, L + 1): the central 95 %
    under shuffled labels; ceiling (E,): the 95th percentile of their maximum over layers.  untrained,
    untrained_high (L + 1,): of the untrained twin.  unfrozen (E, L + 1): of each expert's twin with a trained
    table, nan where there is none.  context (E, L + 1): of the states of the token before each word, nan where
    all words were read in the same sentences.  emergence: of each expert, for labelled measures.
    """

    values: Curves
    low: Curves
    high: Curves
    shuffled_low: Curves
    shuffled_high: Curves
    ceiling: Curves
    untrained: Curves
    untrained_high: Curves
    unfrozen: Curves
    context: Curves
    emergence: tuple[Emergence, ...]


@dataclass(frozen=True, eq=False)
class Battery:
    """Curves of one word set in E experts: `curves[measure]`.  in_text: how many of the words were read in
    real sentences.  neighbours: how many purity looks at; chance[measure], best[measure]: what
    either kind of purity is on average if labels say nothing, and at the most."""

    experts: tuple[str, ...]
    words: int
    groups: int
    in_text: int
    neighbours: int
    chance: dict[str, float]
    best: dict[str, float]
    curves: dict[str, Curve]


def to_plain(battery: Battery) -> dict[str, Any]:
    """As JSON takes it; what is not a number becomes None."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [plain(part) for part in value] if value.ndim > 1 else [_number(x) for x in value]
        return [asdict(part) for part in value]

    return {
        "experts": list(battery.experts),
        "words": battery.words,
        "groups": battery.groups,
        "in_text": battery.in_text,
        "neighbours": battery.neighbours,
        "chance": battery.chance,
        "best": battery.best,
        "curves": {
            name: {field: plain(value) for field, value in vars(curve).items()}
            for name, curve in battery.curves.items()
        },
    }


def _number(value: float) -> float | None:
    return round(float(value), 5) if np.isfinite(value) else None


def from_plain(record: dict[str, Any]) -> Battery:
    """The reverse of `to_plain`."""

    def curve(fields: dict[str, Any]) -> Curve:
        found = tuple(Emergence(**part) for part in fields["emergence"])
        arrays = {name: np.array(value, np.float32) for name, value in fields.items() if name != "emergence"}
        return Curve(**arrays, emergence=found)

    curves = {name: curve(fields) for name, fields in record["curves"].items()}
    plain = {name: record[name] for name in ("words", "groups", "in_text", "neighbours", "chance", "best")}
    return Battery(experts=tuple(record["experts"]), curves=curves, **plain)
