"""Predictions before and after a change, as texts and probabilities."""

import numpy as np

from app.engine.engine import Engine
from app.intervene.predictions import Change
from viz.change import Option

SHOWN, SHOWN_BEFORE = 5, 2  # tokens that each expert expects now, and expected before


def change_columns_of(engine: Engine, change: Change) -> tuple[tuple[Option, ...], ...]:
    """Columns of each expert and, last, the fusion."""
    return tuple(_options(engine, change, i) for i in range(len(change.after.ids)))


def _options(engine: Engine, change: Change, expert: int) -> tuple[Option, ...]:
    """The likeliest tokens now, best first, and those of before that are no longer among them."""
    now = zip(change.after.ids[expert], change.before_again[expert], change.after.log_probs[expert], strict=True)
    then = zip(change.before.ids[expert], change.before.log_probs[expert], change.after_again[expert], strict=True)
    rows = {int(token): (before, after) for token, before, after in list(now)[:SHOWN]}
    for token, before, after in list(then)[:SHOWN_BEFORE]:
        rows.setdefault(int(token), (before, after))
    return tuple(
        Option(engine.text_of(token), float(np.exp(before)), float(np.exp(after)))
        for token, (before, after) in rows.items()
    )
