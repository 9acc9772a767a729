"""Translating: the prompt in the frame that the model was trained with, written on greedily."""

from collections.abc import AsyncIterator
from dataclasses import astuple
from typing import Any

import gradio as gr

from app.checkpoint.bundle import Bundle
from app.engine.sampling import MAX_NEW_TOKENS, Sampling
from app.models import LoadedModel
from app.substrate.translation_frame import TARGETS, frame
from app.web.answers import Answer, told_in
from app.web.on_write import NOTHING_WRITTEN, WritingListeners
from app.web.visitor import model_of

EXAMPLES = (
    ("I love my mother.", "ru"),
    ("Where is my book?", "zh"),
    ("Я люблю читать.", "en"),
    ("Сегодня холодно.", "zh"),
    ("我喜欢猫。", "en"),
    ("他在学校。", "ru"),
)
"""Sentences to translate, and into which language: one for each direction."""

_ROOM, _MORE = 2, 12
"""A translation may have so many times the tokens of its frame and so many more, as when its quality was measured."""


def translates(bundle: Bundle) -> bool:
    """Whether a model was trained to translate, and measured."""
    return bool(bundle.training.get("translation"))


class TranslationListeners:
    """Translation is writing on from a frame."""

    def __init__(self, writing: WritingListeners) -> None:
        self._writing = writing

    @told_in("status", refused=NOTHING_WRITTEN)
    async def on_translate(
        self, prompt: str, target: Any, tab: str, request: gr.Request, *view: Any
    ) -> AsyncIterator[Answer]:
        """Translate the prompt into the target language; the strip streams, with the frame as the model gets it."""
        model = model_of(request, self._writing.registry)
        if not translates(model.engine.bundle):
            return
        language = known_target(target)
        framed, sampling = framed_prompt(model, prompt, language)
        async for answer in self._writing.on_generate(framed, *astuple(sampling), tab, request, *view):
            if "made" in answer:  # a translation of the prompt, not a text that begins with the frame
                answer["made"] = answer["made"].model_copy(update={"text": prompt, "how": f"to_{language}"})
            yield answer


def known_target(target: Any) -> str:
    """The language of this name; the first for an unknown name."""
    return next((known for known in TARGETS if isinstance(target, str) and known == target), TARGETS[0])


def framed_prompt(model: LoadedModel, prompt: str, target: Any) -> tuple[str, Sampling]:
    """What is fed for a translation, and how it is written on: always the likeliest token.

    Raises:
        UserError: for a prompt that is no text or too long.
    """
    engine = model.engine
    engine.encode(prompt)  # the frame alone would pass for a text
    framed = frame(" ".join(prompt.split()), known_target(target))
    room = _ROOM * len(engine.ids_of(framed)) + _MORE
    return framed, Sampling(temperature=0, new_tokens=min(room, MAX_NEW_TOKENS))
