"""The disagreement panel: where in the text the experts disagree, and how well each token was predicted."""

from app.engine.engine import Engine
from app.trace.fusion import (
    disagreement,
    next_log_probs,
    surprise,
)
from app.trace.record import Trace
from viz.disagreement import Predicted, disagreement_panel
from viz.html import Say


def disagreement_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Disagreement before every token after the start, and how well each token was predicted; of a single
    expert, its surprise at each token."""
    single = len(trace.experts) == 1
    values = surprise(trace) if single else disagreement(trace)
    bitmaps = engine.bundle.substrate.pictures[trace.ids[1:]]
    known = slice(None, 1) if single else slice(None)  # the network is its only expert
    predicted = Predicted(trace.experts, next_log_probs(trace)[:-1, known], trace.next_ranks[:-1, known])
    return disagreement_panel(values[:-1], predicted, trace.texts[1:], bitmaps, selected, say)
