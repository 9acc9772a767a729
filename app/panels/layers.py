"""The layers panel: the hidden states of the text as paths through the layers."""

import numpy as np

from app.engine.engine import Engine
from app.substrate.scripts import script_of
from app.trace.fusion import preference
from app.trace.projection import neighbour_change, neighbour_changes, project
from app.trace.record import Trace
from viz.html import Say, panel
from viz.layers import Labels, Points, layers_panel
from viz.strip import STRIP_MEASURES


def layers_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Every expert's projections of all tokens after the start."""
    hidden = trace.hidden[:, :, 1:].astype(np.float32)
    if hidden.shape[2] < 3:
        return panel(say, "layers", "", say("layers_few"))
    projections = [project(states) for states in hidden]
    points = tuple(
        Points(expert, p.points, p.shown, p.trust, neighbour_changes(states))
        for expert, p, states in zip(trace.experts, projections, hidden, strict=True)
    )
    labels = Labels(
        indices=tuple(range(1, len(trace))),
        texts=trace.texts[1:],
        scripts=tuple(script_of(text) for text in trace.texts[1:]),
        expected=_expected(trace),
        bitmaps=engine.bundle.substrate.pictures[trace.ids[1:]],
    )
    return layers_panel(points, labels, selected, tuple(neighbour_change(states) for states in hidden), say)


def _expected(trace: Trace) -> tuple[str, ...]:
    """Who expected each token after the start more; nobody where there are not two experts."""
    if len(trace.experts) != 2:
        return ("fused",) * (len(trace) - 1)
    return tuple(_side(float(value)) for value in preference(trace)[:-1])


def _side(value: float) -> str:
    """Who expected a token more, from its preference; `fused` where neither did."""
    if abs(value) < STRIP_MEASURES["preference"].none:
        return "fused"
    return "first" if value > 0 else "second"
