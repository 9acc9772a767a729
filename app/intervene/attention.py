"""Who looks where: attention weights, recomputed from the states that a trace holds, without a forward pass.

The states are stored in half precision, so a weight is exact to about 1e-3.  What a head looks at is not what it
does: a role is only claimed beside the effect of patching it (`patching.patch_heads`; Jain and Wallace 2019,
arXiv 1902.10186).
"""

from dataclasses import dataclass

import numpy as np
import torch

from app.intervene.interface import OpenedNetwork
from app.trace.record import Floats, Trace
from app.wording.errors import UserError


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Where each head (E, L, H) looks on average over a text: the share of its attention on the token before, on the
    start token and on the token itself, 0..1.  The first two positions, where these are not three different ones,
    are left out; NaN in a text of fewer than three tokens."""

    previous: Floats
    start: Floats
    itself: Floats


def block_attention(opened: OpenedNetwork, trace: Trace, layer: int) -> Floats:
    """Attention weights (E, H, T, T) of all heads of block `layer` (from 1): row t over the positions that token t
    sees."""
    with torch.no_grad():
        weights: Floats = opened.attention(layer - 1, torch.from_numpy(trace.hidden[:, layer - 1, None]))[:, 0].numpy()
    return weights


def head_attention(opened: OpenedNetwork, trace: Trace, expert: int, layer: int, head: int) -> Floats:
    """Attention weights (T, T) of one head: block from 1, head from 0.

    Raises:
        UserError: `no_head` where there is none such.
    """
    shape = opened.shape
    if not (0 <= expert < shape.experts and 1 <= layer <= shape.layers and 0 <= head < shape.heads):
        raise UserError("no_head", layers=shape.layers, heads=shape.heads - 1)
    weights: Floats = block_attention(opened, trace, layer)[expert, head]
    return weights


def fingerprints(opened: OpenedNetwork, trace: Trace) -> Fingerprints:
    """The fingerprints of all heads on one text."""
    if len(trace) < 3:
        empty = np.full((opened.shape.experts, opened.shape.layers, opened.shape.heads), np.nan, np.float32)
        return Fingerprints(empty, empty, empty)
    at = np.arange(2, len(trace))
    found = []
    for layer in range(1, opened.shape.layers + 1):
        weights = block_attention(opened, trace, layer)
        found.append(np.stack([weights[:, :, at, seen].mean(-1) for seen in (at - 1, at * 0, at)]))
    return Fingerprints(*np.stack(found, 2))
