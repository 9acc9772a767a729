"""A word's state in the place of its translation: from texts and words to the panel."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.engine import Engine
from app.intervene.exchange import Exchange, ExchangeCase, exchange_case
from app.intervene.stories import ExchangeStory
from viz.exchange import ExchangeFigure, GainFigure, exchange_panel
from viz.html import Say


@dataclass(frozen=True)
class ExchangeRequest:
    """What to exchange, as the visitor gave it: a text and a word in it; a donor text and the word in it; an unrelated
    word.  story: the key of the story that this opens, if it is one."""

    text: Any
    word: Any
    donor: Any
    translation: Any
    unrelated: Any
    story: str = ""


def exchange_request(story: ExchangeStory) -> ExchangeRequest:
    """The opening of a story: its first word."""
    word, translation = story.words[0]
    text, donor = story.text.replace("{}", word), story.donor.replace("{}", translation)
    return ExchangeRequest(text, word, donor, translation, story.other, story.key)


def read_exchange(engine: Engine, asked: ExchangeRequest) -> ExchangeCase:
    """Raises: UserError, see `exchange_case`."""
    return exchange_case(engine, asked.text, asked.word, asked.donor, (asked.translation, asked.unrelated))


def exchange_view(
    engine: Engine, asked: ExchangeRequest, case: ExchangeCase, over_words: Exchange | None, say: Say
) -> str:
    """The panel of one case, and of a story's words where they are measured."""
    experts, exact = engine.bundle.experts, case.text.position < len(case.text.ids) - 1
    log_probs = np.stack([moved.log_probs[..., 0] for moved in (case.same, case.other)])
    figure = ExchangeFigure(
        experts=experts,
        texts=tuple(engine.text_of(token) for token in case.text.ids[1:]),
        position=case.text.position - 1,
        word=str(asked.word),
        translation=str(asked.translation),
        unrelated=str(asked.unrelated),
        answer=engine.text_of(case.answer),
        own=np.exp(case.same.own[:, 0]),
        probabilities=np.exp(log_probs),
        bits=np.stack([case.same.jensen_shannon, case.other.jensen_shannon]),
        exact=exact,
    )
    return exchange_panel(figure, None if over_words is None else _gain(experts, over_words, exact), say)


def _gain(experts: tuple[str, ...], found: Exchange, exact: bool) -> GainFigure:
    mean, low, high = (
        np.array([[getattr(one, name) for one in layers] for layers in found.gain]) for name in ("mean", "low", "high")
    )
    return GainFigure(experts, mean, low, high, found.gain[0][0].count, found.left_out, exact)
