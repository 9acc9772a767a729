"""A word's state in the place of its translation, layer by layer, beside an unrelated word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.templates import rendered
from viz.tokens import visible


@dataclass(frozen=True, eq=False)
class ExchangeFigure:
    """texts: the tokens of the text that is run, start token left out, and the position of `word` in it, from 0.
    answer: what the fusion expects after it.  own (E + 1,): its probability, fusion last; with the state of
    `translation` and of `unrelated` at each layer: probabilities (2, E + 1, L + 1) and bits (2, E + 1, L + 1) by which
    the whole prediction moves.  exact: whether the word is not the last token, so that its state after the last layer
    changes nothing by construction."""

    experts: tuple[str, ...]
    texts: tuple[str, ...]
    position: int
    word: str
    translation: str
    unrelated: str
    answer: str
    own: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    bits: NDArray[np.float32]
    exact: bool


@dataclass(frozen=True, eq=False)
class GainFigure:
    """Over several words: by how many bits other words' states move the prediction more than the translation's does.
    mean, low, high (E + 1, L + 1), the bounds of a 95 % interval; words: how many; left_out: how many had no token."""

    experts: tuple[str, ...]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    words: int
    left_out: int
    exact: bool


def exchange_panel(figure: ExchangeFigure, gain: GainFigure | None, say: Say) -> str:
    """The text, the table of every expert and the fusion, and what holds over several words."""
    names = (*figure.experts, say("fused"))
    classes = (*sides(len(figure.experts)), "fused")
    body = rendered(
        "exchange.html",
        figure=figure,
        say=say,
        own=say.percent(float(figure.own[-1])),
        layers=range(figure.bits.shape[-1]),
        maps=[(side, name, *_map(figure, i, say)) for i, (name, side) in enumerate(zip(names, classes, strict=True))],
        gains_title="" if gain is None else say("exchange_gains", words=gain.words, left_out=gain.left_out),
        gains=[] if gain is None else _gains(gain, names, classes, say),
    )
    states = (figure.translation, figure.unrelated)
    table = Table(
        {"state": states, "source": (*figure.experts, "fused"), "layer": range(figure.bits.shape[-1])},
        {"probability": figure.probabilities, "bits": figure.bits},
    )
    facts = {"text": figure.texts, "word": figure.word, "answer": figure.answer, "own": figure.own}
    summary = say.sentences((exchange_summary(figure, say), *(() if gain is None else (gain_summary(gain, say),))))
    return panel(say, "exchange", body, summary, facts, table)


def exchange_summary(figure: ExchangeFigure, say: Say) -> str:
    """At how many layers the answer survives each of the two states, in the fusion."""
    inner = slice(0, -1) if figure.exact else slice(None)
    kept = (figure.probabilities[:, -1, inner] > figure.own[-1] / 2).sum(-1)
    return say(
        "exchange_summary",
        answer=visible(figure.answer),
        word=visible(figure.word),
        translation=visible(figure.translation),
        unrelated=visible(figure.unrelated),
        same=int(kept[0]),
        other=int(kept[1]),
        total=figure.probabilities[:, -1, inner].shape[-1],
    )


def gain_summary(gain: GainFigure, say: Say) -> str:
    """Whether, over several words, the translation is closer than other words, and how sure that is."""
    mean, low = gain.mean[-1], gain.low[-1]
    mean, low = (mean[:-1], low[:-1]) if gain.exact else (mean, low)
    sure = int((low > 0).sum())
    best = int(mean.argmax())
    numbers = {name: say.number(float(v[-1][best]), 2) for name, v in (("low", gain.low), ("high", gain.high))}
    code = "exchange_gain" if sure * 2 > len(low) else "exchange_gain_weak"
    return say(
        code, words=gain.words, sure=sure, total=len(low), layer=best, mean=say.number(float(mean[best]), 2), **numbers
    )


Row = tuple[str, str, list[tuple[str, str]]]
"""Name and class of a line, and its cells, each as a shade 0..1 and a number."""


def _map(figure: ExchangeFigure, expert: int, say: Say) -> tuple[str, list[Row]]:
    """One expert's title and lines: the probability of the answer and the bits moved, with each of the two states."""
    answer = visible(figure.answer)
    states = [visible(state) for state in (figure.translation, figure.unrelated)]
    shares, moved = figure.probabilities[:, expert], figure.bits[:, expert]
    rows = [
        (say("exchange_share_row", state=state, answer=answer), "", [_cell(p, say.percent(p, 0)) for p in row])
        for state, row in zip(states, shares.tolist(), strict=True)
    ]
    rows += [
        (say("exchange_bits_row", state=state), "gs-bits", [_cell(b, say.number(b, 2)) for b in row])
        for state, row in zip(states, moved.tolist(), strict=True)
    ]
    return say("exchange_own", answer=answer, share=say.percent(float(figure.own[expert]))), rows


def _cell(value: float, number: str) -> tuple[str, str]:
    return f"{min(max(value, 0.0), 1.0):.3f}", number


Gain = tuple[bool, str, str, str, str]
"""Whether its interval holds 0, so that nothing was shown; shade, mean, and the bounds of the interval."""


def _gains(
    gain: GainFigure, names: Sequence[str], classes: Sequence[str], say: Say
) -> list[tuple[str, str, list[Gain]]]:
    """Means with their intervals, a line an expert."""
    lines = []
    for name, side, *values in zip(names, classes, gain.mean, gain.low, gain.high, strict=True):
        cells = [
            (low <= 0 <= high, *_cell(mean, say.signed(mean, 2)), say.number(low, 2), say.number(high, 2))
            for mean, low, high in zip(*(row.tolist() for row in values), strict=True)
        ]
        lines.append((name, side, cells))
    return lines
