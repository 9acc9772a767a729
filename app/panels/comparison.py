"""Two texts side by side: from the texts to strips, log-probabilities and distances."""

from typing import Any

from app.engine.engine import Engine
from app.intervene.comparing import compare
from app.wording.errors import UserError
from viz.comparison import ComparisonFigure, comparison_panel
from viz.html import Say

MOST = 64
"""Longest text in tokens; the maps have a line for each."""


def comparison_view(engine: Engine, first: Any, second: Any, say: Say) -> str:
    """Both texts, read once each; they need not have equally many tokens.

    Raises:
        UserError: for texts that cannot be read, or are too long (`patch_long`).
    """
    for text in (first, second):
        if (length := len(engine.encode(text))) > MOST:
            raise UserError("patch_long", length=length, limit=MOST)
    here, there = engine.look(first), engine.look(second)
    found = compare(here, there)
    return comparison_panel(
        ComparisonFigure(
            experts=engine.bundle.experts,
            texts=(tuple(here.texts), tuple(there.texts)),
            log_probs=(found.first, found.second),
            pairs=found.pairs,
            changed=here.ids[found.pairs[:, 0]] != there.ids[found.pairs[:, 1]],
            distance=found.distance,
        ),
        say,
    )
