"""The lens panel: what each layer of each expert would predict at every position."""

import numpy as np

from app.engine.engine import Engine
from app.trace.record import Trace
from viz.html import Say
from viz.lens import LensTable, lens_panel

LENS_WORK = 30_000_000_000
"""Multiplications that the lens may take, about a second on one core: the bundled model never reaches them."""


def lens_window(engine: Engine, trace: Trace, selected: int) -> range:
    """The positions that the lens reads: all, or for a large model the part of the text with the position before
    the selected token."""
    experts, layers, length, width = trace.hidden.shape
    size = max(4, LENS_WORK // (experts * layers * width * engine.model.shape.vocabulary))
    first = (selected - 1) // size * size if size < length else 0
    return range(first, min(first + size, length))


def lens_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Every expert's logit lens."""
    window = lens_window(engine, trace, selected)
    lens = engine.lens(trace, top=1, positions=window)
    tables = tuple(
        LensTable(
            expert,
            tuple(tuple(engine.text_of(int(i)) for i in row) for row in lens.ids[e, :, :, 0].T),
            np.exp(lens.log_probs[e, :, :, 0].T),
        )
        for e, expert in enumerate(trace.experts)
    )
    return lens_panel(tables, (say("start"), *trace.texts[1:]), selected, say, window)
