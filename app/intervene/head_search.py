"""Does a head whose silencing changes a prediction do so after other texts of the kind?  Chosen on some texts, tested
on fresh ones, beside a random head of the same block."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from app.engine.engine import Engine
from app.intervene.attention import all_attention, fingerprints, states_of
from app.intervene.head_effects import HeadEffects, silence_each_head
from app.intervene.runs import open_network, read
from app.intervene.search import Estimate, estimate
from app.intervene.silencing import Silenced, random_parts, reference_means
from app.intervene.steps import run_to_end
from app.intervene.stories import AttentionStory
from app.trace.record import Floats


@dataclass(frozen=True, eq=False)
class HeadFinding:
    """The head with the largest mean divergence on the choosing texts, measured on fresh ones."""

    story: AttentionStory
    head: tuple[int, int, int]
    """Expert, block from 1, head from 0."""
    moved: Estimate
    """How far silencing it moves the log-probability of the fusion's likeliest token, nats."""
    bits: Estimate
    """How far it moves the whole prediction, bits."""
    random_moved: Estimate
    """The same of a random head of the block, nats."""
    random_bits: Estimate
    """And in bits."""
    shares: tuple[float, float, float]
    """Of its attention on the previous token, the start token and itself, 0..1, on average over texts long enough."""


def measure_attention(engine: Engine, story: AttentionStory, seed: int = 0) -> Generator[float, None, HeadFinding]:
    """Measure a story, text by text; yields the share done.

    Raises:
        UserError: `cannot_open` where the network runs by its own code.
    """
    opened, total = open_network(engine), len(story.choose) + len(story.fresh)
    chosen: list[Floats] = []
    for number, text in enumerate(story.choose, 1):
        chosen.append(_effects(engine, text)[0].jensen_shannon)
        yield number / total
    mean = np.mean(chosen, 0)
    expert, layer, head = (int(i) for i in np.unravel_index(int(mean.argmax()), mean.shape))
    others = random_parts(opened, [Silenced(expert, "head", layer + 1, head)], seed)
    random = head if others is None else others[0].head
    effects, shares = [], []
    for number, text in enumerate(story.fresh, 1):
        found, prints = _effects(engine, text)
        both = (found.moved, found.jensen_shannon)
        effects.append([values[expert, layer, h] for h in (head, random) for values in both])
        shares.append([share[expert, layer, head] for share in prints])
        yield (len(story.choose) + number) / total
    moved, bits, random_moved, random_bits = (estimate(np.array(column)) for column in zip(*effects, strict=True))
    previous, start, itself = map(float, np.nanmean(shares, 0))
    place = (expert, layer + 1, head)
    return HeadFinding(story, place, moved, bits, random_moved, random_bits, (previous, start, itself))


def _effects(engine: Engine, text: str) -> tuple[HeadEffects, tuple[Floats, Floats, Floats]]:
    """Of one text: what silencing each head does to the fusion's likeliest token, and where heads look."""
    opened = open_network(engine)
    run = read(opened, [engine.bundle.start, *engine.encode(text)])
    token = int(opened.read_out(run.last)[-1, 0].argmax())
    found = run_to_end(silence_each_head(opened, reference_means(engine), run, token))
    prints = fingerprints(all_attention(opened, states_of(run)))
    return found, (prints.previous, prints.start, prints.itself)
