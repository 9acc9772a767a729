"""One expert in plain eager operations, written from the papers without the network or `app.intervene`:
what the instruments are checked against.  A hook sees, and may replace, everything on the way."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from app.network.experts import StackedExperts

Hook = Callable[[str, int, Tensor], Tensor]
"""Name (`state`, `weights`, `heads`, `attention`, `mlp`), layer (states from 0, blocks from 1), tensor -> tensor."""


def layer_norm(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-5)


def turned(x: Tensor) -> Tensor:
    """Rotary positions of (H, T, hs) as complex numbers."""
    half = x.shape[-1] // 2
    angles = torch.tensor([[t * 10_000 ** (-i / half) for i in range(half)] for t in range(x.shape[1])])
    numbers = torch.complex(x[..., :half].double(), x[..., half:].double())
    result = numbers * torch.polar(torch.ones_like(angles), angles).to(torch.complex128)
    return torch.cat((result.real, result.imag), -1).to(x.dtype)


def plain(model: StackedExperts, expert: int, x: Tensor, hook: Hook = lambda name, layer, x: x) -> Tensor:
    """Logits (T, V) of one expert from states before the first block (T, d)."""
    heads, length = model.shape.heads, len(x)
    x = hook("state", 0, x)
    for number, block in enumerate(model.blocks, 1):
        weights = {name: parameter[expert] for name, parameter in block.named_parameters()}
        qkv = (layer_norm(x) @ weights["attention_in"]).view(length, 3, heads, -1).permute(1, 2, 0, 3)
        q, k, v = turned(qkv[0]), turned(qkv[1]), qkv[2]
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        later = torch.ones(length, length).triu(1).bool()
        looks = hook("weights", number, scores.masked_fill(later, -math.inf).softmax(-1))
        out = hook("heads", number, (looks @ v).transpose(0, 1))  # (T, H, hs)
        attention = hook("attention", number, out.flatten(1) @ weights["attention_out"])
        inner = layer_norm(x + attention) @ weights["mlp_in"]
        gelu = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
        mlp = hook("mlp", number, gelu @ weights["mlp_out"])
        x = hook("state", number, x + attention + mlp)
    return layer_norm(x) @ model.head[expert]


class Recorder:
    """A hook that keeps everything, by (name, layer)."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, int], Tensor] = {}

    def __call__(self, name: str, layer: int, x: Tensor) -> Tensor:
        self.seen[name, layer] = x.clone()
        return x
