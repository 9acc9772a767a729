"""What becomes of a prediction when one head at a time is silenced: all heads of all experts, measured together.

Row h of a batch silences head h of a block in every expert at once; the experts meet only in the fusion, so each is
read out beside the others as they are.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.intervene.interface import Change, Edits, OpenedNetwork
from app.intervene.predictions import jensen_shannon
from app.intervene.runs import Run
from app.intervene.silencing import Means
from app.trace.record import Floats

ROWS = 16  # rows of logits that are held at a time: a row of a large vocabulary has half a megabyte


@dataclass(frozen=True, eq=False)
class HeadEffects:
    """Of silencing each head (E, L, H) alone, at all positions: the change of one token's log-probability under the
    fusion, in nats, and the divergence of the fusion's predictions, in bits."""

    moved: Floats
    jensen_shannon: Floats


@torch.no_grad()
def silence_each_head(
    opened: OpenedNetwork, means: Means, whole: Run, token: int
) -> Generator[float, None, HeadEffects]:
    """Silence every head of a text that was read, one at a time; yields the share done after every block."""
    shape = opened.shape
    rows = whole.states[0][:, :0]
    for layer in range(shape.layers):
        rows = torch.cat((rows, whole.states[layer].expand(-1, shape.heads, -1, -1)), 1)
        keep = int(layer == shape.layers - 1)
        rows = opened.block(layer, rows, keep=keep, edits=Edits(heads=_each_silenced(means.heads[layer]))).states
        yield (layer + 1) / (shape.layers + 1)
    last = rows[:, :, -1]  # (E, L * H, d)
    clean = opened.read_out(whole.last)[-1:, 0].float()  # (1, V)
    moved, apart = np.empty(last.shape[:2], np.float32), np.empty(last.shape[:2], np.float32)
    for expert in range(shape.experts):
        for start in range(0, last.shape[1], ROWS):
            some = slice(start, start + ROWS)
            states = whole.last.expand(-1, last[0, some].shape[0], -1).clone()
            states[expert] = last[expert, some]
            fused = opened.read_out(states)[-1].float()
            now, then = (logits.log_softmax(-1)[:, token] for logits in (fused, clean))
            moved[expert, some] = (now - then).numpy()
            apart[expert, some] = jensen_shannon(clean, fused)
    places = (shape.experts, shape.layers, shape.heads)
    return HeadEffects(moved.reshape(places), apart.reshape(places))


def _each_silenced(means: Tensor) -> Change:
    """Of the last H rows of a block's head outputs (E, B, K, H, hs), head h of row h gives its mean (E, H, hs)."""
    count = means.shape[1]

    def silenced(heads: Tensor) -> Tensor:
        heads = heads.clone()
        for head in range(count):
            heads[:, head - count, :, head] = means[:, head, None].to(heads)
        return heads

    return silenced
