"""Curves of meaning by layer, with everything that stands beside them, as records that pydantic writes and reads."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from app.probing.measures import Emergence


def _plain(values: NDArray[np.floating]) -> list[Any]:
    """Five decimals; what is not a number becomes None."""
    numbers = np.round(values.astype(float), 5).astype(object)
    numbers[~np.isfinite(values)] = None
    return numbers.tolist()  # type: ignore[no-any-return]


Curves = Annotated[
    NDArray[np.float32], PlainValidator(lambda values: np.array(values, np.float32)), PlainSerializer(_plain)
]
"""Numbers by layer, in JSON lists of lists."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One measure by layer, of E experts in L + 1 layers."""

    values: Curves
    """(E, L + 1)"""
    low: Curves
    """(E, L + 1): lower end of the central 95 % of bootstrap draws over words; the values where there are no draws."""
    high: Curves
    """(E, L + 1): upper end."""
    shuffled_low: Curves
    """(E, L + 1): lower end of the central 95 % under shuffled labels; nan for a measure that is not about labels."""
    shuffled_high: Curves
    """(E, L + 1): upper end."""
    ceiling: Curves
    """(E,): 95th percentile, under shuffled labels, of the maximum over layers; nan likewise."""
    untrained: Curves
    """(L + 1,): of the untrained network."""
    untrained_high: Curves
    """(L + 1,): upper end of its central 95 %."""
    unfrozen: Curves
    """(E, L + 1): of each expert's control with a trained table; nan where there is none."""
    context: Curves
    """(E, L + 1): of the states of the token before each word; nan where all words were read in the same sentences."""
    emergence: tuple[Emergence, ...]
    """Of each expert; none for a measure that is not about labels."""


@dataclass(frozen=True, eq=False)
class ProbeResults:
    """Curves of one word set in E experts."""

    experts: tuple[str, ...]
    words: int
    groups: int
    in_text: int
    """How many of the words were read in real sentences."""
    neighbours: int
    """How many purity looks at."""
    chance: dict[str, float]
    """What either kind of purity is on average if states say nothing of labels."""
    best: dict[str, float]
    """What it is at the most."""
    curves: dict[str, Curve]
    """By measure."""


_RESULTS: TypeAdapter[ProbeResults] = TypeAdapter(ProbeResults)


def plain_results(results: ProbeResults) -> dict[str, Any]:
    """As JSON takes it; what is no number becomes null."""
    plain: dict[str, Any] = _RESULTS.dump_python(results, mode="json")
    return plain
