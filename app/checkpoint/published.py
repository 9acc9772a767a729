"""Published figures of the published models, as facts: nothing here was measured on the model on display.

Source: the model cards of Bochkov/best_bvv_* and the repository AVBochkov/Embeddings (Apache-2.0).
MMLU is the plain mean over its 58 published subjects; its four choices make chance 25 %.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FUSED = "best_bvv_moe"
"""The published two-expert model of 0.9 billion parameters by the same recipe."""
PUBLISHED_FILE = Path(__file__).parents[2] / "assets" / "published.tsv"


@dataclass(frozen=True)
class Published:
    """One figure in per cent; interval: half the width of its 95 % interval, None if none is published."""

    model: str
    benchmark: str
    percent: float
    interval: float | None


@cache
def published() -> tuple[Published, ...]:
    """All figures, model by model."""
    with PUBLISHED_FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Published(
                row["model"],
                row["benchmark"],
                float(row["percent"]),
                float(row["interval"]) if row["interval"] else None,
            )
            for row in csv.DictReader(file, delimiter="\t")
        )


def published_bleu(direction: str) -> Published | None:
    """The BLEU of the published two-expert model in a direction, `en-ru`, on its own test set."""
    benchmark = "BLEU " + direction.replace("-", "→")
    return next((f for f in published() if f.model == FUSED and f.benchmark == benchmark), None)
