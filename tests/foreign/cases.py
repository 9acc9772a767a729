"""Checkpoints that are not ours, in many anatomies, and their logits by their own code."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from app.engine.engine import Engine
from app.trace.record import Trace
from tests.support.folders import Folder

TEXT = "The cat loves Мама 我们喜欢 и дом"


@dataclass(frozen=True, eq=False)
class Case:
    """A folder and what has to be found in it.  style: what the import's description holds; empty: not imported."""

    folder: Folder
    experts: tuple[str, ...]
    fusion: str
    style: tuple[str, ...]
    layers: int = 3


CASES = {
    "two towers": Case(Folder("two_towers"), ("RU", "ZH"), "mean", ("pre-LayerNorm", "pairs", "separate", "gelu")),
    "listed": Case(
        Folder("listed", sizes={"minds": 2}), ("E1", "E2"), "mean", ("LayerNorm", "rotary none", "fused", "gelu_tanh")
    ),
    "three": Case(Folder("listed", sizes={"minds": 3}), ("E1", "E2", "E3"), "mean", ("fused",)),
    "one of a list": Case(Folder("listed", sizes={"minds": 1, "n_layer": 4}), ("E1",), "single", ("fused",), 4),
    "adapter": Case(Folder("adapted"), ("left", "right"), "learned", ("RMSNorm", "halves", "silu, gated")),
    "single": Case(Folder("single"), ("E1",), "single", ("relu", "fused")),
    "odd attention": Case(Folder("odd"), ("A", "B"), "weighted", ()),
    "mixed early": Case(Folder("mixed", sizes={"n_layer": 2}), ("E1",), "joined", ("parallel",), 2),
    "other sizes": Case(
        Folder("two_towers", sizes={"n_embed": 48, "n_head": 3, "n_layer": 1}), ("RU", "ZH"), "mean", ("3 heads",), 1
    ),
}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A case's engine, the network as its own code builds it, and a trace of a text."""

    case: Case
    engine: Engine
    network: nn.Module
    trace: Trace


def plain_logits(network: nn.Module, ids: list[int]) -> torch.Tensor:
    """Logits (T, V) by the network's own forward pass, whatever it returns."""
    with torch.inference_mode():
        given = torch.tensor([ids])
        wants_targets = "targets" in network.forward.__code__.co_varnames
        output: Any = network(given, targets=given) if wants_targets else network(given)
    output = output["logits"] if isinstance(output, dict) else output
    logits: torch.Tensor = output[0] if isinstance(output, tuple) else getattr(output, "logits", output)
    return logits[0].float()
