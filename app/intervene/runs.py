"""Opening a network, and running one from end to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.engine.engine import Engine
from app.foreign.compute.decoder import Decoder
from app.intervene.decoder import OpenedDecoder
from app.intervene.interface import Edits, Inside, OpenedNetwork
from app.intervene.stacked import OpenedExperts
from app.network.experts import StackedExperts
from app.wording.errors import UserError


@dataclass(frozen=True, eq=False)
class Run:
    """One text, or B of one length, read by an opened network: states (L + 1 of (E, B, T, d)) and what was inside
    every block."""

    states: tuple[Tensor, ...]
    blocks: tuple[Inside, ...]

    @property
    def last(self) -> Tensor:
        """Final states of the last position, (E, B, d)."""
        return self.states[-1][..., -1, :]


def open_network(engine: Engine) -> OpenedNetwork:
    """The network of an engine, opened.

    Raises:
        UserError: `cannot_open` where it runs by code of its own, `cannot_open_joined` where its towers are mixed
            before any logits.
    """
    bundle, model = engine.bundle, engine.model
    weights = torch.tensor(bundle.weights) if bundle.weights else torch.full((len(bundle.experts),), 1.0)
    weights = weights if bundle.weights else weights / len(bundle.experts)
    if isinstance(model, StackedExperts):
        return OpenedExperts(model, weights)
    if isinstance(model, Decoder):
        return OpenedDecoder(model, weights if bundle.additive else None)
    joined = bundle.report is not None and bundle.report.fusion == "joined"
    raise UserError("cannot_open_joined" if joined else "cannot_open", model=bundle.name)


@torch.no_grad()
def run(opened: OpenedNetwork, states: Tensor, edits: Mapping[int, Edits] | None = None) -> Run:
    """Run states (E, B, T, d) through all blocks; edits: what to change, by block (from 0)."""
    edits = edits or {}
    passed, blocks = [states], []
    for layer in range(opened.shape.layers):
        inside = opened.block(layer, passed[-1], edits=edits.get(layer))
        blocks.append(inside)
        passed.append(inside.states)
    return Run(tuple(passed), tuple(blocks))


@torch.no_grad()
def read(opened: OpenedNetwork, ids: Sequence[int], edits: Mapping[int, Edits] | None = None) -> Run:
    """Run one text of token ids."""
    return run(opened, opened.embed(torch.tensor([list(ids)])), edits)
