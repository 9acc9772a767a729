"""Our own experts, opened: the arithmetic of `app.network.experts`, with a stop at every joint."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from app.intervene.interface import Edits, Inside, Past
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
        edits = edits or Edits()
        block = self._block(layer)
        queries, keys, values = self._project(block, x, 0 if past is None else past.keys.shape[-2])
        whole = Past(keys, values) if past is None else past.followed_by(keys, values)
        heads = attend(queries[..., -keep:, :], whole, None).transpose(-3, -2)  # (E, B, K, H, hs)
        heads = heads if edits.heads is None else edits.heads(heads)
        attention = _mapped(heads.flatten(-2), block.attention_out)
        attention = attention if edits.attention is None else edits.attention(attention)
        middle = x[..., -keep:, :] + attention
        mlp = _mapped(F.gelu(_mapped(norm(middle), block.mlp_in)), block.mlp_out)
        mlp = mlp if edits.mlp is None else edits.mlp(mlp)
        return Inside(middle + mlp, heads, attention, mlp, whole)

    def attention(self, layer: int, x: Tensor) -> Tensor:
        queries, keys, _ = self._project(self._block(layer), x.to(self._model.head.dtype), 0)
        scores = queries @ keys.transpose(-1, -2) / math.sqrt(self.shape.head_width)
        return scores.masked_fill(~causal_mask(x.shape[-2], x.shape[-2], x.device), -math.inf).softmax(-1)

    def read_out(self, states: Tensor) -> Tensor:
        logits = self._model.read_out(states)
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

    def _project(self, block: Block, x: Tensor, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (E, B, H, T, hs) of states (E, B, T, d), the first two turned to their places."""
        qkv = _mapped(norm(x), block.attention_in).view(*x.shape[:-1], 3, self.shape.heads, -1)
        queries, keys, values = qkv.permute(3, 0, 1, 4, 2, 5).unbind()
        cosines, sines = self._model.turns[:, start : start + x.shape[-2]]
        return rotate(queries, (cosines, sines)), rotate(keys, (cosines, sines)), values


def attend(queries: Tensor, past: Past, scale: float | None, bias: Tensor | None = None) -> Tensor:
    """Causal attention of the last K of S positions: queries (E, B, H, K, hs) -> (E, B, H, K, hs).  bias: (H, K, S),
    added to the scores instead of the causal mask."""
    kept, seen = queries.shape[-2], past.keys.shape[-2]
    mask = bias
    if bias is None and 1 < kept < seen:
        mask = causal_mask(kept, seen, queries.device)[0]
    q, k, v = (t.flatten(0, 1) for t in (queries, past.keys, past.values))
    y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None and kept == seen, scale=scale)
    return y.view(*queries.shape[:2], *y.shape[1:])


def _mapped(x: Tensor, weight: Tensor) -> Tensor:
    """(E, B, T, in) through (E, in, out)."""
    return (x.flatten(1, 2) @ weight).view(*x.shape[:-1], -1)
