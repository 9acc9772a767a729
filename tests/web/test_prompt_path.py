"""The way of a prompt from the press of the button to the panels: eight steps in five files, encoded once."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from app.engine.engine import Engine
from app.engine.queue import QueuedRequest, RequestQueue
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.probing.word_cache import WordCache
from app.substrate.translation_frame import frame
from app.trace.record import Trace
from app.web.on_translate import TranslationListeners
from app.web.on_write import RenderedCache, WritingListeners

ROOT = Path(__file__).parents[2]
PROMPT = "Мама и кот"
STEPS = [
    "app/web/on_write.py WritingListeners.on_generate",
    "app/engine/queue.py RequestQueue.write",
    "app/engine/engine.py Engine.encode",
    "app/engine/engine.py Engine.writing",
    "app/engine/queue.py _Running.advance",
    "app/engine/engine.py Engine._run",
    "app/engine/trace_writer.py TraceWriter.add",
    "app/panels/compose.py draw_all",
]
"""As ARCHITECTURE.md tells it."""
INSIDE = {
    "app/substrate/plain_text.py",  # of encoding
    "app/trace/record.py",  # the trace itself
    "app/panels/strip.py",  # the chips while the model writes
}


class CountingTokenizer:
    """A tokenizer that remembers what it was given."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer, self.encoded = tokenizer, list[str]()

    def encode(self, text: str, **options: Any) -> Any:
        self.encoded.append(text)
        return self._tokenizer.encode(text, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


@contextmanager
def watched(ids: list[int]) -> Iterator[list[str]]:
    """Our functions, in the order of their first calls, that are given the prompt in any of its forms: text, ids,
    request, trace; in this thread and those that begin now."""
    seen: dict[str, None] = {}

    def is_prompt(value: Any) -> bool:
        if isinstance(value, list):
            return all(type(i) is int for i in value) and value[-len(ids) :] == ids
        return value == PROMPT if isinstance(value, str) else isinstance(value, Trace | QueuedRequest)

    def watch(frame: FrameType, event: str, _: Any) -> None:
        code, path = frame.f_code, Path(frame.f_code.co_filename)
        if event == "call" and ROOT / "app" in path.parents:
            given = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount]]
            served = [getattr(value, "queued", None) for value in given]
            if any(map(is_prompt, [*given, *served])):
                seen.setdefault(f"{path.relative_to(ROOT)} {code.co_qualname}")

    steps: list[str] = []
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        yield steps
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
        sys.setprofile(None)
        steps += seen


class Request:
    session_hash = "me"


VIEW = ("read", Request(), 0.5, "logits", "preference", "en")


def listeners(engine: Engine) -> tuple[WritingListeners, list[str]]:
    """The page's listeners over this model, and the texts that are encoded from now on."""
    tokenizer = CountingTokenizer(engine.bundle.tokenizer)
    counting = Engine(replace(engine.bundle, tokenizer=tokenizer))  # type: ignore[arg-type]
    model = LoadedModel("toy", counting, RequestQueue(counting), WordCache(counting), None, None)
    registry = ModelRegistry({"toy": Place(None, "toy")}, {"toy": model}, "toy")
    return WritingListeners(registry, RenderedCache()), tokenizer.encoded


@pytest.fixture(scope="module")
def pressed(engine: Engine) -> tuple[list[str], list[str]]:
    """The steps of a prompt, and the texts that were encoded meanwhile."""
    page, encoded = listeners(engine)

    async def press() -> dict[str, Any]:
        given = (PROMPT, 0.8, 50, 0.95, 1, 6, *VIEW)
        return [answer async for answer in page.on_generate(*given)][-1]  # type: ignore[arg-type]

    def watch() -> list[str]:
        with watched(engine.encode(PROMPT)) as steps:
            assert asyncio.run(press())["trace"].text.strip().startswith(PROMPT)
        return steps

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(watch).result(), encoded


def test_a_prompt_is_encoded_once(pressed: tuple[list[str], list[str]]) -> None:
    assert pressed[1] == [PROMPT]


def test_a_translation_encodes_its_frame_once(engine: Engine) -> None:
    training = {**engine.bundle.training, "translation": {"en-ru": {}}}
    writing, encoded = listeners(Engine(replace(engine.bundle, training=training)))

    async def press() -> dict[str, Any]:
        given = (PROMPT, "en", *VIEW)
        return [answer async for answer in TranslationListeners(writing).on_translate(*given)][-1]  # type: ignore[arg-type]

    assert asyncio.run(press())["trace"].text.strip().startswith(frame(PROMPT, "en"))
    assert encoded == [PROMPT, frame(PROMPT, "en")], "the prompt alone, to see that it is a text, and its frame"


def test_a_prompt_becomes_panels_in_eight_steps_and_five_files(pressed: tuple[list[str], list[str]]) -> None:
    steps = pressed[0]
    assert [step for step in steps if step in STEPS] == STEPS
    way = steps[: steps.index(STEPS[-1]) + 1]
    assert {step.split()[0] for step in way} - INSIDE == {step.split()[0] for step in STEPS}
    assert len({step.split()[0] for step in STEPS}) == 5
