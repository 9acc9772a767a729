"""The engine: text in, traces and streamed tokens out.  All limits live here.

The engine is read-only after loading: any number of generations may share it, each with a cache
and a random generator of its own.  It knows nothing about pages.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from app.checkpoint.bundle import Bundle
from app.engine.sampling import Sampling, draw
from app.engine.trace_writer import TraceWriter
from app.network.experts import StackedExperts
from app.network.interface import KeyValues, Output
from app.substrate.plain_text import plain_text
from app.system.topk import largest
from app.trace.record import Floats, Trace
from app.wording.errors import UserError

MAX_CHARACTERS = 2_000
"""Longest prompt that is tokenized at all; the limit in tokens is the model's context."""

_LENS_ROWS = 64  # states read at a time: their logits stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Step:
    """One generated token: its id, its text, and its log-probabilities (E + 1,) in nats under each
    expert and the fusion.  The closing step has no token (id None) but the whole trace."""

    id: int | None
    text: str
    log_probs: Floats
    trace: Trace | None = None


@dataclass(frozen=True, eq=False)
class Feed:
    """Ids that a run wants the network to read, with the cache to read them into: what `Engine.feed` answers."""

    ids: list[int]
    cache: Any


EngineRun = Generator[Feed | Step, Output | None, None]
"""A run under way: it yields what it wants read, takes the network's output, and yields what came of it."""


@dataclass(frozen=True, eq=False)
class Lens:
    """Logit lens of every expert, layer and position: the top ids (E, L + 1, T, K), best first, and
    their natural log-probabilities.  Early layers are read through a head that was not trained for
    them: a low read-out does not prove absence (Belrose 2023, arXiv 2303.08112)."""

    ids: NDArray[np.int32]
    log_probs: Floats


class Engine:
    """Runs one loaded checkpoint."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.model = bundle.model
        self.context = bundle.model.shape.context
        self._ends = {bundle.start, *bundle.ends}
        self._unknown = unknown_id(bundle.tokenizer)
        specials = (self._unknown, *map(bundle.tokenizer.token_to_id, ("<pad>", "<s>", "[PAD]", "[CLS]", "[MASK]")))
        without = (i for i in range(bundle.model.shape.vocabulary) if bundle.tokenizer.id_to_token(i) is None)
        never = {i for i in (*specials, *without) if i is not None} - self._ends
        self._banned = torch.zeros(bundle.model.shape.vocabulary)  # added to what is drawn from
        self._banned[list(never)] = -torch.inf

    def encode(self, text: str) -> list[int]:
        """Ids of a prompt, without the start token.

        Raises:
            UserError: for no text, too long a text, or characters that cannot be text at all.
        """
        if not isinstance(text, str) or not text.strip():
            raise UserError("empty_prompt")
        if len(text) > MAX_CHARACTERS:
            raise UserError("long_prompt", length=len(text), limit=MAX_CHARACTERS)
        ids = self.ids_of(text)
        if all(i == self._unknown or not self.text_of(i).strip() for i in ids):
            raise UserError("unknown_prompt")
        if len(ids) > self.context - 1:
            raise UserError("many_tokens", length=len(ids), limit=self.context - 1)
        return ids

    def ids_of(self, text: str) -> list[int]:
        """Ids of any text, without the start token and without limits; <unk> for what the vocabulary lacks."""
        ids: list[int] = self.bundle.tokenizer.encode(plain_text(text), add_special_tokens=False).ids
        return ids

    def unknown(self, text: str) -> list[str]:
        """Distinct characters of a text that the vocabulary lacks: the model sees <unk> for them."""
        known, unknown = self.bundle.tokenizer.token_to_id, self._unknown
        missing = [c for c in dict.fromkeys(plain_text(text)) if known(c) is None]
        return [c for c in missing if unknown in (ids := self.ids_of(c)) or not ids]  # else made of smaller pieces

    def look(self, text: str, weights: Sequence[float] | None = None) -> Trace:
        """Read a text once, teacher-forced, and return its trace (see `Engine.encode` for errors)."""
        *_, last = self._alone(self.reading(text, weights))
        assert last.trace is not None, "the closing step has the trace"
        return last.trace

    def generate(
        self,
        prompt: str,
        sampling: Sampling | None = None,
        weights: Sequence[float] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Step]:
        """Continue a prompt, one forward pass a token, and yield each token as it is drawn.

        Ends after `sampling.new_tokens`, at the end of the context, when the fusion draws the end
        of the text, or when `stop()` says so; a closing step carries the trace.  The same arguments
        give the same tokens.
        """
        return self._alone(self.writing(prompt, sampling, weights, stop))

    def reading(self, text: str, weights: Sequence[float] | None = None) -> EngineRun:
        """`look` as a generator, for a caller that batches several."""
        ids = [self.bundle.start, *self.encode(text)]
        return self._read(ids, self._weights(weights))

    def writing(
        self,
        prompt: str,
        sampling: Sampling | None = None,
        weights: Sequence[float] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> EngineRun:
        """`generate` as a generator, for a caller that batches several."""
        ids = [self.bundle.start, *self.encode(prompt)]
        if len(ids) >= self.context:
            raise UserError("many_tokens", length=len(ids) - 1, limit=self.context - 2)
        return self._steps(ids, sampling or Sampling(), self._weights(weights), stop)

    def _alone(self, run: EngineRun) -> Iterator[Step]:
        """Feed one run as it goes."""
        output: Output | None = None
        while True:
            try:
                wanted = run.send(output)
            except StopIteration:
                return
            output = None
            if isinstance(wanted, Feed):
                output = self.feed([wanted])[0]
            else:
                yield wanted

    @torch.inference_mode()
    def feed(self, wanted: Sequence[Feed]) -> list[Output]:
        """The network's output for every feed: runs that are a single token further go through it together."""
        together = [f for f in wanted if len(f.ids) == 1 and isinstance(f.cache, KeyValues)]
        outputs = {}
        if together:
            assert isinstance(self.model, StackedExperts), "other networks have caches of their own"
            whole = self.model.step([f.ids[0] for f in together], [f.cache for f in together])
            for row, feed in enumerate(together):
                outputs[id(feed)] = whole if len(together) == 1 else part_of_output(whole, row)
        return [outputs.get(id(f)) or self.model(torch.tensor([f.ids]), cache=f.cache) for f in wanted]

    @torch.inference_mode()
    def _read(self, ids: list[int], blend: Tensor) -> EngineRun:
        writer = TraceWriter(blend, self.model.shape.vocabulary)
        yield from self._forward(ids, None, writer)
        yield self._last(writer, ids, len(ids))

    @torch.inference_mode()
    def _steps(self, ids: list[int], sampling: Sampling, blend: Tensor, stop: Callable[[], bool]) -> EngineRun:
        prompt, room = len(ids), min(self.context - len(ids), int(sampling.new_tokens))
        generator = torch.Generator().manual_seed(int(sampling.seed))
        writer = TraceWriter(blend, self.model.shape.vocabulary)
        cache = self.model.new_cache(len(ids) + room)
        row = yield from self._forward(ids, cache, writer)
        for _ in range(room):
            drawn = draw(row[-1] + self._banned, sampling, generator)
            if drawn in self._ends or stop():
                break
            yield Step(drawn, self.text_of(drawn), scores(row, drawn))
            ids = [*ids, drawn]
            row = yield from self._forward([drawn], cache, writer)
        yield self._last(writer, ids, prompt)

    def _forward(
        self, ids: list[int], cache: Any, writer: TraceWriter
    ) -> Generator[Feed | Step, Output | None, Tensor]:
        """Have ids read, record them, and return the last position's logits (E + 1, V): each expert's, the
        fusion's."""
        started = time.perf_counter()
        output = yield Feed(ids, cache)
        assert output is not None, "a feed is answered by the network's output"
        return writer.add(ids, output, time.perf_counter() - started)[:, -1]

    def _last(self, writer: TraceWriter, ids: list[int], prompt: int) -> Step:
        return Step(None, "", np.zeros(0, np.float32), self._finish(writer, ids, prompt))

    def _finish(self, writer: TraceWriter, ids: list[int], prompt: int) -> Trace:
        return writer.finish([self.text_of(i) for i in ids], self.bundle.experts, prompt, self.bundle.name)

    def text_of(self, token: int) -> str:
        """The text of an id, special tokens by their names."""
        return self.bundle.substrate.tokens[token]

    def _weights(self, weights: Sequence[float] | None) -> Tensor:
        count = len(self.bundle.experts)
        if weights is None:
            own = self.bundle.weights
            return torch.full((count,), 1 / count) if own is None else torch.tensor(own)
        if not self.bundle.adjustable:
            raise UserError("fixed_weights")
        try:
            blend = torch.tensor([float(w) for w in weights])
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError("bad_weights", count=count) from error
        if len(blend) != count or not bool((blend >= 0).all()) or not abs(float(blend.sum()) - 1) < 1e-4:
            raise UserError("bad_weights", count=count)
        return blend

    @torch.inference_mode()
    def lens(self, trace: Trace, top: int = 5, positions: range | None = None) -> Lens:
        """Logit lens: what each layer would say if it were the last (nostalgebraist 2020), after some of the
        positions or all.  Reads the stored hidden states (float16); no forward pass."""
        window = slice(None) if positions is None else slice(positions.start, positions.stop)
        states = torch.from_numpy(trace.hidden[:, :, window]).float()  # (E, L + 1, T, d)
        parts = torch.split(states.flatten(1, 2), _LENS_ROWS, 1)
        ids, logs = zip(*(self._best(part, top) for part in parts), strict=True)
        shape = (*states.shape[:3], top)
        return Lens(torch.cat(ids, 1).view(shape).int().numpy(), torch.cat(logs, 1).view(shape).numpy())

    def _best(self, states: Tensor, top: int) -> tuple[Tensor, Tensor]:
        """The ids that states (E, n, d) are read as, best first, and their log-probabilities, (E, n, K) each."""
        logits = self.model.read_out(states)
        best, ids = largest(logits, top)
        return ids, best - logits.logsumexp(-1, keepdim=True)

    @torch.inference_mode()
    def read_position(self, trace: Trace, position: int) -> Floats:
        """Log-probabilities (E, L + 1, V) of the next token at one position, read at every layer from
        the stored hidden states (float16); no forward pass."""
        states = torch.from_numpy(trace.hidden[:, :, position]).float()  # (E, L + 1, d)
        logs: Floats = self.model.read_out(states).log_softmax(-1).numpy()
        return logs


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id that a tokenizer gives to what it has no token for, if there is one."""
    names = (getattr(tokenizer.model, "unk_token", None), "<unk>", "[UNK]")
    return next((i for name in names if isinstance(name, str) and (i := tokenizer.token_to_id(name)) is not None), None)


def part_of_output(whole: Output, row: int) -> Output:
    """What a network put out for one of several texts."""
    part = slice(row, row + 1)
    return Output(whole.logits[:, part], tuple(layer[:, part] for layer in whole.hidden))


def scores(row: Tensor, token: int) -> Floats:
    """Log-probabilities (E + 1,) of a token under each expert and their fusion, from logits (E + 1, V)."""
    return row.log_softmax(-1)[:, token].numpy()
