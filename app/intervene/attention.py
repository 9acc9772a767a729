"""Who looks where: attention weights, recomputed from stored states, one block at a time, without a forward pass.

The states of a trace are stored in half precision, so a weight is exact to about 1e-3; those of a `Run` give it
exactly.  What a head looks at is not what it does: it is shown only beside the effect of silencing it
(`head_effects`) or of patching it (`patching.patch_heads`; Jain and Wallace 2019, arXiv 1902.10186).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from app.intervene.interface import OpenedNetwork
from app.intervene.runs import Run
from app.trace.record import Floats
from app.wording.errors import UserError


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Where each head (E, L, H) looks on average over a text: the share of its attention on the token before, on the
    start token and on the token itself, 0..1.  The first two positions, where these are not three different ones,
    are left out; NaN in a text of fewer than three tokens."""

    previous: Floats
    start: Floats
    itself: Floats


States = NDArray[np.floating]
"""Of one text, (E, L + 1, T, d), as `Trace.hidden` holds them."""


def states_of(run: Run) -> States:
    """The states of a run of one text."""
    states: States = torch.stack([states[:, 0] for states in run.states], 1).float().numpy()
    return states


def block_attention(opened: OpenedNetwork, states: States, layer: int) -> Floats:
    """Attention weights (E, H, T, T) of all heads of block `layer` (from 1): row t over the positions that token t
    sees."""
    with torch.no_grad():
        weights: Floats = opened.attention(layer - 1, torch.from_numpy(states[:, layer - 1, None]))[:, 0].numpy()
    return weights


def head_attention(opened: OpenedNetwork, states: States, expert: int, layer: int, head: int) -> Floats:
    """Attention weights (T, T) of one head: block from 1, head from 0.

    Raises:
        UserError: `no_head` where there is none such.
    """
    shape = opened.shape
    if not (0 <= expert < shape.experts and 1 <= layer <= shape.layers and 0 <= head < shape.heads):
        raise UserError("no_head", layers=shape.layers, heads=shape.heads - 1)
    weights: Floats = block_attention(opened, states, layer)[expert, head]
    return weights


def all_attention(opened: OpenedNetwork, states: States) -> Floats:
    """Attention weights (E, L, H, T, T) of all heads."""
    return np.stack([block_attention(opened, states, layer + 1) for layer in range(opened.shape.layers)], 1)


def fingerprints(weights: Floats) -> Fingerprints:
    """The fingerprints of heads with weights (E, L, H, T, T)."""
    length = weights.shape[-1]
    if length < 3:
        empty = np.full(weights.shape[:3], np.nan, np.float32)
        return Fingerprints(empty, empty, empty)
    at = np.arange(2, length)
    return Fingerprints(*(weights[..., at, seen].mean(-1) for seen in (at - 1, at * 0, at)))
