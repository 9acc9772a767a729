"""Our own experts, opened: the arithmetic of `app.network.experts`, with a stop at every joint."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from app.intervene.interface import Edits, Inside, Past, Projected
from app.network.experts import Block, StackedExperts, causal_mask, fuse, norm, rotate
from app.network.interface import Shape

_EPSILON = 1e-5  # of torch's layer norm


class OpenedExperts:
    """`StackedExperts` as an `OpenedNetwork`; weights: of the fusion, (E,)."""

    differentiable = True

    def __init__(self, model: StackedExperts, weights: Tensor) -> None:
        self._model = model
        self.weights: Tensor | None = weights

    @property
    def shape(self) -> Shape:
        return self._model.shape

    @property
    def table(self) -> Tensor:
        return self._model.embedding

    def embed(self, ids: Tensor) -> Tensor:
        rows = self._model.embedding[ids].to(self._model.head.dtype)
        return rows.expand(self.shape.experts, -1, -1, -1)

    def lift(self, vectors: Tensor, position: int) -> Tensor:
        return vectors.to(self._model.head.dtype).expand(self.shape.experts, -1, -1)

    def block(
        self, layer: int, x: Tensor, past: Past | None = None, keep: int = 0, edits: Edits | None = None
    ) -> Inside:
        projected = self.project(layer, x, 0 if past is None else past.length, keep)
        return self.finish(layer, x[..., -keep:, :], projected.queries, projected.after(past), edits)

    def project(self, layer: int, x: Tensor, start: int = 0, keep: int = 0) -> Projected:
        weight, normed = self._block(layer).attention_in, norm(x)
        here = self._model.turns[:, start : start + x.shape[-2]]
        if not keep:
            queries, keys, values = self._by_head(normed, weight)
            return Projected(rotate(queries, tuple(here)), Past(rotate(keys, tuple(here)), values))
        (queries,) = self._by_head(normed[..., -keep:, :], weight[..., : self.shape.width])
        keys, values = self._by_head(normed, weight[..., self.shape.width :])
        return Projected(rotate(queries, tuple(here[:, -keep:])), Past(rotate(keys, tuple(here)), values))

    def finish(self, layer: int, x: Tensor, queries: Tensor, past: Past, edits: Edits | None = None) -> Inside:
        edits = edits or Edits()
        block = self._block(layer)
        heads = attend(queries, past, None).transpose(-3, -2)  # (E, B, K, H, hs)
        heads = heads if edits.heads is None else edits.heads(heads)
        attention = _mapped(heads.flatten(-2), block.attention_out)
        attention = attention if edits.attention is None else edits.attention(attention)
        middle = x + attention
        mlp = _mapped(F.gelu(_mapped(norm(middle), block.mlp_in)), block.mlp_out)
        mlp = mlp if edits.mlp is None else edits.mlp(mlp)
        return Inside(middle + mlp, heads, attention, mlp, queries, past)

    def attention(self, layer: int, x: Tensor) -> Tensor:
        projected = self.project(layer, x.to(self._model.head.dtype))
        scores = projected.queries @ projected.own.keys.transpose(-1, -2) / math.sqrt(self.shape.head_width)
        return scores.masked_fill(~causal_mask(x.shape[-2], x.shape[-2], x.device), -math.inf).softmax(-1)

    def read_out(self, states: Tensor, tokens: Sequence[int] | None = None) -> Tensor:
        head = self._model.head
        logits = self._model.read_out(states) if tokens is None else norm(states) @ head[..., list(tokens)]
        return torch.cat((logits, fuse(logits, self.weights)[None]))

    def add_parts(self, layer: int, parts: Tensor, x: Tensor, inside: Inside) -> Tensor:
        return torch.cat((parts, inside.attention[None, :, 0, -1], inside.mlp[None, :, 0, -1]))

    def read_parts(self, parts: Tensor, last: Tensor) -> Tensor:
        scale = (last.var(-1, unbiased=False, keepdim=True) + _EPSILON).sqrt()  # (E, 1)
        normed = (parts - parts.mean(-1, keepdim=True)) / scale
        logits = (normed.transpose(0, 1) @ self._model.head).transpose(0, 1)
        return F.pad(logits, (0, 0, 0, 0, 0, 1))

    def _block(self, layer: int) -> Block:
        block = self._model.blocks[layer]
        assert isinstance(block, Block)
        return block

    def _by_head(self, normed: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        """Normed states (E, B, T, d) through columns for n kinds (E, d, n d): each kind (E, B, H, T, hs)."""
        kinds = _mapped(normed, weight).view(*normed.shape[:-1], -1, self.shape.heads, self.shape.head_width)
        return kinds.permute(3, 0, 1, 4, 2, 5).unbind()


def attend(queries: Tensor, past: Past, scale: float | None, bias: Tensor | None = None) -> Tensor:
    """Causal attention of the last K of S positions: queries (E, B, H, K, hs) -> (E, B, H, K, hs).  bias: (H, K, S),
    added to the scores instead of the causal mask."""
    kept, seen = queries.shape[-2], past.keys.shape[-2]
    mask = bias
    if bias is None and 1 < kept < seen:
        mask = causal_mask(kept, seen, queries.device)  # (1, 1, K, S): with three axes, a slower way is taken
    elif bias is not None:
        mask = bias[None]
    q, k, v = (t.flatten(0, 1) for t in (queries, past.keys, past.values))
    y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None and kept == seen, scale=scale)
    return y.view(*queries.shape[:2], *y.shape[1:])


def _mapped(x: Tensor, weight: Tensor) -> Tensor:
    """(E, B, T, in) through (E, in, out)."""
    return (x.flatten(1, 2) @ weight).view(*x.shape[:-1], -1)
