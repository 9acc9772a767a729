"""Which stories hold for a network: chosen on some prompts, reported on fresh ones.

For each expert and the fusion the prompts set aside to choose name a block, that through which most of the difference
reaches the last position, and two heads, those that restore most of it; fresh prompts say how much these restore,
beside two random heads of the same blocks.  Everything goes in small steps, so that it can run behind other work and
be closed at any time.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.engine import Engine
from app.intervene.pairs import LARGE, ReadPair, make_pair
from app.intervene.patching import patch_heads, patch_position, patch_together
from app.intervene.stories import PairStory, Prompt
from app.trace.record import Floats
from app.wording.errors import UserError

LEAST_PROMPTS = 3
"""Fewer prompts of a kind say nothing."""
LARGE_EFFECT = 0.4
"""Share of the difference that a block, or two heads, must move on the choosing prompts for a story to be offered."""
HEADS = 2
TRIVIAL = "trivial"
"""Counted among the refused: texts whose last tokens differ."""
_BOOTSTRAPS = 1_000


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    count: int
    """Over so many prompts."""


@dataclass(frozen=True, eq=False)
class Found:
    """What holds for one expert, or for the fusion (the last): chosen on some prompts, measured on fresh ones."""

    nats: float
    """Mean change of the margin."""
    layer: int
    """The block, from 1, through which most of the difference reaches the last position; chosen."""
    moved: Estimate
    """How much of it does."""
    path: Floats
    """(L + 1,): mean effect at the last position by layer."""
    heads: tuple[tuple[int, int], ...]
    """The two chosen, (block from 1, head from 0); none in a large network, where they are not searched."""
    restored: Estimate | None
    """What they restore; None where none were searched."""
    by_chance: Estimate | None
    """What two random heads of the same blocks restore; None where none were searched."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A story measured."""

    story: PairStory
    found: tuple[Found | None, ...]
    """By expert, the fusion last; None where too few prompts change the margin."""
    opening: Prompt | None
    """A prompt to open with: the story's own, or where that explains nothing, that of the prompts set aside whose
    margin changes most."""
    offered: bool
    """Whether what was chosen is large enough to tell."""
    refused: dict[str, int]
    """How many prompts, by the reason's code."""


Search = Generator[tuple[float, Finding | None], None, None]


def search(engine: Engine, stories: Sequence[PairStory]) -> Search:
    """Measure stories; yields the share done after every prompt, with the finding at the end of each story.

    Raises:
        UserError: `cannot_open` where the network runs by its own code.
    """
    for number, story in enumerate(stories):
        steps = measure(engine, story)
        while True:
            try:
                yield (number + next(steps)) / len(stories), None
            except StopIteration as done:
                yield (number + 1) / len(stories), done.value
                break


def measure(engine: Engine, story: PairStory) -> Generator[float, None, Finding]:
    """Measure one story, prompt by prompt."""
    refused: Counter[str] = Counter()
    total = len(story.choose) + len(story.fresh)
    layers = engine.model.shape.layers
    chosen: list[_Measured] = []
    best: tuple[float, Prompt | None] = (0.0, None)
    for number, prompt in enumerate((story.opening, *story.choose)):
        read = _readable(engine, prompt, refused)
        if read is not None:
            size = float(np.abs(np.diff(read.margins[-1])).max()) + 1e6 * (number == 0)  # the story's own comes first
            best = max(best, (size, prompt), key=lambda pair: pair[0])
            if number:
                heads = patch_heads(read) if engine.model.trained <= LARGE else None
                chosen.append(_Measured(patch_position(read, len(read.pair.first) - 1), heads))
        yield number / (total + 1)
    picks = [_pick(chosen, expert, layers) for expert in range(len(engine.bundle.experts) + 1)]
    fresh: list[_Fresh] = []
    generator = np.random.default_rng(0)
    for number, prompt in enumerate(story.fresh):
        read = _readable(engine, prompt, refused)
        if read is not None:
            fresh.append(_try(read, picks, generator))
        yield (len(story.choose) + 1 + number) / (total + 1)
    found = tuple(_found(fresh, expert, pick) for expert, pick in enumerate(picks))
    large = any(pick is not None and max(pick.moved, pick.restored) >= LARGE_EFFECT for pick in picks)
    offered = large and any(found) and best[1] is not None
    return Finding(story, found, best[1], offered, dict(refused))


@dataclass(frozen=True, eq=False)
class _Measured:
    """Of one choosing prompt: effects at the last position (E + 1, L + 1), of heads (E + 1, L, H) if searched."""

    last: Floats
    heads: Floats | None


@dataclass(frozen=True, eq=False)
class _Pick:
    """What the choosing prompts name for one expert, and the sizes there."""

    layer: int
    moved: float
    heads: tuple[tuple[int, int], ...]
    restored: float


@dataclass(frozen=True, eq=False)
class _Fresh:
    """Of one fresh prompt."""

    last: Floats
    """(E + 1, L + 1): effects at the last position."""
    restored: Floats
    """(E + 1,): of each expert's chosen heads."""
    by_chance: Floats
    """(E + 1,): of random ones."""
    nats: Floats
    """(E + 1,): changes of the margin."""


def _readable(engine: Engine, prompt: Prompt, refused: Counter[str]) -> ReadPair | None:
    """A prompt read, or None with the reason counted."""
    try:
        read = make_pair(engine, prompt.first, prompt.second, prompt.answers)
    except UserError as error:
        if error.code.startswith("cannot_open"):
            raise
        refused[error.code] += 1
        return None
    if read.pair.changed[-1] == len(read.pair.first) - 1:  # the last position differs: nothing has to reach it
        refused[TRIVIAL] += 1
        return None
    return read


def _pick(chosen: Sequence[_Measured], expert: int, layers: int) -> _Pick | None:
    """What most of the difference goes through, on average over the prompts where an expert's margin changes."""
    use = [one for one in chosen if not np.isnan(one.last[expert]).any()]
    if len(use) < LEAST_PROMPTS:
        return None
    moved = np.diff(np.mean([one.last[expert] for one in use], 0))  # (L,)
    searched = [one.heads[expert] for one in use if one.heads is not None]
    if not searched:
        return _Pick(int(moved.argmax()) + 1, float(moved.max()), (), 0.0)
    heads = np.mean(searched, 0)  # (L, H)
    best = np.argsort(-heads, axis=None)[:HEADS]
    places = tuple((int(i) // heads.shape[1] + 1, int(i) % heads.shape[1]) for i in best)
    return _Pick(int(moved.argmax()) + 1, float(moved.max()), places, float(heads.ravel()[best].sum()))


def _try(read: ReadPair, picks: Sequence[_Pick | None], generator: np.random.Generator) -> _Fresh:
    """What was chosen for each expert, and random heads beside it, on one fresh prompt."""
    heads = read.opened.shape.heads
    restored, by_chance = (np.full(len(picks), np.nan, np.float32) for _ in range(2))
    for expert, pick in enumerate(picks):
        if pick is None or not pick.heads:
            continue
        blocks = sorted({layer for layer, _ in pick.heads})
        others = [(layer, h) for layer in blocks for h in range(heads) if (layer, h) not in pick.heads]
        random = [others[i] for i in generator.permutation(len(others))[:HEADS]]
        restored[expert] = patch_together(read, pick.heads)[expert]
        if random:
            by_chance[expert] = patch_together(read, random)[expert]
    last = patch_position(read, len(read.pair.first) - 1)
    return _Fresh(last, restored, by_chance, np.abs(np.diff(read.margins)[:, 0]).astype(np.float32))


def _found(fresh: Sequence[_Fresh], expert: int, pick: _Pick | None) -> Found | None:
    use = [one for one in fresh if not np.isnan(one.last[expert]).any()]
    if pick is None or len(use) < LEAST_PROMPTS:
        return None
    path = np.stack([one.last[expert] for one in use])  # (n, L + 1)
    return Found(
        nats=float(np.mean([one.nats[expert] for one in use])),
        layer=pick.layer,
        moved=estimate(path[:, pick.layer] - path[:, pick.layer - 1]),
        path=path.mean(0),
        heads=pick.heads,
        restored=estimate(np.array([one.restored[expert] for one in use])) if pick.heads else None,
        by_chance=estimate(np.array([one.by_chance[expert] for one in use])) if pick.heads else None,
    )


def estimate(values: Floats, seed: int = 0) -> Estimate:
    """The mean of some values and its 95 % percentile bootstrap interval (Efron 1979)."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (_BOOTSTRAPS, len(values)))
    low, high = np.percentile(values[drawn].mean(1), (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high), len(values))
