"""The engine: text in, traces and streamed tokens out.  All limits live here.

The engine is read-only after loading: any number of generations may share it, each with a cache
and a random generator of its own.  It knows nothing about pages.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from app.checkpoint.bundle import Bundle
from app.engine.lens import Lens, LensReader
from app.engine.sampling import Sampling, draw
from app.engine.trace_writer import TraceWriter
from app.network.experts import StackedExperts
from app.network.interface import KeyValues, Output
from app.substrate.plain_text import plain_text
from app.trace.record import Floats, Trace
from app.wording.errors import UserError

MAX_CHARACTERS = 2_000
"""Longest prompt that is tokenized at all; the limit in tokens is the model's context."""


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
"""A run in progress: a generator that yields ids to read, is sent the network's output, and yields steps."""


class Engine:
    """Runs one loaded checkpoint."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.model = bundle.model
        self.context = bundle.model.shape.context
        self._ends = {bundle.start, *bundle.ends}
        self._lens_reader = LensReader(bundle.model)
        self._encoded: tuple[str | None, tuple[int, ...]] = (None, ())  # the last text
        self._unknown = unknown_id(bundle.tokenizer)
        specials = (self._unknown, *map(bundle.tokenizer.token_to_id, ("<pad>", "<s>", "[PAD]", "[CLS]", "[MASK]")))
        without = (i for i in range(bundle.model.shape.vocabulary) if bundle.tokenizer.id_to_token(i) is None)
        never = {i for i in (*specials, *without) if i is not None} - self._ends
        self._banned = torch.zeros(bundle.model.shape.vocabulary)  # added to the logits before a token is drawn
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
        known, ids = self._encoded
        if known != text:  # a translation asks how long its frame is, and then has it written on
            ids = tuple(self.bundle.tokenizer.encode(plain_text(text), add_special_tokens=False).ids)
            self._encoded = (text, ids)
        return list(ids)

    def unknown(self, text: str) -> list[str]:
        """Distinct characters of a text that the vocabulary lacks: the model sees <unk> for them."""
        known, unknown = self.bundle.tokenizer.token_to_id, self._unknown
        missing = [c for c in dict.fromkeys(plain_text(text)) if known(c) is None]
        return [c for c in missing if unknown in (ids := self.ids_of(c)) or not ids]  # else made of smaller pieces

    def look(self, text: str, weights: Sequence[float] | None = None) -> Trace:
        """Read a text once, teacher-forced, and return its trace (see `Engine.encode` for errors)."""
        *_, last = self._alone(self.reading(self.encode(text), weights))
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

        Ends after `sampling.new_tokens`, at the end of the context, when the fusion draws the end of the text, or when
        `stop()` returns True; a closing step carries the trace.  The same arguments give the same tokens.
        """
        return self._alone(self.writing(self.encode(prompt), sampling, weights, stop))

    def reading(self, ids: list[int], weights: Sequence[float] | None = None) -> EngineRun:
        """`look` at encoded text as a generator, for a caller that batches several.

        Raises:
            UserError: for weights that do not fit the experts.
        """
        return self._run([self.bundle.start, *ids], self._weights(weights))

    def writing(
        self,
        ids: list[int],
        sampling: Sampling | None = None,
        weights: Sequence[float] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> EngineRun:
        """`generate` from an encoded prompt as a generator, for a caller that batches several.

        Raises:
            UserError: `many_tokens` for a prompt that leaves no room; for weights that do not fit the experts.
        """
        if len(ids) >= self.context - 1:
            raise UserError("many_tokens", length=len(ids), limit=self.context - 2)
        return self._run([self.bundle.start, *ids], self._weights(weights), sampling or Sampling(), stop)

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
    def _run(
        self, ids: list[int], blend: Tensor, sampling: Sampling | None = None, stop: Callable[[], bool] = lambda: False
    ) -> EngineRun:
        """Read ids, start token included, write on if there is a sampling, and close with the trace."""
        prompt, room, generator = len(ids), 0, torch.Generator()
        writer = TraceWriter(blend, self.model.shape.vocabulary)
        cache = None
        if sampling is not None:
            room = min(self.context - prompt, int(sampling.new_tokens))
            generator.manual_seed(int(sampling.seed))
            cache = self.model.new_cache(prompt + room)
        read = ids
        while True:
            started = time.perf_counter()
            output = yield Feed(read, cache)
            assert output is not None, "a feed is answered by the network's output"
            row = writer.add(read, output, time.perf_counter() - started)  # (E + 1, V)
            if sampling is None or len(ids) == prompt + room:
                break
            drawn = draw(row[-1] + self._banned, sampling, generator)
            if drawn in self._ends or stop():
                break
            yield Step(drawn, self.text_of(drawn), scores(row, drawn))
            ids, read = [*ids, drawn], [drawn]
        texts = [self.text_of(i) for i in ids]
        drawn_with = None if sampling is None else asdict(sampling)
        trace = writer.finish(texts, self.bundle.experts, prompt, self.bundle.name, drawn_with)
        yield Step(None, "", np.zeros(0, np.float32), trace)

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

    def lens(
        self, trace: Trace, top: int = 5, positions: range | None = None, layers: Sequence[int] | None = None
    ) -> Lens:
        """Logit lens: what each layer would say if it were the last, after some of the positions or all, at some of
        the layers or all."""
        return self._lens_reader.lens(trace, top, positions, layers)

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
