"""A state from another text: the state of one token of text B, at one layer, in the place of a token of text A.

The texts may differ in length: what is asked is whether, and at which layers, the two states are interchangeable
("кошка" in the place of "cat").  Positions are turned inside attention, so a state carries none of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from app.intervene.interface import OpenedNetwork
from app.intervene.predictions import jensen_shannon
from app.intervene.runs import read
from app.trace.record import Floats


@dataclass(frozen=True, eq=False)
class Transplant:
    """By layer (0: the picture) what text A predicts with the foreign state."""

    log_probs: Floats
    """(E + 1, L + 1, n): natural, of the n tokens asked for."""
    own: Floats
    """(E + 1, n): with its own state."""
    ranks: NDArray[np.int64]
    """(E + 1, L + 1, n): from 1."""
    jensen_shannon: Floats
    """(E + 1, L + 1): from the prediction with its own state, in bits."""
    top: NDArray[np.int64]
    """(E + 1, L + 1): id of the likeliest token."""


@torch.no_grad()
def transplant(
    opened: OpenedNetwork, ids: Sequence[int], position: int, donor: Sequence[int], source: int, asked: Sequence[int]
) -> Transplant:
    """Put the state of `donor[source]` in the place of `ids[position]`, at each layer in turn; start tokens
    included in both."""
    clean, other = read(opened, ids), read(opened, donor)
    layers = opened.shape.layers
    replaced = torch.tensor([[*ids[:position], donor[source], *ids[position + 1 :]]])
    rows = clean.states[0][:, :0, position:]
    for layer in range(layers + 1):
        row = clean.states[layer][:, :, position:].clone()
        foreign = other.states[layer][:, :, source]
        if layer == 0:  # the picture alone: where positions are added to it, those of its new place
            foreign = opened.embed(replaced)[:, :, position]
        row[:, :, 0] = foreign
        rows = torch.cat((rows, row), 1)
        if layer < layers:
            rows = opened.block(layer, rows, clean.blocks[layer].past.before(position)).states
    logits = opened.read_out(rows[:, :, -1])  # (E + 1, L + 1, V)
    own = opened.read_out(clean.last)  # (E + 1, 1, V)
    tokens = list(asked)
    ranks = (logits[..., None, :] > logits[..., tokens][..., None]).sum(-1) + 1
    return Transplant(
        log_probs=logits.log_softmax(-1)[..., tokens].numpy(),
        own=own.log_softmax(-1)[:, 0, tokens].numpy(),
        ranks=ranks.numpy(),
        jensen_shannon=jensen_shannon(own, logits),
        top=logits.argmax(-1).numpy(),
    )
