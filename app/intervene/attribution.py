"""Direct logit attribution: what the embedding and every attention and MLP add to a margin on the direct path.

A final state is the sum of what the blocks added, and with the final norm frozen at its actual scale the head is
linear, so the parts of a margin add up to it exactly (Elhage et al. 2021, "A Mathematical Framework for Transformer
Circuits"; nostalgebraist's logit lens, part by part).  It says nothing of what a block does through later blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from app.intervene.interface import OpenedNetwork
from app.intervene.predictions import margins
from app.intervene.runs import read
from app.trace.record import Floats

Kind = Literal["embedding", "attention", "mlp", "constant"]


@dataclass(frozen=True)
class PartName:
    """What a part is: its kind, and its block, from 1 (0 where it belongs to none)."""

    kind: Kind
    layer: int = 0


@dataclass(frozen=True, eq=False)
class Attribution:
    """The margin of answer 0 over answer 1 at the last position of a text, part by part."""

    answers: tuple[int, int]
    """Token ids."""
    names: tuple[PartName, ...]
    """P parts: embedding, attention and MLP of every block, and the constant of norms and heads with biases."""
    parts: NDArray[np.float64]
    """(E, P): nats, which add up to `margins`."""
    margins: NDArray[np.float64]
    """(E,): nats."""
    shares: NDArray[np.float64] | None
    """(E, P): weighted parts, which over all experts add up to `fused`; None where the fusion is no weighted sum."""
    fused: float
    """The fusion's margin, nats."""
    promoted: NDArray[np.int64]
    """(E, P, k): ids of the tokens that a part raises most."""
    promoted_by: Floats
    """(E, P, k): by how many nats against the mean token."""
    suppressed: NDArray[np.int64]
    """(E, P, k): ids of the tokens that a part lowers most."""
    suppressed_by: Floats
    """(E, P, k): by how many nats against the mean token, below 0."""

    @property
    def cancellation(self) -> NDArray[np.float64]:
        """Sum of the sizes of the parts by the size of the margin (E,): 1 where all pull the same way."""
        sizes: NDArray[np.float64] = np.abs(self.parts).sum(1) / np.maximum(np.abs(self.margins), 1e-9)
        return sizes


@torch.no_grad()
def attribute(opened: OpenedNetwork, ids: Sequence[int], answers: tuple[int, int], count: int = 6) -> Attribution:
    """Attribute the margin of two tokens after a text of ids, start token included."""
    whole = read(opened, ids)
    parts = whole.states[0][None, :, 0, -1]  # (1, E, d)
    for layer, inside in enumerate(whole.blocks):
        parts = opened.add_parts(layer, parts, whole.states[layer][:, 0, -1], inside)
    logits = opened.read_parts(parts, whole.last[:, 0]).transpose(0, 1)  # (E, P + 1, V), the constant last
    names = part_names(opened.shape.layers)
    if not bool(logits[:, -1].any()):
        logits, names = logits[:, :-1], names[:-1]
    real = margins(opened.read_out(whole.last)[:, 0], answers).double().numpy()  # (E + 1,)
    split = margins(logits.double(), answers).numpy()
    weights = opened.weights
    centred = (logits - logits.mean(-1, keepdim=True)).float()
    up, down = centred.topk(count, -1), centred.topk(count, -1, largest=False)
    return Attribution(
        answers=answers,
        names=names,
        parts=split,
        margins=real[:-1],
        shares=None if weights is None else weights.double().numpy()[:, None] * split,
        fused=float(real[-1]),
        promoted=up.indices.numpy(),
        promoted_by=up.values.numpy(),
        suppressed=down.indices.numpy(),
        suppressed_by=down.values.numpy(),
    )


def part_names(layers: int) -> tuple[PartName, ...]:
    """Names of all parts, in the order in which they are added; the constant last."""
    halves: tuple[Kind, Kind] = ("attention", "mlp")
    blocks = (PartName(kind, layer + 1) for layer in range(layers) for kind in halves)
    return PartName("embedding"), *blocks, PartName("constant")
