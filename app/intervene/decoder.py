"""Imported networks that run in our decoder, opened: all styles of it, one expert after the other."""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from app.foreign.compute.blocks import Parts, mlp, project, score_mask, turn
from app.foreign.compute.decoder import Decoder, Expert
from app.foreign.compute.norms import Norm
from app.intervene.interface import Edits, Inside, Past, Projected
from app.intervene.stacked import attend
from app.network.interface import Shape


class OpenedDecoder:
    """`Decoder` as an `OpenedNetwork`.  States stay in the decoder's number format until they are read out.
    weights: of the fusion (E,), None where only the network itself can fuse."""

    def __init__(self, decoder: Decoder, weights: Tensor | None) -> None:
        self._decoder = decoder
        self._style = decoder.style
        self.weights = weights

    @property
    def shape(self) -> Shape:
        return self._decoder.shape

    @property
    def differentiable(self) -> bool:
        return self._decoder.dtype == torch.float32 and all(
            torch.is_tensor(getattr(m, "weight", None)) for e in self._decoder.experts for m in e.blocks[0].mlp_in
        )

    @property
    def table(self) -> Tensor:
        return self._decoder.embedding

    def embed(self, ids: Tensor) -> Tensor:
        rows = [self._placed(expert, expert.table[ids], 0) for expert in self._decoder.experts]
        return torch.stack(rows)

    def lift(self, vectors: Tensor, position: int) -> Tensor:
        rows = [self._placed(expert, vectors[:, None], position)[:, 0] for expert in self._decoder.experts]
        return torch.stack(rows)

    def _placed(self, expert: Expert, rows: Tensor, start: int) -> Tensor:
        """Rows of the table (B, T, d) as the first block reads them."""
        x = expert.scale * rows.to(self._decoder.dtype)
        if expert.positions is None:
            return x
        return x + expert.positions[start : start + x.shape[1]].to(x.dtype)

    def block(
        self, layer: int, x: Tensor, past: Past | None = None, keep: int = 0, edits: Edits | None = None
    ) -> Inside:
        projected = self.project(layer, x, 0 if past is None else past.length, keep)
        return self.finish(layer, x[..., -keep:, :], projected.queries, projected.after(past), edits)

    def project(self, layer: int, x: Tensor, start: int = 0, keep: int = 0) -> Projected:
        each = [self._project(p, _normed(self._first(p), rows), start) for p, rows in self._each(layer, x)]
        queries, keys, values = (torch.stack(same) for same in zip(*each, strict=True))
        return Projected(queries[..., -keep:, :], Past(keys, values))

    def finish(self, layer: int, x: Tensor, queries: Tensor, past: Past, edits: Edits | None = None) -> Inside:
        edits = edits or Edits()
        heads = self._attend(queries, past).transpose(-3, -2)
        heads = heads if edits.heads is None else edits.heads(heads)
        attention = self._all(layer, heads.flatten(-2), lambda parts, rows: parts.attention_out(rows))
        attention = attention if edits.attention is None else edits.attention(attention)
        before_mlp = self._before_mlp(layer, x, attention)
        given = self._all(layer, before_mlp, lambda parts, rows: _normed(self._second(parts), rows))
        added = self._all(layer, given, lambda parts, rows: mlp(self._style, parts, rows))
        added = added if edits.mlp is None else edits.mlp(added)
        return Inside(self._after(layer, x, attention, before_mlp, added), heads, attention, added, queries, past)

    def attention(self, layer: int, x: Tensor) -> Tensor:
        projected = self.project(layer, x.to(self._decoder.dtype))
        scores = projected.queries @ self._repeated(projected.own.keys).transpose(-1, -2)
        scores = self._style.scale * scores.float()
        return (scores + score_mask(self._style, x.shape[-2], x.shape[-2], scores.dtype)).softmax(-1)

    def read_out(self, states: Tensor, tokens: Sequence[int] | None = None) -> Tensor:
        logits = self._decoder.read_out(states)
        if self._decoder.fuse is not None:
            fused = self._decoder.fuse(states.to(self._decoder.dtype))
        else:
            assert self.weights is not None, "a fusion that is no weighted sum has a function of its own"
            fused = torch.tensordot(self.weights, logits, 1)
        logits = torch.cat((logits, fused.float()[None]))
        return logits if tokens is None else logits[..., list(tokens)]

    def add_parts(self, layer: int, parts: Tensor, x: Tensor, inside: Inside) -> Tensor:
        attention, added = inside.attention[None, :, 0, -1], inside.mlp[None, :, 0, -1]
        if self._style.placement != "post":
            return torch.cat((parts, attention, added))
        # A norm after an addition rescales all that was added so far; its bias goes to what was added last.
        sums = x + attention[0]
        first = self._through(layer, torch.cat((parts, attention)), sums, first=True)
        middle = self._all(layer, sums, lambda p, rows: _normed(p.first_norm, rows))
        return self._through(layer, torch.cat((first, added)), middle + added[0], first=False)

    def _through(self, layer: int, parts: Tensor, total: Tensor, first: bool) -> Tensor:
        """Parts (P, E, d) of a total (E, d) through a norm of the block at its actual scale."""
        done = []
        for own, rows, sums in zip(self._blocks(layer), parts.unbind(1), total, strict=True):
            scaled, bias = frozen(own.first_norm if first else own.second_norm, rows, sums)
            scaled[-1] += bias
            done.append(scaled)
        return torch.stack(done, 1)

    def read_parts(self, parts: Tensor, last: Tensor) -> Tensor:
        each = []
        for expert, rows, total in zip(self._decoder.experts, parts.unbind(1), last, strict=True):
            scaled, bias = frozen(expert.norm, rows.float(), total.float())
            at_zero = expert.head(torch.zeros_like(bias)[None].to(self._decoder.dtype)).float()  # the head's own bias
            lines = torch.cat((scaled, bias[None])).to(self._decoder.dtype)
            logits = expert.head(lines).float() - at_zero
            logits[-1] += at_zero[0]
            each.append(expert.head_scale * logits)
        return torch.stack(each, 1)

    def _before_mlp(self, layer: int, x: Tensor, attention: Tensor) -> Tensor:
        """What the MLP's half of the block starts from."""
        if self._style.placement == "parallel":
            return x
        if self._style.placement == "post":
            return self._all(layer, x + attention, lambda parts, rows: _normed(parts.first_norm, rows))
        return x + attention

    def _after(self, layer: int, x: Tensor, attention: Tensor, before_mlp: Tensor, added: Tensor) -> Tensor:
        if self._style.placement == "parallel":
            return x + attention + added
        if self._style.placement == "post":
            return self._all(layer, before_mlp + added, lambda parts, rows: _normed(parts.second_norm, rows))
        return before_mlp + added

    def _first(self, parts: Parts) -> Norm | None:
        return None if self._style.placement == "post" else parts.first_norm

    def _second(self, parts: Parts) -> Norm | None:
        return None if self._style.placement == "post" else parts.second_norm

    def _blocks(self, layer: int) -> list[Parts]:
        return [expert.blocks[layer] for expert in self._decoder.experts]

    def _each(self, layer: int, x: Tensor) -> Iterator[tuple[Parts, Tensor]]:
        return zip(self._blocks(layer), x, strict=True)

    def _all(self, layer: int, x: Tensor, step: Callable[[Parts, Tensor], Tensor]) -> Tensor:
        return torch.stack([step(parts, rows) for parts, rows in self._each(layer, x)])

    def _project(self, parts: Parts, rows: Tensor, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, heads, T, hs) of normed states (B, T, d), turned to their places."""
        queries, keys, values = project(self._style, parts.attention_in, rows)
        if self._decoder.turns is not None:
            here = self._decoder.turns[start : start + rows.shape[-2]]
            queries, keys = turn(self._style, queries, here), turn(self._style, keys, here)
        return queries, keys, values

    def _attend(self, queries: Tensor, past: Past) -> Tensor:
        repeated = Past(self._repeated(past.keys), self._repeated(past.values))
        kept, seen = queries.shape[-2], past.keys.shape[-2]
        bias = score_mask(self._style, kept, seen, queries.dtype) if self._style.slopes else None
        return attend(queries, repeated, self._style.scale, bias)

    def _repeated(self, keys: Tensor) -> Tensor:
        """Keys or values of fewer heads, once for every head of the queries."""
        times = self._style.heads // self._style.key_heads
        return keys if times == 1 else keys.repeat_interleave(times, -3)


def _normed(norm: Norm | None, x: Tensor) -> Tensor:
    return x if norm is None else norm(x)


def frozen(norm: Norm | None, parts: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
    """A norm as the linear map that it is at one state: parts (P, d) that add up to `total` (d,) -> what each of them
    gives, and the norm's bias (d,); together they add up to norm(total)."""
    if norm is None:
        return parts.clone(), torch.zeros_like(total)
    centred = (total - total.mean(), parts - parts.mean(-1, keepdim=True)) if norm.centred else (total, parts)
    scale = math.sqrt(float(centred[0].double().square().mean()) + norm.epsilon)
    weight = torch.ones_like(total) if norm.weight is None else norm.weight.to(total.dtype)
    bias = torch.zeros_like(total) if norm.bias is None else norm.bias.to(total.dtype)
    return centred[1] / scale * weight, bias
