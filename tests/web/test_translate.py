"""Translating on the page: what is fed, what comes, and who is offered it."""

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch

from app.engine.engine import Engine
from app.engine.queue import RequestQueue
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.network.experts import StackedExperts
from app.probing.word_cache import WordCache
from app.substrate.translation_frame import TARGETS, frame
from app.web.labels import relabel
from app.web.on_translate import EXAMPLES, TranslationListeners
from app.web.on_write import NOTHING_WRITTEN, RenderedCache, WritingListeners
from app.wording.catalogue import LANGUAGES, say


class Request:
    session_hash = "me"


@pytest.fixture(scope="module")
def model(engine: Engine) -> LoadedModel:
    """Random experts over the toy vocabulary, which do not end at once, as if they had been trained to translate."""
    network = deepcopy(engine.bundle.model)
    assert isinstance(network, StackedExperts)
    network.initialise(torch.Generator().manual_seed(0))
    for weight in network.parameters():
        weight.data.mul_(8)
    training = {**engine.bundle.training, "translation": {"en-ru": {}}}
    able = Engine(replace(engine.bundle, model=network, training=training))
    return LoadedModel("toy", able, RequestQueue(able), WordCache(able), None, None)


def answers(model: LoadedModel, prompt: Any, target: Any, tab: str = "read", weight: float = 0.5) -> list[Any]:
    registry = ModelRegistry({"toy": Place(None, "toy")}, {"toy": model}, "toy")
    page = TranslationListeners(WritingListeners(registry, RenderedCache()))

    async def gather() -> list[Any]:
        view = (weight, "logits", "preference", "en")
        return [answer async for answer in page.on_translate(prompt, target, tab, Request(), *view)]

    return asyncio.run(gather())


@torch.inference_mode()
def greedy(engine: Engine, text: str, weights: Sequence[float], limit: int) -> list[int]:
    """The likeliest next token again and again, the whole text read anew each time."""
    ids = [engine.bundle.start, *engine.ids_of(text)]
    for _ in range(min(limit, engine.context - len(ids))):
        logits = engine.model(torch.tensor([ids])).logits[:, 0, -1]  # (E, V)
        fused = torch.tensor(weights) @ logits
        fused[
            [i for name in ("<unk>", "<pad>", "<s>") if (i := engine.bundle.tokenizer.token_to_id(name)) is not None]
        ] = -1e9
        best = int(fused.argmax())
        if best == engine.bundle.start:
            break
        ids.append(best)
    return ids


SOURCES = ("The cat", "Мама любит", "我", "I want to go", "Tom and the dog")


@pytest.mark.parametrize("weight", [0.5, 1.0, 0.0])
def test_it_is_the_greedy_text_after_the_frame(model: LoadedModel, weight: float) -> None:
    """Under both experts, and under each alone."""
    written = 0
    for number, source in enumerate(SOURCES):
        target = TARGETS[number % len(TARGETS)]
        trace = answers(model, f"  {source}\n", target, weight=weight)[-1]["trace"]
        framed = frame(source, target)
        room = 2 * len(model.engine.ids_of(framed)) + 12
        assert trace.ids.tolist() == greedy(model.engine, framed, [weight, 1 - weight], room)
        written += len(trace) - trace.prompt
    assert written > 0


@pytest.mark.parametrize(("prompt", "code"), [("", "empty_prompt"), ("   ", "empty_prompt"), ("x" * 9_999, "long")])
def test_what_is_no_text_gets_a_sentence(model: LoadedModel, prompt: str, code: str) -> None:
    (answer,) = answers(model, prompt, "ru")
    assert set(answer) == {"status", *NOTHING_WRITTEN} and "gs-failed" in answer["status"]
    assert answer["trace"] is None and not any(answer[name] for name in ("strip", "filled", "glyphs", "experts"))


def test_an_unknown_language_is_a_known_one(model: LoadedModel) -> None:
    for odd in (None, ["ru"], "<b>", 3):
        trace = answers(model, "The cat", odd)[-1]["trace"]
        assert "".join(trace.texts[1 : trace.prompt]).strip() == frame("The cat", "en")


def test_only_a_model_that_was_trained_to_is_offered_it(engine: Engine, model: LoadedModel) -> None:
    without = replace(engine.bundle, training={})
    other = LoadedModel("other", Engine(without), model.requests, model.word_cache, None, None)
    assert relabel(model, "ru")["translation"]["visible"] and not relabel(other, "ru")["translation"]["visible"]
    assert answers(other, "The cat", "ru") == []


def test_there_is_an_example_in_each_direction_and_a_plain_word_about_quality() -> None:
    scripts = {"en": "aeiou", "ru": "аеиоуя", "zh": "我他在"}
    directions = {
        (next(code for code, signs in scripts.items() if any(sign in text for sign in signs)), target)
        for text, target in EXAMPLES
    }
    assert directions == {(a, b) for a in TARGETS for b in TARGETS if a != b}
    assert len({say("translation_note", language) for language in LANGUAGES}) == len(LANGUAGES)
