"""The two tokens whose margin is followed, each chosen by a press from a list of likely ones."""

from dataclasses import dataclass

from markupsafe import Markup

from viz.html import Say
from viz.templates import rendered


@dataclass(frozen=True)
class AnswerRow:
    """label: which of the two answers is chosen here; likely: (id, text, probability 0..1), best first; chosen: id and
    text of the one that is compared, which may be none of the likely ones."""

    label: str
    likely: tuple[tuple[int, str, float], ...]
    chosen: tuple[int, str]


def answer_rows(rows: tuple[AnswerRow, ...], say: Say) -> Markup:
    """A row of tokens for each answer (`assets/page/answers.js`); nothing where there are no rows."""
    if not rows:
        return Markup()
    shown = [(row.label, _tokens(row, say)) for row in rows]
    return Markup(rendered("answers.html", lead=say("answers_lead"), rows=shown))


def _tokens(row: AnswerRow, say: Say) -> list[tuple[int, str, str, str]]:
    """(id, whether it is pressed, text, probability) of each token; a chosen one that is not likely comes last."""
    shown = [(i, text, say.percent(probability)) for i, text, probability in row.likely]
    if row.chosen[0] not in {i for i, *_ in shown}:
        shown.append((*row.chosen, ""))
    return [(i, str(i == row.chosen[0]).lower(), text, number) for i, text, number in shown]
