"""The logit lens: what each layer of each expert would say if it were the last (nostalgebraist 2020).

Reads the hidden states that a trace holds; no forward pass.  What need not be read is not: the last layer is the
trace's own, and layer 0, the frozen picture, says the same wherever and in whatever text its token stands.
"""

import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor

from app.network.experts import StackedExperts, norm
from app.network.interface import Network
from app.system.exponentials import odds_below_
from app.system.topk import largest
from app.trace.record import Floats, Trace

_FEWEST, _MOST = 32, 320  # states read at a time: fewer take longer (measured: 160, a tenth)
_NUMBERS = _MOST * 8_192  # their logits under one expert: more are slow to find memory for
_KEPT = 4096  # readings of states of layer 0: about 8 MB

Reading = tuple[NDArray[np.int32], Floats]
"""Ids of the likeliest tokens, best first, and their natural log-probabilities, of one shape."""


@dataclass(frozen=True, eq=False)
class Lens:
    """Logit lens of every expert, layer and position: the top ids (E, L + 1, T, K), best first, and
    their natural log-probabilities.  Early layers are read through a head that was not trained for
    them: a low read-out does not prove absence (Belrose 2023, arXiv 2303.08112)."""

    ids: NDArray[np.int32]
    log_probs: Floats


class LensReader:
    """Reads the states of one network.  Several threads may share it."""

    def __init__(self, model: Network) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._kept: LRUCache[Hashable, Reading] = LRUCache(_KEPT)

    def lens(self, trace: Trace, top: int, positions: range | None = None, layers: Sequence[int] | None = None) -> Lens:
        """The lens after some of the positions, or all, at some of the layers, or all."""
        window = slice(None) if positions is None else slice(positions.start, positions.stop)
        hidden = trace.hidden[:, :, window]  # (E, L + 1, T, d)
        experts, depth, length, width = hidden.shape
        chosen = list(range(depth) if layers is None else layers)
        readings: dict[int, Reading] = {}
        if 0 in chosen:
            readings[0] = self._read_pictures(hidden[:, 0], top)
        if depth - 1 in chosen and top <= trace.candidates.shape[-1]:
            readings[depth - 1] = own_candidates(trace, window, top)
        left = sorted({*chosen} - {*readings})
        if left:
            ids, logs = self._read(hidden[:, left].reshape(experts, -1, width), top)
            for at, layer in enumerate(left):
                rows = slice(at * length, (at + 1) * length)
                readings[layer] = ids[:, rows], logs[:, rows]
        both = zip(*(readings[layer] for layer in chosen), strict=True)
        return Lens(*(np.stack(part, 1) for part in both))

    def _read_pictures(self, states: NDArray[np.floating], top: int) -> Reading:
        """The reading of states (E, T, d) of layer 0, from what was read before where the same states were met: they
        are told by their numbers, as some networks add the position to them."""
        keys = [(top, states[:, position].tobytes()) for position in range(states.shape[1])]
        with self._lock:
            known = {key: reading for key in {*keys} if (reading := self._kept.get(key)) is not None}
        fresh = {key: position for position, key in enumerate(keys) if key not in known}
        if fresh:
            ids, logs = self._read(states[:, list(fresh.values())], top)
            for at, key in enumerate(fresh):
                known[key] = ids[:, at].copy(), logs[:, at].copy()  # not a view that keeps all the others
            with self._lock:
                self._kept.update((key, known[key]) for key in fresh)
        return (
            np.stack([known[key][0] for key in keys], 1),
            np.stack([known[key][1] for key in keys], 1),
        )

    @torch.inference_mode()
    def _read(self, states: NDArray[np.floating], top: int) -> Reading:
        """What states (E, n, d) are read as, (E, n, K)."""
        ids, logs = [], []
        for rows in self._logits(torch.from_numpy(states)):
            found, chances = zip(*(_best(logits, top) for logits in rows), strict=True)
            ids.append(torch.cat(found, 1))
            logs.append(torch.cat(chances, 1))
        return torch.cat(ids).int().numpy(), torch.cat(logs).numpy()

    def _logits(self, states: Tensor) -> Iterator[Iterable[Tensor]]:
        """Logits of states (E, N, d): for one or several experts (e, n, V), some rows at a time, good until the next
        ones are asked for."""
        model, vocabulary = self._model, self._model.shape.vocabulary
        size = min(max(_NUMBERS // vocabulary, _FEWEST), _MOST)
        if not isinstance(model, StackedExperts):
            yield (model.read_out(part.float()) for part in torch.split(states, size, 1))
            return
        room = torch.empty(min(size, states.shape[1]), vocabulary)  # asking for it anew takes longer
        for rows, head in zip(norm(states.float()), model.head, strict=True):
            yield (torch.mm(part, head, out=room[: len(part)])[None] for part in torch.split(rows, size))


def _best(logits: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """Ids and log-probabilities (e, n, K) of the likeliest of logits (e, n, V), which are overwritten."""
    best, ids = largest(logits, top)
    return ids, best - odds_below_(logits, best[..., :1]).sum(-1, keepdim=True).log_().add_(best[..., :1])


def own_candidates(trace: Trace, window: slice, top: int) -> Reading:
    """What each expert said after some positions: its best ids and their log-probabilities, (E, T, K) each."""
    ids = trace.candidates[window, :-1, :top].swapaxes(0, 1)
    logits = np.stack([trace.candidate_logits[window, e, :top, e] for e in range(len(trace.experts))])
    return ids, logits - trace.log_sum_exp[window, :-1].T[..., None]
