"""Two texts of equal length in tokens and two answers, and the reasons for which such a pair explains nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np
import torch
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.intervene.interface import OpenedNetwork
from app.intervene.predictions import margins
from app.intervene.runs import Run, open_network, read
from app.wording.errors import UserError

MAX_TOKENS = 32
MAX_TOKENS_LARGE = 12
"""Longest texts in tokens that are patched, start token left out; of networks with more numbers than `LARGE`, fewer."""
LARGE = 100_000_000
LEAST_MARGIN = 1.0
"""Nats by which the margin must differ between the texts: below, a share of the difference is a share of noise."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two texts of equally many tokens, to be told apart by two answers."""

    first: NDArray[np.int64]
    """(T,): token ids of the text that is run, start token included."""
    second: NDArray[np.int64]
    """(T,): of the text that states come from."""
    answers: tuple[int, int]
    """The two tokens whose margin is followed: the first text's, the second's."""

    def __post_init__(self) -> None:
        assert self.first.shape == self.second.shape, f"{self.first.shape} != {self.second.shape}"

    @property
    def changed(self) -> NDArray[np.int64]:
        """Positions at which the tokens differ."""
        return np.flatnonzero(self.first != self.second)

    @property
    def reversed(self) -> "Pair":
        """The other direction: what of the first text moves the second towards it."""
        return replace(self, first=self.second, second=self.first)


@dataclass(frozen=True, eq=False)
class ReadPair:
    """A pair with both texts read by an opened network."""

    pair: Pair
    opened: OpenedNetwork
    first: Run
    """Of the text that is run."""
    second: Run
    """Of the text that states come from."""
    margins: NDArray[np.float64]
    """(E + 1, 2): of the first answer over the second in nats, after each text, under each expert and the fusion."""

    @property
    def reversed(self) -> "ReadPair":
        """The other direction."""
        return ReadPair(self.pair.reversed, self.opened, self.second, self.first, self.margins[:, ::-1])

    @property
    def explained(self) -> NDArray[np.bool_]:
        """For which experts (E + 1,) the margin differs by enough to be explained."""
        return np.abs(self.margins[:, 1] - self.margins[:, 0]) >= LEAST_MARGIN

    def effect(self, patched: NDArray[np.floating]) -> NDArray[np.float32]:
        """Share of the margins' change that patched margins (E + 1, ...) restore: 0 nothing, 1 all; NaN where there
        is nothing to explain."""
        before, after = (self.margins[:, i].reshape(-1, *[1] * (patched.ndim - 1)) for i in (0, 1))
        change = np.where(self.explained.reshape(before.shape), after - before, np.nan)
        return ((patched - before) / change).astype(np.float32)


def make_pair(engine: Engine, first: str, second: str, answers: tuple[str | int, str | int] | None = None) -> ReadPair:
    """Read two texts for patching.  answers: the two tokens to compare; by default the likeliest next ones
    (`likely_answers`).

    Raises:
        UserError: for texts that cannot be read (`Engine.encode`), that are the same (`patch_same`), of different
            length in tokens (`patch_lengths`) or too long (`patch_long`); for answers that are no token of the model
            or one and the same (`patch_answer`, `patch_answers_same`); for a margin that hardly changes
            (`patch_margin`); for a network that cannot be opened (`cannot_open`).
    """
    opened = open_network(engine)
    here, there = engine.encode(first), engine.encode(second)
    check_texts(engine, here, there)
    chosen = None if answers is None else (answer_id(engine, answers[0]), answer_id(engine, answers[1]))
    start = engine.bundle.start
    read_pair = read_texts(opened, [start, *here], [start, *there], chosen)
    if not read_pair.explained.any():
        moved = float(np.abs(np.diff(read_pair.margins)).max())
        a, b = map(engine.text_of, read_pair.pair.answers)
        raise UserError("patch_margin", first=a, second=b, nats=f"{moved:.2f}", least=f"{LEAST_MARGIN:g}")
    return read_pair


def read_texts(
    opened: OpenedNetwork, first: Sequence[int], second: Sequence[int], answers: tuple[int, int] | None = None
) -> ReadPair:
    """Read two texts of ids, start token included, without any check of whether they explain anything."""
    if answers is not None and answers[0] == answers[1]:
        raise UserError("patch_answers_same")
    here, there = read(opened, first), read(opened, second)
    logits = torch.stack([opened.read_out(run.last)[:, 0] for run in (here, there)], 1)  # (E + 1, 2, V)
    answers = likely_answers(logits[-1]) if answers is None else answers
    pair = Pair(np.array(first), np.array(second), answers)
    return ReadPair(pair, opened, here, there, margins(logits, answers).double().numpy())


def likely_answers(logits: torch.Tensor, count: int = 8) -> tuple[int, int]:
    """The likeliest tokens after two texts (logits (2, V)); where that is one and the same, or their margin hardly
    changes, the two of the likeliest whose margin changes most."""
    winners = logits.argmax(-1)
    moved = logits[0] - logits[1]
    if float(moved[winners[0]] - moved[winners[1]]) >= LEAST_MARGIN:
        return int(winners[0]), int(winners[1])
    either = torch.tensor(sorted(set(logits.topk(count).indices.flatten().tolist())))
    return int(either[moved[either].argmax()]), int(either[moved[either].argmin()])


def check_texts(engine: Engine, first: Sequence[int], second: Sequence[int]) -> None:
    """Refuse texts that cannot be compared position by position."""
    if first == second:
        raise UserError("patch_same")
    limit = MAX_TOKENS if engine.model.trained <= LARGE else MAX_TOKENS_LARGE
    if max(len(first), len(second)) > limit:
        raise UserError("patch_long", length=max(len(first), len(second)), limit=limit)
    if len(first) != len(second):
        here, there = unlike(first, second)
        raise UserError(
            "patch_lengths",
            first=len(first),
            second=len(second),
            here=shown(engine, [first[i] for i in here]),
            there=shown(engine, [second[i] for i in there]),
        )


def unlike(first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
    """Places in two texts whose tokens have no counterpart in the other."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    same = [(block.a + i, block.b + i) for block in blocks for i in range(block.size)]
    here, there = ({pair[side] for pair in same} for side in (0, 1))
    return [i for i in range(len(first)) if i not in here], [i for i in range(len(second)) if i not in there]


def shown(engine: Engine, ids: Sequence[int]) -> str:
    """Tokens as a sentence names them, separated by bars; a dash where there are none."""
    return "|".join(engine.text_of(i) for i in ids) or "–"


def answer_id(engine: Engine, answer: str | int) -> int:
    """The token of an answer: an id as it is; a text that is one token in a text, or else a token by itself ("гда"),
    or else the token that it begins with.

    Raises:
        UserError: `patch_answer` where that is nothing that the model could say.
    """
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < engine.model.shape.vocabulary:
        return answer
    if not isinstance(answer, str) or not answer.strip() or len(answer) > 64 or engine.unknown(answer):
        raise UserError("patch_answer", text=str(answer)[:40])
    ids = [i for i in engine.ids_of(answer) if engine.text_of(i).strip()]
    exact = engine.bundle.tokenizer.token_to_id(answer)
    return ids[0] if len(ids) == 1 or exact is None else exact
