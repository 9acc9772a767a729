"""Turn rows of raw logits and hidden states into a trace, a few positions at a time.

Full rows are large (vocabulary x experts), so a writer collects at most `BLOCK` of them and reduces
each block at once: cheaper than token by token, and small whatever the vocabulary.  Where the network leaves
a core free, reducing runs beside it, and no more than two blocks wait for that.
"""

import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.network.experts import fuse
from app.network.interface import Output
from app.system.exponentials import BITS, below_, entropy
from app.system.threads import set_own_threads
from app.system.topk import largest
from app.trace.record import CANDIDATES, WEIGHT_GRID, Floats, Trace

BLOCK = 16
_CACHED = 131_072  # numbers of one expert's rows


_BESIDE = ThreadPoolExecutor(1, "trace", set_own_threads, (1,))
"""Reduces for all texts, on one core: more threads would take the network's."""


@dataclass(frozen=True, eq=False)
class _Reduced:
    """The fields of a trace for the positions of one block."""

    candidates: NDArray[np.int32]
    candidate_logits: Floats
    log_sum_exp: Floats
    mixed_log_sum_exp: Floats
    next_logits: Floats
    next_ranks: NDArray[np.int32]
    jensen_shannon: Floats
    spread: Floats
    fused_logits: Floats
    next_fused: Floats


_Packed = tuple[list[_Reduced], list[Tensor]]


class TraceWriter:
    """Collects what each forward pass gave; `finish` returns the trace.

    `add` takes the ids that were fed and the network's output for them; the logits of a position
    are reduced once the token that follows is known, block by block and on a thread of its own, while the
    network goes on to the next token.
    """

    def __init__(self, weights: Tensor, vocabulary: int) -> None:
        self._weights = weights
        self._top = min(CANDIDATES, vocabulary)
        self._outputs: list[Output] = []  # whose rows are not handed over yet, at least not the last one
        self._states: list[tuple[Tensor, ...]] = []  # each L + 1 of (E, 1, n, d), not handed over yet
        self._ids: list[int] = []
        self._jobs: list[Future[_Packed]] = []
        self._reduced = 0
        self._seconds: list[float] = []

    def add(self, ids: list[int], output: Output, seconds: float) -> Tensor:
        """Take the ids (n) of one forward pass of a single text and its output; returns the last position's logits
        (E + 1, V) of each expert and, last, their fusion."""
        self._ids.extend(ids)
        self._outputs.append(output)
        self._states.append(output.hidden)
        self._seconds.append(seconds)
        last = under(part_of(output, slice(-1, None)), self._weights)[:, -1]
        if len(self._ids) - self._reduced > BLOCK:
            self._reduce(len(self._ids) - 1)
        return last

    def _reduce(self, end: int) -> None:
        """Hand the positions up to `end` over; the token after each must be known, except at the end of the
        text."""
        count = end - self._reduced
        following = self._ids[self._reduced + 1 : end + 1]
        if len(self._jobs) > 1:
            self._jobs[-2].result()  # no more than two blocks of rows are held
        job = partial(reduce_block, self._outputs, self._states, count, following, self._top, self._weights)
        self._jobs.append(_BESIDE.submit(job) if spare_core() else _done(job))
        self._outputs = [part_of(self._outputs[-1], slice(-1, None))]
        self._states = []
        self._reduced = end

    def finish(
        self,
        texts: list[str],
        experts: tuple[str, ...],
        prompt: int,
        model: str,
        sampling: Mapping[str, float] | None = None,
    ) -> Trace:
        """The trace of everything added; `texts` are the texts of the ids, one each; the others as in `Trace`."""
        learned = self._outputs[-1].fused is not None
        self._reduce(len(self._ids))
        done = [job.result() for job in self._jobs]
        blocks = [block for part, _ in done for block in part]
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(block, name) for block in blocks]) for name in _Reduced.__dataclass_fields__
        }
        if not learned:  # then they follow from the experts' logits
            joined["fused_logits"] = joined["next_fused"] = None
        return Trace(
            ids=np.array(self._ids),
            texts=tuple(texts),
            experts=experts,
            prompt=prompt,
            weights=self._weights.numpy().copy(),
            hidden=torch.cat([states for _, part in done for states in part], 2).numpy(),
            seconds=tuple(self._seconds),
            model=model,
            sampling=sampling,
            **joined,
        )


def spare_core() -> bool:
    """Whether the network leaves a core free: on one that it wants, work beside it would only hold it up."""
    return torch.get_num_threads() < (os.cpu_count() or 1)


def _done(job: Callable[[], _Packed]) -> Future[_Packed]:
    """A job done here and now."""
    future: Future[_Packed] = Future()
    future.set_result(job())
    return future


def part_of(output: Output, positions: slice) -> Output:
    """What a network put out for some positions, without the states."""
    fused = output.fused if output.fused is None else output.fused[:, positions]
    return Output(output.logits[:, :, positions], (), fused)


def under(output: Output, weights: Tensor) -> Tensor:
    """Logits (E + 1, n, V) of one text under each expert and, last, their fusion: the network's own where it
    has one, else the weighted sum."""
    rows = output.logits[:, 0]
    return torch.cat((rows, fuse(rows, weights)[None] if output.fused is None else output.fused))


@torch.inference_mode()
def reduce_block(
    pieces: list[Output], hidden: list[tuple[Tensor, ...]], count: int, following: list[int], top: int, weights: Tensor
) -> _Packed:
    """Reduce the first `count` positions of some outputs, `following` ids after them; and pack all states that there
    are, (E, L + 1, n, d), in half precision where they fit."""
    whole = pieces[0] if len(pieces) == 1 else _in_a_row(pieces)
    size = max(1, min(BLOCK, _CACHED // whole.logits.shape[-1]))  # so many rows at a time stay in the processor's cache
    blocks = [
        reduce_rows(
            under(part_of(whole, slice(first, min(first + size, count))), weights), following[first : first + size], top
        )
        for first in range(0, count, size)
    ]
    if not hidden:  # the last row waits for its token, its states do not
        return blocks, []
    states = torch.stack([torch.cat(layer, 2)[:, 0] for layer in zip(*hidden, strict=True)], 1)
    small = states.half()
    return blocks, [small if bool(small.isfinite().all()) else states]


def _in_a_row(pieces: list[Output]) -> Output:
    """The outputs for one stretch of a text after the other, as one, without the states."""
    fused = [piece.fused for piece in pieces if piece.fused is not None]
    return Output(torch.cat([piece.logits for piece in pieces], 2), (), torch.cat(fused, 1) if fused else None)


def reduce_rows(under: Tensor, following: list[int], top: int) -> _Reduced:
    """Reduce raw logits (E + 1, n, V), which are overwritten; `following` holds the next ids of the first n, or n - 1,
    rows."""
    experts, count, known = len(under) - 1, under.shape[1], len(following)
    best, places = largest(under, top)
    ids = places.transpose(0, 1)  # (n, E + 1, K)
    flat = ids.reshape(1, count, -1).expand(experts, -1, -1)
    logits = under[:-1].gather(-1, flat).view(experts, *ids.shape).movedim(0, -1)  # (n, E + 1, K, E)
    at = torch.tensor(following, dtype=torch.long).view(1, -1, 1)
    next_all = under[:, :known].gather(-1, at.expand(experts + 1, -1, -1))  # (E + 1, known, 1)
    next_logits = nan_after(next_all[:experts, :, 0], count).T
    ranks = torch.zeros(count, experts + 1, dtype=torch.int32)
    above = np.count_nonzero(under[:, :known].numpy() > next_all.numpy(), axis=-1)  # many times torch's pace
    ranks[:known] = torch.from_numpy(above).T + 1
    fused_logits = under[-1].gather(-1, ids[:, -1])
    bits = below_(under, best[..., :1])
    odds = bits.exp2()
    sums = odds.sum(-1)  # (E + 1, n)
    jensen_shannon = _jensen_shannon(odds[:-1], bits[:-1], sums[:-1])
    mixed = _mixed(bits[:-1], sums[:-1], best[:-1, :, 0])
    spread = _spread(bits[:-1])  # the last: it overwrites them
    return _Reduced(
        candidates=ids.int().numpy(),
        candidate_logits=logits.numpy(),
        log_sum_exp=sums.log().add_(best[..., 0]).T.numpy(),
        mixed_log_sum_exp=mixed.numpy(),
        next_logits=next_logits.numpy(),
        next_ranks=ranks.numpy(),
        jensen_shannon=jensen_shannon.numpy(),
        spread=spread.T.numpy(),
        fused_logits=fused_logits.numpy(),
        next_fused=nan_after(next_all[experts, :, 0], count).numpy(),
    )


def nan_after(values: Tensor, count: int) -> Tensor:
    """(..., known) -> (..., count), filled up with NaN."""
    return torch.nn.functional.pad(values, (0, count - values.shape[-1]), value=math.nan)


def _mixed(bits: Tensor, sums: Tensor, best: Tensor) -> Tensor:
    """Log-sum-exp (n, W) of two experts' fusion at every weight of the grid; (n, 1), of the plain mean, of any other
    number.  bits (E, n, V): how far their logits are `below_` their best (E, n); sums (E, n): of their odds, which are
    the ends of the grid.

    From one weight to the next every term grows by the same factor, the experts' likelihood ratio to the
    power of the grid's step: two exponentials of a row instead of one for each weight.
    """
    if len(bits) != 2:
        return (bits.mean(0) / BITS).logsumexp(-1)[:, None] + best.mean(0)[:, None]
    weights = torch.from_numpy(WEIGHT_GRID)
    known = torch.outer(best[0], weights) + torch.outer(best[1], 1 - weights)
    middle, step = len(WEIGHT_GRID) // 2, 1 / (len(WEIGHT_GRID) - 1)
    factor, even = (bits[0] - bits[1]).mul_(step).exp2_(), (bits[0] + bits[1]).mul_(0.5).exp2_()
    term, columns = even.clone(), [even.sum(-1)]
    for _ in range(middle - 1):
        columns.append(term.mul_(factor).sum(-1))
    factor.reciprocal_()
    for _ in range(middle - 1):
        columns.insert(0, even.mul_(factor).sum(-1))
    inner = torch.stack(columns, 1)
    if not bool((inner.isfinite() & (inner > 0)).all()):  # logits hundreds apart
        exact = [(torch.lerp(bits[1], bits[0], float(w)) / BITS).logsumexp(-1) for w in WEIGHT_GRID]
        return torch.stack(exact, 1) + known
    return torch.cat((sums[1, :, None], inner, sums[0, :, None]), 1).log_() + known


def _jensen_shannon(odds: Tensor, bits: Tensor, sums: Tensor) -> Tensor:
    """Jensen-Shannon divergence (n,) in bits of odds (E, n, V), which are overwritten, with their base-2 logarithms and
    their sums (E, n): H(mean p) - mean H(p)  (Lin 1991)."""
    chances = odds.div_(sums[..., None])
    of_mixture = entropy(chances.mean(0))
    return (of_mixture - (sums.log2() - chances.mul_(bits).sum(-1)).mean(0)).clamp_min_(0)


def _spread(bits: Tensor) -> Tensor:
    """Standard deviation (E, n), in nats, of rows (E, n, V) in bits, which are overwritten; in two plain passes,
    quicker here than `std`."""
    centred = bits.sub_(bits.mean(-1, keepdim=True))
    lengths: Tensor = torch.linalg.vector_norm(centred, dim=-1)
    return lengths / (math.sqrt(bits.shape[-1] - 1) * BITS)
