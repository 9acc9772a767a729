"""Moving a state: from two texts and two answers to the maps of effects, and to one cell of them."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from app.engine.engine import Engine
from app.intervene.pairs import LEAST_MARGIN, ReadPair, make_pair
from app.intervene.patching import PatchMap, patch_block, patch_cell
from app.intervene.predictions import Predictions
from app.intervene.stories import PairStory, Prompt, Stories
from app.panels.answers import Choices, answer_row, token_choices
from app.panels.settings import whole
from viz.answers import AnswerRow
from viz.html import Say, sides
from viz.patching import CellFigure, Likely, PatchFigure, cell_figure, patching_panel

Answer = str | int | None
Place = tuple[int, int, int]
"""Expert (the fusion last), layer, position."""
PLACE_NAMES = ("expert", "layer", "position")


@dataclass(frozen=True)
class PatchRequest:
    """What to move: texts and answers as the visitor gave them, unchecked; an answer that is not given is the
    model's own.  back: of the first text into the second."""

    first: Any
    second: Any
    answers: tuple[Any, Any] = (None, None)
    back: bool = False


def story_request(story: PairStory) -> PatchRequest:
    """The opening of a story."""
    return prompt_request(story.opening)


def prompt_request(prompt: Prompt) -> PatchRequest:
    """A prompt of a story."""
    return PatchRequest(prompt.first, prompt.second, prompt.answers or (None, None))


def first_story(stories: Stories, language: str) -> PairStory:
    """The story that a visitor with this language sees first."""
    return next((story for story in stories.pairs if story.language == language), stories.pairs[0])


def story_label(prompt: Prompt) -> str:
    """Both texts in one line: what differs once each, what they share once."""
    first, second = prompt.first, prompt.second
    a, b = (text.split(" ") if " " in text else list(text) for text in (first, second))
    glue = " " if " " in first else ""
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    start = blocks[0].size if blocks[0].a == blocks[0].b == 0 else 0
    tail = next((block.size for block in blocks if block.size and block.a + block.size == len(a)), 0)
    tail = 0 if tail + start > min(len(a), len(b)) else tail
    middle = " / ".join(glue.join(words[start : len(words) - tail]) for words in (a, b))
    return glue.join(part for part in (glue.join(a[:start]), middle, glue.join(a[len(a) - tail :])) if part)


def read_request(engine: Engine, asked: PatchRequest) -> ReadPair:
    """Both texts, read, in the direction that is asked for.

    Raises:
        UserError: see `make_pair`.
    """
    given = [None if answer is None or answer == "" else answer for answer in asked.answers]
    if None in given and given != [None, None]:  # the other one is the model's own
        own = make_pair(engine, asked.first, asked.second).pair.answers
        given = [own[i] if answer is None else answer for i, answer in enumerate(given)]
    answers = None if given[0] is None or given[1] is None else (given[0], given[1])
    read = make_pair(engine, asked.first, asked.second, answers)
    return read.reversed if asked.back else read


def answer_choices(engine: Engine, read: ReadPair) -> Choices:
    """(text, id) of the fusion's likeliest tokens after both texts and of the two that are compared, best first."""
    cell = patch_cell(read, read.opened.shape.layers, len(read.pair.first) - 1)
    return token_choices(engine, [*read.pair.answers, *cell.before.ids[-1], *cell.other.ids[-1]])


def patching_rows(engine: Engine, read: ReadPair, back: bool, say: Say) -> tuple[AnswerRow, ...]:
    """What each answer can be chosen from: the fusion's likeliest tokens after its text.  back: of `PatchRequest`."""
    cell = patch_cell(read, read.opened.shape.layers, len(read.pair.first) - 1)
    tops = (cell.other, cell.before) if back else (cell.before, cell.other)
    labels = say("patch_first_answer"), say("patch_second_answer")
    return tuple(answer_row(engine, *row) for row in zip(labels, tops, read.pair.answers, strict=True))


def patching_view(
    engine: Engine, read: ReadPair, found: PatchMap, place: Place | None, say: Say, rows: tuple[AnswerRow, ...] = ()
) -> str:
    """The maps of a pair."""
    layers, last = read.opened.shape.layers, len(read.pair.first) - 1
    ends = patch_cell(read, layers, last, 1)
    first, second = (
        (say("start"), *(engine.text_of(int(i)) for i in ids[1:])) for ids in (read.pair.first, read.pair.second)
    )
    here, there = (_likely(engine, rows, -1)[0] for rows in (ends.before, ends.other))
    return patching_panel(
        PatchFigure(
            experts=engine.bundle.experts,
            texts=(first, second),
            winners=(here, there),
            answers=_answers(engine, read),
            margins=found.margins,
            effect=found.effect,
            least=LEAST_MARGIN,
            cell=place,
            rows=rows,
        ),
        say,
    )


def best_place(found: PatchMap) -> Place | None:
    """The cell to open with: of the last token's that are not exact by construction, the one with the largest effect
    in an expert; None in a network of one block."""
    inner = np.nan_to_num(found.effect[:-1, 1:-1, -1], nan=-np.inf)
    if inner.size == 0 or not np.isfinite(inner).any():
        return None
    expert, layer = np.unravel_index(int(inner.argmax()), inner.shape)
    return int(expert), int(layer) + 1, found.effect.shape[-1] - 1


def checked_place(read: ReadPair, clicked: Any) -> Place | None:
    """A cell that the browser named, if there is such a one."""
    values = clicked if isinstance(clicked, dict) else {}
    expert, layer, position = (whole(values.get(name)) for name in PLACE_NAMES)
    if expert is None or layer is None or position is None:
        return None
    experts, layers, length = len(read.margins) - 1, read.opened.shape.layers, len(read.pair.first)
    fits = 0 <= expert <= experts and 0 <= layer <= layers and 0 <= position < length
    return (expert, layer, position) if fits else None


def cell_view(engine: Engine, read: ReadPair, place: Place, say: Say) -> str:
    """What one moved state makes a model say, and what the parts of the block before it carry."""
    expert, layer, position = place
    cell, block = patch_cell(read, layer, position), None if layer == 0 else patch_block(read, layer, position)
    names = engine.bundle.experts
    before, patched, other = map(float, cell.margins[:, expert])
    fused = expert == len(names)
    return cell_figure(
        CellFigure(
            expert=say("fused") if fused else names[expert],
            side="fused" if fused else sides(len(names))[expert],
            token=say("start") if position == 0 else engine.text_of(int(read.pair.second[position])),
            layer=layer,
            layers=read.opened.shape.layers,
            lists=(
                _likely(engine, cell.before, expert),
                _likely(engine, cell.patched, expert),
                _likely(engine, cell.other, expert),
            ),
            answers=_answers(engine, read),
            margins=(before, patched, other),
            effect=float(read.effect(cell.margins[1])[expert]),
            heads=None if block is None else block.heads[expert],
            attention=0.0 if block is None else float(block.attention[expert]),
            mlp=0.0 if block is None else float(block.mlp[expert]),
        ),
        say,
    )


def _answers(engine: Engine, read: ReadPair) -> tuple[str, str]:
    first, second = map(engine.text_of, read.pair.answers)
    return first, second


def _likely(engine: Engine, rows: Predictions, expert: int) -> tuple[Likely, ...]:
    return tuple(
        (engine.text_of(int(token)), float(np.exp(log_prob)))
        for token, log_prob in zip(rows.ids[expert], rows.log_probs[expert], strict=True)
    )
