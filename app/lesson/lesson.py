"""The lesson over a model in a language: its steps in their order, each computed once."""

import threading
from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from app.lesson.changes import moved_step, pixels_step
from app.lesson.predictions import disagreement_step, expert_step, next_step
from app.lesson.record import Question, Step
from app.lesson.words import kinds_step, scripts_step, untrained_step
from app.models import LoadedModel
from app.probing.word_cache import WordCache
from app.wording.catalogue import Speech, speaker
from app.wording.errors import UserError

STEPS: Mapping[str, Callable[[WordCache, Speech], Step | None]] = {
    "kinds": kinds_step,
    "untrained": untrained_step,
    "scripts": scripts_step,
    "next": next_step,
    "expert": expert_step,
    "disagree": disagreement_step,
    "moved": moved_step,
    "pixels": pixels_step,
}
"""Key -> how a step is made; None where the model shows it too weakly."""

_lock = threading.Lock()
_made: WeakKeyDictionary[WordCache, dict[tuple[str, str], Step | None]] = WeakKeyDictionary()  # goes with its model


def made_steps(model: LoadedModel, language: str) -> dict[str, Step | None]:
    """Those that are computed already."""
    made, said = dict(_made.get(model.word_cache, {})), speaker(language).language
    return {key: step for (spoken, key), step in made.items() if spoken == said}


def make_step(model: LoadedModel, language: str, key: str) -> Step | None:
    """One step, computed if it is not known yet: up to some seconds, one at a time.

    Raises:
        UserError: `meanings_wait` as long as a foreign model's word list is not read.
    """
    say = speaker(language)
    known = made_steps(model, language)
    if key in known:  # without the lock, which may be held for seconds
        return known[key]
    with _lock:
        made = _made.setdefault(model.word_cache, {})
        if (say.language, key) not in made:
            try:
                step = STEPS[key](model.word_cache, say)
            except UserError as error:
                if error.code == "meanings_wait":
                    raise
                step = None  # what cannot be measured on this model is left out
            made[say.language, key] = step
        return made[say.language, key]


def steps(model: LoadedModel, language: str) -> list[Step]:
    """All steps that this model shows, in their order."""
    found = (make_step(model, language, key) for key in STEPS)
    return [step for step in found if step is not None]


def questions(model: LoadedModel, language: str) -> list[Question]:
    """All questions of the lesson over a model, in their order; of a step that this model shows too weakly, none.

    Computed once for each model and language, some seconds: call it in a thread that may wait, such as that of the
    jobs.

    Raises:
        UserError: `meanings_wait` as long as a foreign model's word list is not read.
    """
    return [
        Question(asked.key, number, asked.prompt, asked.options, asked.right, asked.picture)
        for number, step in enumerate(steps(model, language), 1)
        for asked in step.questions
    ]
