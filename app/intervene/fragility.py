"""How much a picture moved by two pixels changes the prediction: a person would read it as before.

Beside it stand random tokens in the same place, so that the size can be judged.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from app.intervene.drawing import Canvas, in_table, random_tokens, run_on
from app.intervene.pixels import shift
from app.intervene.predictions import jensen_shannon
from app.substrate.embedding import embed
from app.trace.record import Floats

STEP = 2
"""By how many pixels a picture is moved."""
WAYS = ((STEP, 0), (-STEP, 0), (0, STEP), (0, -STEP))

_known: WeakKeyDictionary[Canvas, "Fragility"] = WeakKeyDictionary()  # a canvas that is let go takes its own along


@dataclass(frozen=True, eq=False)
class Fragility:
    """Jensen-Shannon divergences in bits of the prediction from the clean one, (E + 1,) each: moved, the mean over the
    token's own picture moved by `STEP` pixels in four directions; random, the mean over random tokens."""

    moved: Floats
    random: Floats


@torch.no_grad()
def fragility(canvas: Canvas) -> Fragility:
    """Measure a canvas, once."""
    if canvas not in _known:
        substrate = canvas.engine.bundle.substrate
        pictures = np.stack([shift(canvas.picture, *way) for way in WAYS])
        moved = in_table(canvas, torch.from_numpy(embed(pictures, substrate.basis)))
        others = random_tokens(canvas.engine, int(canvas.ids[canvas.index]))
        random = canvas.opened.table[torch.from_numpy(others)]
        _known[canvas] = Fragility(_apart(canvas, moved).mean(-1), _apart(canvas, random).mean(-1))
    return _known[canvas]


def _apart(canvas: Canvas, rows: Tensor) -> Floats:
    """Divergences (E + 1, B) with rows (B, d) of the table in the token's place."""
    states = run_on(canvas.opened, canvas.clean, rows, canvas.index)
    return jensen_shannon(canvas.logits[:, None], canvas.opened.read_out(states[-1][:, :, -1]))
