"""At which layers do the states of a word and of its translation stand for one another?

The state of the donor text's last token is put in the place of the text's last token.  If the two mean the same to
the later blocks, the prediction moves less than with the donor of another word of the list.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from app.engine.engine import Engine
from app.intervene.runs import open_network
from app.intervene.search import Estimate, estimate
from app.intervene.stories import ExchangeStory
from app.intervene.transplant import transplant
from app.trace.record import Floats


@dataclass(frozen=True, eq=False)
class Exchange:
    """How far the prediction moves, Jensen-Shannon divergence in bits (E + 1, L + 1): with the translation's state, and
    with those of other words on average.  gain [expert][layer]: other less same, over the words; above zero where the
    translation is the closer one."""

    story: ExchangeStory
    same: Floats
    other: Floats
    gain: tuple[tuple[Estimate, ...], ...]


def measure_exchange(engine: Engine, story: ExchangeStory) -> Generator[float, None, Exchange]:
    """Measure an exchange, word by word; yields the share done.

    Raises:
        UserError: `cannot_open` where the network runs by its own code.
    """
    opened, start = open_network(engine), engine.bundle.start
    texts = [[start, *engine.encode(story.text.replace("{}", word))] for word, _ in story.words]
    donors = [[start, *engine.encode(story.donor.replace("{}", word))] for _, word in story.words]
    rows = []
    for number, ids in enumerate(texts):
        moved = [transplant(opened, ids, len(ids) - 1, donor, len(donor) - 1, [0]).jensen_shannon for donor in donors]
        rows.append(moved)
        yield (number + 1) / len(texts)
    bits = np.array(rows)  # (n, n, E + 1, L + 1)
    count = len(bits)
    same = bits[np.arange(count), np.arange(count)]
    other = (bits.sum(1) - same) / (count - 1)
    gain = other - same
    estimates = tuple(
        tuple(estimate(gain[:, expert, layer]) for layer in range(gain.shape[2])) for expert in range(gain.shape[1])
    )
    return Exchange(story, same.mean(0), other.mean(0), estimates)
