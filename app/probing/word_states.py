"""Hidden states of a word list, and who is near whom in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.probing.contexts import Readings
from app.probing.word_list import Word, carried
from app.trace.record import Floats
from app.wording.errors import UserError

_BATCH = 64
_NUMBERS = 2**30  # weights times rows of one pass, so that one pass of a large model stays short

Progress = Callable[[float], bool]
"""Called with the share done, 0..1; returns whether to go on."""


@dataclass(frozen=True, eq=False)
class WordStates:
    """states (E, L + 1, n, d): of each word's last token, averaged over the sentences that it was read in.
    Layer 0 is the frozen embedding of that token.  sentences: how many real ones for each word; 0 where it
    was read in the carrier sentences of its language (the default for all)."""

    words: tuple[Word, ...]
    states: Floats
    sentences: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        assert self.states.shape[2] == len(self.words), f"{self.states.shape} for {len(self.words)} words"
        assert len(self.sentences) in (0, len(self.words)), f"{len(self.sentences)} for {len(self.words)} words"

    @property
    def in_text(self) -> int:
        """How many words were read in real sentences."""
        return sum(count > 0 for count in self.sentences)

    @cached_property
    def standard(self) -> tuple[Floats, Floats, Floats]:
        """`centred` of every expert and layer at once: unit rows (E, L + 1, n, d), mean and deviation
        (E, L + 1, d)."""
        return centred(self.states)

    def has(self, words: tuple[Word, ...]) -> bool:
        """Whether all of some words are among these."""
        return set(words) <= set(self.words)

    def places(self, words: tuple[Word, ...]) -> list[int]:
        """Where some of the words stand, in their order."""
        place = {word: i for i, word in enumerate(self.words)}
        return [place[word] for word in words]

    def subset(self, words: tuple[Word, ...]) -> "WordStates":
        """The states of some of the words, in their order."""
        rows = self.places(words)
        return WordStates(words, self.states[:, :, rows], tuple(self.sentences[i] for i in rows if self.sentences))


def word_states(
    engine: Engine,
    words: tuple[Word, ...],
    progress: Progress = lambda share: True,
    readings: Readings | None = None,
    before: bool = False,
) -> WordStates:
    """Read every word at the end of the texts that `readings` has for it, else in every carrier sentence of
    its language.  before: give the states of the token before the word, which say what the text alone says.

    Raises:
        UserError: `cancelled` when `progress` returns False.
    """
    real = [_read(engine, word, (readings or {}).get(word, ())) for word in words]
    texts = [own or _read(engine, word, carried(word)) for word, own in zip(words, real, strict=True)]
    if before:
        ends = [len(engine.ids_of(word.text)) for word in words]
        texts = [[ids[: len(ids) - end] for ids in own] for own, end in zip(texts, ends, strict=True)]
    rounds = max(map(len, texts))
    total = np.zeros(0, np.float32)
    for turn in range(rounds):
        rows = [i for i, own in enumerate(texts) if turn < len(own)]
        states = last_states(
            engine, [texts[i][turn] for i in rows], part_of(progress, turn / rounds, (turn + 1) / rounds)
        )
        if turn == 0:
            total = states
        else:
            total[:, :, rows] += states
    counts = np.array([len(own) for own in texts], np.float32)
    return WordStates(words, total / counts[:, None], tuple(map(len, real)))


def token_pictures(engine: Engine, words: tuple[Word, ...]) -> NDArray[np.bool_]:
    """Pictures (n, 32, 32) of the tokens whose states `word_states` gives: the last one of each word."""
    last = np.array([engine.ids_of(word.text)[-1] for word in words])
    pictures: NDArray[np.bool_] = engine.bundle.substrate.pictures[last]
    return pictures


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part of some work, which goes from one share of it to another."""
    return lambda share: progress(start + (end - start) * share)


def _read(engine: Engine, word: Word, texts: Sequence[str]) -> list[list[int]]:
    """Those texts, as ids, in which the word ends with the token that it has alone, so that layer 0 is one
    embedding.  (大 after 的 can be the token 的大.)"""
    last = engine.ids_of(word.text)[-1]
    return [ids for ids in map(engine.ids_of, texts) if ids[-1] == last]


@torch.inference_mode()
def last_states(engine: Engine, rows: list[list[int]], progress: Progress) -> Floats:
    """Hidden states (E, L + 1, n, d) of the last token of each row of ids; rows of one length go together.

    Raises:
        UserError: `cancelled` when `progress`, which is called before every pass, returns False.
    """
    shape = engine.model.shape
    states = np.zeros((shape.experts, shape.layers + 1, len(rows), shape.width), np.float32)
    size = max(4, min(_BATCH, _NUMBERS // max(1, engine.model.trained)))
    done, by_length = 0, dict[int, list[int]]()
    for i, row in enumerate(rows):
        by_length.setdefault(len(row), []).append(i)
    for same in by_length.values():
        for first in range(0, len(same), size):
            if not progress(done / len(rows)):
                raise UserError("cancelled")
            part = same[first : first + size]
            done += len(part)
            ids = torch.tensor([[engine.bundle.start, *rows[i]] for i in part])
            hidden = engine.model(ids, keep=1).hidden
            states[:, :, part] = torch.stack([layer[:, :, -1] for layer in hidden], 1).numpy()
    return states


def centred(states: NDArray[np.floating]) -> tuple[Floats, Floats, Floats]:
    """Standardised unit rows of states (..., n, d), with the mean and the standard deviation (..., d) taken
    out: without that, a direction common to all words rules every cosine (Timkey 2021, arXiv 2109.04404)."""
    mean, deviation = states.mean(axis=-2), np.maximum(states.std(axis=-2), 1e-6)
    rows = unit((states - mean[..., None, :]) / deviation[..., None, :])
    return rows, mean.astype(np.float32), deviation.astype(np.float32)


def unit(rows: NDArray[np.floating]) -> Floats:
    """Rows (..., d) of length one; a zero row stays zero."""
    lengths = np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    scaled: Floats = (rows / lengths).astype(np.float32)
    return scaled


def cosines(states: NDArray[np.floating]) -> Floats:
    """Cosines (n, n) of standardised states (n, d); below every cosine on the diagonal, so that no word is its own
    neighbour, not even beside its opposite."""
    rows = centred(states)[0]
    near: Floats = np.matmul(rows, rows.T, dtype=np.float32)
    np.fill_diagonal(near, -2.0)
    return near


def nearest_words(
    list_states: WordStates, expert: int, layer: int, state: Floats, count: int
) -> tuple[list[int], Floats]:
    """Rows of the words nearest to a state (d,) at a layer of an expert, best first, and their cosines:
    the state is centred and scaled like the words of that layer."""
    rows, mean, deviation = (part[expert, layer] for part in list_states.standard)
    near: Floats = rows @ unit((state.astype(np.float32) - mean) / deviation)
    order = np.argsort(-near, kind="stable")[:count]
    return order.tolist(), near[order]
