"""At which layers do the states of a word and of its translation stand for one another?

The state of the word in the donor text is put in the place of the word in the text.  If the two mean the same to the
later blocks, the prediction moves less than with the state of another word.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.engine import Engine
from app.intervene.interface import OpenedNetwork
from app.intervene.pairs import LARGE, MAX_TOKENS, MAX_TOKENS_LARGE
from app.intervene.predictions import Predictions, best
from app.intervene.runs import open_network, read
from app.intervene.search import Estimate, estimate
from app.intervene.stories import ExchangeStory
from app.intervene.transplant import Transplant, transplant
from app.trace.record import Floats
from app.wording.errors import UserError

LARGE_WORDS = 4
"""Words of a story that are measured on a network with more numbers than `LARGE`: their pairs cost a run each."""


@dataclass(frozen=True)
class Place:
    """A word in a text: ids (T,), start token included, and where its token stands."""

    ids: tuple[int, ...]
    position: int


@dataclass(frozen=True, eq=False)
class ExchangeCase:
    """One word, its translation and an unrelated word."""

    text: Place
    """The word in the text that is run."""
    answer: int
    """The fusion's likeliest token after it."""
    before: Predictions
    """The likeliest tokens after the text."""
    same: Transplant
    """With the translation's state; its `log_probs` are those of the answer."""
    other: Transplant
    """With the unrelated word's state."""


@dataclass(frozen=True, eq=False)
class Exchange:
    """How far the prediction moves, over the words of a story."""

    story: ExchangeStory
    same: Floats
    """(E + 1, L + 1): mean Jensen-Shannon divergence in bits with the translation's state."""
    other: Floats
    """(E + 1, L + 1): with the states of other words, on average."""
    gain: tuple[tuple[Estimate, ...], ...]
    """[expert][layer]: other less same, over the words; above zero where the translation is the closer one."""
    left_out: int
    """How many words are no single token."""


def exchange_case(
    engine: Engine, text: object, word: object, donor: object, words: tuple[object, object]
) -> ExchangeCase:
    """Exchange one word of a text: words are the translation, which stands in the donor text, and an unrelated word,
    which is put there in its place.

    Raises:
        UserError: for texts that cannot be read or are too long (`patch_long`), for a word that is no single token of
            its text (`exchange_word`), for a network that cannot be opened (`cannot_open`).
    """
    opened, (translation, unrelated) = open_network(engine), words
    here, there = placed(engine, text, word), placed(engine, donor, translation)
    if not isinstance(donor, str) or not isinstance(translation, str) or not isinstance(unrelated, str):
        raise UserError("empty_prompt")
    elsewhere = placed(engine, unrelated.strip().join(donor.rsplit(translation.strip(), 1)), unrelated)
    before = best(opened.read_out(read(opened, here.ids).last)[:, 0])
    answer = int(before.ids[-1, 0])
    same, other = (_moved(opened, here, donated, [answer]) for donated in (there, elsewhere))
    return ExchangeCase(here, answer, before, same, other)


def placed(engine: Engine, text: object, word: object) -> Place:
    """Where a word stands in a text: the last token that is this word and nothing else but a space before it.

    Raises:
        UserError: see `exchange_case`.
    """
    if not isinstance(text, str) or not isinstance(word, str):
        raise UserError("empty_prompt")
    ids = engine.encode(text)
    limit = MAX_TOKENS if engine.model.trained <= LARGE else MAX_TOKENS_LARGE
    if len(ids) > limit:
        raise UserError("patch_long", length=len(ids), limit=limit)
    places = [i for i, token in enumerate(ids, 1) if engine.text_of(token).strip() == word.strip() != ""]
    if not places:
        raise UserError("exchange_word", word=word[:40], text=text[:80])
    return Place((engine.bundle.start, *ids), places[-1])


def measure_exchange(engine: Engine, story: ExchangeStory) -> Generator[float, None, Exchange]:
    """Measure an exchange, word by word; yields the share done.

    Raises:
        UserError: `cannot_open` where the network runs by its own code; `exchange_few` where fewer than three words
            are single tokens of the model.
    """
    opened = open_network(engine)
    fitting = [pair for pair in story.words if _fits(engine, story, pair)]
    if len(fitting) < 3:
        raise UserError("exchange_few", model=engine.bundle.name)
    known = fitting if engine.model.trained <= LARGE else fitting[:LARGE_WORDS]
    texts = [placed(engine, story.text.replace("{}", word), word) for word, _ in known]
    donors = [placed(engine, story.donor.replace("{}", word), word) for _, word in known]
    rows = []
    for number, here in enumerate(texts):
        rows.append([_moved(opened, here, donor, [0]).jensen_shannon for donor in donors])
        yield (number + 1) / len(texts)
    bits = np.array(rows)  # (n, n, E + 1, L + 1)
    count = len(bits)
    same = bits[np.arange(count), np.arange(count)]
    other = (bits.sum(1) - same) / (count - 1)
    gain = other - same
    estimates = tuple(
        tuple(estimate(gain[:, expert, layer]) for layer in range(gain.shape[2])) for expert in range(gain.shape[1])
    )
    return Exchange(story, same.mean(0), other.mean(0), estimates, len(story.words) - len(fitting))


def _moved(opened: OpenedNetwork, here: Place, donor: Place, asked: Sequence[int]) -> Transplant:
    return transplant(opened, here.ids, here.position, donor.ids, donor.position, asked)


def _fits(engine: Engine, story: ExchangeStory, pair: tuple[str, str]) -> bool:
    """Whether both words are single tokens of their texts."""
    try:
        for text, word in zip((story.text, story.donor), pair, strict=True):
            placed(engine, text.replace("{}", word), word)
    except UserError:
        return False
    return True
