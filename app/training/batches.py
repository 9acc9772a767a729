"""Training batches: token streams of several languages in, a reproducible order of rows out.

The whole order is a function of (streams, mix, seed), so that a run killed at any step resumes
with the very next row, and a longer run begins with the rows of a shorter one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Ids = NDArray[np.uint16]


def token_stream(lines: Iterable[str], tokenizer: Tokenizer, separator: int, seed: int) -> Ids:
    """All lines shuffled and joined: separator, line, separator, line, … (n,)."""
    encoded = [
        np.array([separator, *encoding.ids], np.uint16)
        for encoding in tokenizer.encode_batch(list(lines), add_special_tokens=False)
    ]
    order = np.random.default_rng(seed).permutation(len(encoded))
    return np.concatenate([encoded[row] for row in order])


@dataclass(frozen=True, eq=False)
class Rows:
    """The order of training rows.  `languages[n]` is the language of row n, `starts[n]` where its
    `length` + 1 tokens begin in that language's stream."""

    streams: Mapping[str, Ids]
    languages: list[str]
    starts: NDArray[np.int64]
    length: int

    def batch(self, first: int, count: int) -> NDArray[np.int64]:
        """Rows first .. first + count as (count, length + 1) ids: inputs and, shifted, targets."""
        rows = range(first, first + count)
        return np.stack(
            [
                self.streams[self.languages[n]][self.starts[n] : self.starts[n] + self.length + 1].astype(np.int64)
                for n in rows
            ]
        )


def order_rows(streams: Mapping[str, Ids], mix: Mapping[str, float], count: int, length: int, seed: int) -> Rows:
    """Draw `count` rows: each from a language with its share of `mix`, without repetition until
    a stream is used up; then its windows are cut anew at another phase.

    Raises:
        ValueError: when a stream is shorter than two rows.
    """
    names = sorted(mix)
    shares = np.cumsum([mix[name] for name in names])
    drawn = np.random.default_rng(seed).random(count) * shares[-1]
    picks = np.searchsorted(shares, drawn, side="right")
    starts = np.zeros(count, np.int64)
    for i, name in enumerate(names):
        mine = np.flatnonzero(picks == i)
        starts[mine] = _windows(len(streams[name]), len(mine), length, seed + 1 + i)
    return Rows(streams, [names[i] for i in picks], starts, length)


def _windows(tokens: int, count: int, length: int, seed: int) -> NDArray[np.int64]:
    per_epoch = (tokens - length - 1) // length
    if per_epoch < 1:
        raise ValueError(f"A stream of {tokens} tokens is too short for rows of {length}: add text.")
    generator = np.random.default_rng(seed)
    epochs = []
    for _ in range(-(-count // per_epoch)):
        phase = generator.integers(length)
        epochs.append(phase + length * generator.permutation(per_epoch))
    return np.concatenate([*epochs, np.zeros(0, np.int64)])[:count]
