# Glyphscope's app/network/experts.py, Apache-2.0, copied by `python -m app.training bundle`.
"""The network: N experts over one frozen embedding, run side by side as one stacked batch.

Every weight carries a leading expert axis E, so that a token costs the same number of operations
however many experts there are; at this size the number of operations, not the arithmetic, is what
takes the time.  An expert is a pre-norm decoder: parameter-free LayerNorm, causal attention with
rotary positions, GELU, an output head of its own.  Experts never see each other: their logits are
fused afterwards (Bochkov 2025, arXiv 2507.04886, merges by the plain mean).

Nothing here knows tokens, pictures, files or transformers.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .interface import Cache, KeyValues, Output, Room, Shape

GELU_SCALE = math.sqrt(0.5)
"""What goes into `scaled_gelu`, and what comes out of it, is to be scaled by, to make it GELU."""


class Block(nn.Module):
    """One decoder block of every expert: x = x + attention(norm(x)); x = x + mlp(norm(x))."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = 0.0  # share of what attention and the MLP's inner layer give, while training
        experts, width = shape.experts, shape.width
        self.attention_in = nn.Parameter(torch.empty(experts, width, 3 * width))
        self.attention_out = nn.Parameter(torch.empty(experts, width, width))
        self.mlp_in = nn.Parameter(torch.empty(experts, width, 4 * width))
        self.mlp_out = nn.Parameter(torch.empty(experts, 4 * width, width))
        # Once more as a plain tuple: asking a module for one of its tensors costs as much as a small operation.
        self._maps = (self.attention_in, self.attention_out, self.mlp_in, self.mlp_out)

    def forward(
        self, x: Tensor, batch: int, turn: tuple[Tensor, Tensor], mask: Tensor | None, cache: Cache | None, layer: int
    ) -> Tensor:  # x: (E, B * T, d)
        attended = self._attend(norm(x) @ self.attention_in, batch, turn, mask, cache, layer)
        x = torch.baddbmm(x, self._dropped(attended), self.attention_out)
        return torch.baddbmm(x, self._dropped(F.gelu(norm(x) @ self.mlp_in)), self.mlp_out)

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout) if self.training and self.dropout else x

    def step(self, x: Tensor, rotation: Tensor, shrink: Tensor, rooms: Sequence[Room]) -> Tensor:
        """`forward` of one token each of B texts (E, B, d), with fewer operations: the weights are read once for
        all; only attention goes text by text, each over a past of its own length.  rotation: (E * B * 3, hs, hs),
        for queries, keys and values; shrink: (d,), what `scaled_gelu` wants its input scaled by."""
        attention_in, attention_out, mlp_in, mlp_out = self._maps
        experts, batch, width = x.shape
        heads = self.shape.heads
        qkv = torch.bmm(norm(x), attention_in).view(experts * batch * 3, heads, -1)
        turned = torch.bmm(qkv, rotation).view(experts, batch, 3, heads, 1, -1)
        seen = []
        for own, (place, keys, values) in zip(turned.unbind(1), rooms, strict=True):
            place.copy_(own[:, 1:])
            seen.append(F.scaled_dot_product_attention(own[:, 0], keys, values).view(experts, 1, width))
        x = torch.baddbmm(x, seen[0] if batch == 1 else torch.cat(seen, 1), attention_out)
        shrunk = torch.layer_norm(x, (width,), shrink)
        return torch.baddbmm(x, scaled_gelu(torch.bmm(shrunk, mlp_in)), mlp_out, alpha=GELU_SCALE)

    def _attend(
        self, qkv: Tensor, batch: int, turn: tuple[Tensor, Tensor], mask: Tensor | None, cache: Cache | None, layer: int
    ) -> Tensor:
        experts, heads, width = self.shape.experts, self.shape.heads, self.shape.head_width
        qkv = qkv.view(experts, batch, -1, 3, heads, width).permute(3, 1, 0, 4, 2, 5)
        qkv = qkv.reshape(3, batch, experts * heads, -1, width)  # (3, B, E * nh, T, hs)
        queries, keys = rotate(qkv[:2], turn).unbind(0)
        values = qkv[2]
        causal = mask is None and queries.shape[-2] > 1
        if cache is not None:
            keys, values = cache.update(keys, values, layer)
        y = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, is_causal=causal)
        y = y.view(batch, experts, heads, -1, width).permute(1, 0, 3, 2, 4)  # (E, B, T, nh, hs)
        return y.reshape(experts, -1, heads * width)


class StackedExperts(nn.Module):
    """The frozen table and all experts; see `Output` for what comes back."""

    embedding: Tensor
    turns: Tensor
    rotations: Tensor
    shrink: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        assert shape.width % (2 * shape.heads) == 0, f"{shape.width} is no multiple of 2 x {shape.heads}"
        self.shape = shape
        # A buffer, not a parameter: no optimizer ever sees it, and it is stored once for all experts.
        self.register_buffer("embedding", torch.zeros(shape.vocabulary, shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.head = nn.Parameter(torch.empty(shape.experts, shape.width, shape.vocabulary))
        self.register_buffer("turns", rotary_table(shape.context, shape.head_width), persistent=False)
        # The same as matrices: for one token a product costs a third of what turning by parts does.
        turned = rotate(torch.eye(shape.head_width), (self.turns[0, :, None], self.turns[1, :, None]))
        still = torch.eye(shape.head_width).expand_as(turned)
        turned = torch.stack((turned, turned, still), 1)  # (T, 3, hs, hs): queries, keys, values
        self.register_buffer("rotations", turned, persistent=False)
        self.register_buffer("shrink", torch.full((shape.width,), GELU_SCALE), persistent=False)

    @property
    def trained(self) -> int:
        """How many numbers were trained: all but the table."""
        return sum(weight.numel() for weight in self.parameters())

    def new_cache(self, capacity: int) -> KeyValues:
        """Room for `capacity` positions of one text."""
        return KeyValues(self.shape, capacity)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all trainable weights: normal, 0.02; those that write to the residual stream smaller."""
        for name, weight in self.named_parameters():
            shrink = math.sqrt(2 * self.shape.layers) if name.endswith("_out") else 1.0
            nn.init.normal_(weight, std=0.02 / shrink, generator=generator)

    def set_dropout(self, share: float) -> None:
        """Drop this share of what attention and the MLPs give, while training."""
        for block in self.blocks:
            assert isinstance(block, Block)
            block.dropout = share

    def forward(
        self,
        ids: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        keep: int = 0,
    ) -> Output:
        """Run ids (B, T) through every expert.

        positions: (B, T), by default counted on from the cache's length.
        mask: (B, 1, T, S) booleans, True where a query may look; by default causal.
        keep: logits of the last `keep` positions only; 0 means all.
        """
        batch, length = ids.shape
        past = cache.get_seq_length() if cache is not None else 0
        turns = self.turns[:, past : past + length]  # (2, T, hs)
        if positions is not None:
            turns = self.turns[:, positions].unsqueeze(2)  # (2, B, 1, T, hs)
        if mask is None and past and length > 1:
            mask = causal_mask(length, past + length, ids.device)
        x = self.embedding[ids].to(self.head.dtype).view(1, batch * length, -1).expand(self.shape.experts, -1, -1)
        hidden = [x]
        for layer, block in enumerate(self.blocks):
            x = block(x, batch, (turns[0], turns[1]), mask, cache, layer)
            hidden.append(x)
        states = tuple(h.view(self.shape.experts, batch, length, -1) for h in hidden)
        return Output(self.read_out(states[-1][:, :, -keep:]), states)

    def step(self, ids: Sequence[int], caches: Sequence[KeyValues]) -> Output:
        """Run the next token of each of B texts, each over its own cache: `forward` of each, to within rounding."""
        experts, shrink = self.shape.experts, self.shrink
        places = [cache.get_seq_length() for cache in caches]
        alone = len(places) == 1  # then views will do
        at, rows = (slice(places[0], places[0] + 1), slice(ids[0], ids[0] + 1)) if alone else (places, list(ids))
        rotation = self.rotations[at].expand(experts, -1, -1, -1, -1).flatten(0, 2)
        x = self.embedding[rows].expand(experts, -1, -1)
        hidden = [x]
        for block, *rooms in zip(self.blocks, *(cache.extend() for cache in caches), strict=True):
            assert isinstance(block, Block)
            x = block.step(x, rotation, shrink, rooms)
            hidden.append(x)
        return Output(self.read_out(x).unsqueeze(2), tuple(h.unsqueeze(2) for h in hidden))

    def read_out(self, states: Tensor) -> Tensor:
        """Final norm and head of each expert: (E, ..., d) -> (E, ..., V).  On an inner layer's
        states this is the logit lens (nostalgebraist 2020)."""
        return (norm(states).flatten(1, -2) @ self.head).view(*states.shape[:-1], -1)


def fuse(logits: Tensor, weights: Tensor | None = None) -> Tensor:
    """Fused logits (..., V) of per-expert logits (E, ..., V): their mean, or a weighted sum."""
    return logits.mean(0) if weights is None else (weights @ logits.flatten(1)).view(logits.shape[1:])


def norm(x: Tensor) -> Tensor:
    """LayerNorm without parameters: a scale in front of a linear map could be folded into it."""
    return torch.layer_norm(x, x.shape[-1:])


def scaled_gelu(x: Tensor) -> Tensor:
    """sqrt 2 GELU(sqrt 2 x) = x + x erf(x) (Hendrycks 2016), for few numbers quicker here than `F.gelu`."""
    return torch.addcmul(x, x, torch.erf(x))


def rotary_table(context: int, head_width: int) -> Tensor:
    """Cosines and signed sines (2, context, hs) of rotary positions, halves convention
    (Su 2021, arXiv 2104.09864)."""
    frequencies = 10_000.0 ** (-torch.arange(0, head_width, 2) / head_width)
    angles = torch.outer(torch.arange(context).float(), frequencies)  # (T, hs / 2)
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack((torch.cat((cosines, cosines), -1), torch.cat((-sines, sines), -1)))


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn queries and keys (..., T, hs) to their positions; the sign sits in the table, so the
    swapped halves come from one roll."""
    cosines, sines = turn
    return torch.addcmul(x * cosines.to(x.dtype), x.roll(x.shape[-1] // 2, -1), sines.to(x.dtype))


def causal_mask(queries: int, keys: int, device: torch.device) -> Tensor:
    """(1, 1, T, S) booleans: the last `queries` of `keys` positions, each seeing itself and its past."""
    mask = torch.ones(queries, keys, dtype=torch.bool, device=device)
    return mask.tril(keys - queries)[None, None]
