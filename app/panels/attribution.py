"""Who adds what: from a text and two tokens to the parts of their margin."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.intervene.attribution import Attribution, attribute
from app.intervene.pairs import answer_id
from app.intervene.predictions import Predictions, best
from app.intervene.runs import open_network, read
from app.panels.answers import answer_row
from app.trace.record import Floats
from app.wording.errors import UserError
from viz.answers import AnswerRow
from viz.attribution import AttributionFigure, Moved, attribution_panel
from viz.html import Say


@dataclass(frozen=True)
class AttributionRequest:
    """A text and two answers as the visitor gave them; an answer that is not given is the model's own.  position: after
    which token, the last where none is given."""

    text: Any
    answers: tuple[Any, Any] = (None, None)
    position: int | None = None


def attribution_of(
    engine: Engine, text: Any, answers: tuple[Any, Any], position: int | None = None
) -> tuple[list[int], Attribution, Predictions]:
    """Ids of a text, start token included, the parts of the margin of two tokens after one position of it (None: the
    last), and what is likeliest there; an answer that is not given is the fusion's likeliest other one.

    Raises:
        UserError: for a text that cannot be read, a position outside it (`bad_position`), for answers that are no
            tokens or one and the same (`patch_answer`, `patch_answers_same`), for a network that cannot be opened
            (`cannot_open`).
    """
    opened, whole = open_network(engine), [engine.bundle.start, *engine.encode(text)]
    if position is not None and not 1 <= position < len(whole):
        raise UserError("bad_position", last=len(whole) - 1)
    ids = whole[: None if position is None else position + 1]
    likely = likely_next(engine, ids)
    given = [None if answer is None or answer == "" else answer_id(engine, answer) for answer in answers]
    free = (int(token) for token in likely.ids[-1] if int(token) not in given)
    first, second = (next(free) if token is None else token for token in given)
    if first == second:
        raise UserError("patch_answers_same")
    return whole, attribute(opened, ids, (first, second)), likely


def likely_next(engine: Engine, ids: list[int]) -> Predictions:
    """What is likeliest after a text of ids, start token included."""
    opened = open_network(engine)
    return best(opened.read_out(read(opened, ids).last)[:, 0])


def attribution_rows(engine: Engine, likely: Predictions, answers: tuple[int, int], say: Say) -> tuple[AnswerRow, ...]:
    """What the two answers can be chosen from."""
    labels = say("attribute_answer"), say("attribute_rival")
    return tuple(answer_row(engine, label, likely, answer) for label, answer in zip(labels, answers, strict=True))


def attribution_view(
    engine: Engine,
    ids: list[int],
    found: Attribution,
    say: Say,
    position: int | None = None,
    rows: tuple[AnswerRow, ...] = (),
) -> str:
    """The parts of a margin after one position of a text."""
    first, second = map(engine.text_of, found.answers)
    return attribution_panel(
        AttributionFigure(
            experts=engine.bundle.experts,
            texts=tuple(map(engine.text_of, ids)),
            position=len(ids) - 1 if position is None else position,
            answers=(first, second),
            names=tuple((name.kind, name.layer) for name in found.names),
            parts=found.parts,
            margins=found.margins,
            shares=found.shares,
            fused=found.fused,
            cancellation=found.cancellation,
            promoted=_moved(engine, found.promoted, found.promoted_by),
            suppressed=_moved(engine, found.suppressed, found.suppressed_by),
            rows=rows,
        ),
        say,
    )


def _moved(engine: Engine, ids: NDArray[np.int64], nats: Floats) -> list[list[list[Moved]]]:
    """[E][P] lists of tokens with their nats."""
    return [
        [[(engine.text_of(int(i)), float(n)) for i, n in zip(*row, strict=True)] for row in zip(*both, strict=True)]
        for both in zip(ids, nats, strict=True)
    ]
