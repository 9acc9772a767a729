"""Steps about causes: a state is moved into another text, and a few pixels are flipped."""

import numpy as np

from app.engine.engine import Engine
from app.intervene.adversarial import RANDOM, Flips, fewest_pixels
from app.intervene.drawing import Canvas, open_canvas
from app.intervene.pairs import LARGE, ReadPair, make_pair
from app.intervene.patching import Cell, patch_cell, patch_position
from app.intervene.pixels import to_strings
from app.intervene.stories import PairStory, Prompt, read_stories
from app.lesson.predictions import is_word
from app.lesson.record import Asked, Step, placed
from app.lesson.words import ticks
from app.probing.word_cache import WordCache
from app.substrate.pictures import PIXELS
from app.trace.fusion import FUSED
from app.wording.catalogue import Speech
from app.wording.errors import UserError
from viz.lesson_charts import Curve, Line

LEAST_EFFECT, LEAST_LIKELY = 0.5, 0.1
"""Share of the difference that the moved state must carry, and probability of what it turns the answer to."""
LEAST_MARGIN = 0.3
"""Nats by which the answer must lead before pixels are flipped."""
FEWEST, MOST_BY_CHANCE = 3, 2
"""Pixels: fewer leave nothing to guess; of `RANDOM` drawings with as many random flips, this many may change the
answer."""
_TRIED = 3  # texts


def moved_step(word_cache: WordCache, say: Speech) -> Step | None:
    """What follows a text once one state in it is that of another text."""
    engine = word_cache.engine
    for story in read_stories().pairs:
        if story.language == say.language:
            for prompt in _prompts(story):
                try:
                    read = make_pair(engine, prompt.first, prompt.second, prompt.answers)
                except UserError:
                    continue
                step = _moved(engine, read, prompt, say)
                if step is not None:
                    return step
    return None


def _prompts(story: PairStory) -> tuple[Prompt, ...]:
    """The opening one and the first of those that it stands for: where a tokenizer makes the opening unequally long,
    another may do."""
    return (story.opening, *story.choose[:2])


def _moved(engine: Engine, read: ReadPair, prompt: Prompt, say: Speech) -> Step | None:
    layer, changed = read.opened.shape.layers // 2, read.pair.changed
    position = int(changed[0])
    cell, effect = patch_cell(read, layer, position), patch_position(read, position)[FUSED]
    winners = [int(found.ids[FUSED, 0]) for found in (cell.before, cell.patched, cell.other)]
    likely = float(np.exp(cell.patched.log_probs[FUSED, 0]))
    turned = winners[0] != winners[1] == winners[2]
    words = _candidates(engine, cell, winners, say.language)
    strong = effect[layer] >= LEAST_EFFECT and likely >= LEAST_LIKELY  # not so where the effect is no number
    if len(changed) != 1 or not turned or not strong or len(words) < 4:
        return None
    here, there = (engine.text_of(int(ids[position])).strip() for ids in (read.pair.first, read.pair.second))
    options, right = placed(words[1], (words[0], *words[2:4]), prompt.first)
    share = say.percent(float(effect[layer]), 0)
    values = {"first": prompt.first, "second": prompt.second, "before": words[0], "here": here, "there": there}
    chart = Curve(
        say("lesson_moved_chart", here=here, there=there), say("lesson_layers"),
        (Line(say("fused"), tuple(map(float, effect)), "fused"),), ticks(say), None, layer,
    )  # fmt: skip
    asked = Asked(
        "moved", say("lesson_moved_ask", layer=layer, **values), options, right,
        say("lesson_moved_told", answer=words[1], share=share, **values), chart,
    )  # fmt: skip
    until = max(i for i, share in enumerate(effect) if share >= LEAST_EFFECT)
    learned = say("lesson_moved_learned", layer=until)
    return Step(
        "moved", say("lesson_moved_title"), say("lesson_moved_lead"), (asked,), learned, say("lesson_cause_seen"),
        say("lesson_moved_do"), "patching",
    )  # fmt: skip


def _candidates(engine: Engine, cell: Cell, winners: list[int], language: str) -> list[str]:
    """The answer before, the answer after, and what else was likely in either text, as words."""
    others = [int(i) for pair in zip(cell.before.ids[FUSED], cell.other.ids[FUSED], strict=True) for i in pair]
    worded = [i for i in others if is_word(engine.text_of(i), language) and i not in winners]
    return list(dict.fromkeys(engine.text_of(i).strip() for i in (winners[0], winners[1], *worded)))


def pixels_step(word_cache: WordCache, say: Speech) -> Step | None:
    """How few pixels of a token must flip until the answer changes."""
    engine, stories = word_cache.engine, read_stories()
    if engine.model.trained > LARGE:  # a search takes hundreds of runs
        return None
    texts = [story.text for story in stories.drawings if story.language == say.language]
    texts += [story.opening.first for story in stories.pairs if story.language == say.language]
    for text in texts[:_TRIED]:
        try:
            canvas = open_canvas(engine, text, len(engine.encode(text)))
            found = _searched(canvas)
        except UserError:
            continue
        strong = found.turned and found.first_margin >= LEAST_MARGIN and found.random_turned <= MOST_BY_CHANCE
        if strong and len(found.pixels) >= FEWEST:
            return _flipped(canvas, found, text, say)
    return None


def _searched(canvas: Canvas) -> Flips:
    search = fewest_pixels(canvas)
    while True:
        try:
            next(search)
        except StopIteration as done:
            found: Flips = done.value
            return found


def doublings(right: int) -> tuple[tuple[int, ...], int]:
    """Four numbers, each about twice the one before, with the right one among them at a place that depends on it."""
    place = right % 3 if right >= 4 else 0
    return tuple(round(right * 2.0 ** (i - place)) for i in range(4)), place


def _flipped(canvas: Canvas, found: Flips, text: str, say: Speech) -> Step:
    engine, count = canvas.engine, len(found.pixels)
    token, before, after = (
        engine.text_of(int(i)).strip() for i in (canvas.ids[canvas.index], found.before, found.after)
    )
    numbers, right = doublings(count)
    subject = (token, "".join(to_strings(canvas.picture)))
    changed = (say("lesson_pixels_after", count=count), "".join(to_strings(found.picture)))
    values = {"token": token, "before": before, "after": after, "random": found.random_turned, "times": RANDOM}
    asked = Asked(
        "pixels", say("lesson_pixels_ask", text=text, token=token, before=before), tuple(map(str, numbers)), right,
        say("lesson_pixels_told", answer=count, **values), None, None, subject, changed,
    )  # fmt: skip
    return Step(
        "pixels", say("lesson_pixels_title"), say("lesson_pixels_lead", dots=say.number(PIXELS)), (asked,),
        say("lesson_pixels_learned"), say("lesson_cause_seen"), say("lesson_pixels_do"), "drawing",
    )  # fmt: skip
