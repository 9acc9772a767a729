"""What the page does while the model reads and writes: one method a listener, widget values in, widget values out."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES
from app.engine.queue import Order
from app.engine.sampling import Sampling
from app.models import Shown, Stage
from app.panels.compose import PANELS, finished
from app.panels.settings import View
from app.panels.status import status_html
from app.panels.strip import writing_view, written_value
from app.trace.record import Trace
from app.web.visitor import shown_to, visitor_of
from app.wording.catalogue import say, speaker
from app.wording.errors import UserError
from viz.alone import alone_panel
from viz.html import Say

_FRAME_SECONDS = 0.05  # the strip is sent at most this often while the model writes, less often for a crowd
_FRAMED_TEXTS = 4  # so many texts at once get all their frames
_FIRST_SECONDS, _LINE_SECONDS = 0.01, 0.4  # how often an order is looked at before its first token, and in line
_PATIENT_SECONDS = 0.3  # a shorter wait in line is not worth a sentence
_STANDBY_SECONDS = 1.0
_KEPT_EXAMPLES = 24
STATUS = 3
"""The place of the status line among what a run fills."""

log = logging.getLogger(__name__)


class Kept:
    """What was drawn for finished runs of the examples, for the next who asks: until the word list is read, since
    panels wait for it, and then what is drawn anew."""

    def __init__(self) -> None:
        self._drawn: OrderedDict[tuple[Any, ...], list[Any]] = OrderedDict()

    def put(self, shown: Shown, key: tuple[Any, ...], drawn: list[Any]) -> list[Any]:
        """Keep what was drawn over a model; returns it."""
        self._drawn[(*key, shown.lexicon.bank is not None)] = drawn
        while len(self._drawn) > _KEPT_EXAMPLES:
            self._drawn.popitem(last=False)
        return drawn

    def get(self, shown: Shown, key: tuple[Any, ...]) -> list[Any] | None:
        """What was drawn over a model, None if nothing was."""
        return self._drawn.get((*key, shown.lexicon.bank is not None))


class WritingListeners:
    """Answers to whoever lets the model read or write; kept: shared with those who open the page."""

    def __init__(self, stage: Stage, kept: Kept) -> None:
        self.stage, self._kept = stage, kept
        self._pencil = ThreadPoolExecutor(1, "panels")  # one thread draws: more would only slow the model

    async def on_generate(
        self, prompt: str, temperature: float, top_k: float, top_p: float, seed: float, new_tokens: float,
        request: gr.Request, *view: Any,
    ) -> AsyncIterator[list[Any]]:  # fmt: skip
        """Write on from the prompt: the strip streams, the panels come with the end."""
        language = str(view[-1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            shown, visitor = shown_to(request, self.stage), visitor_of(request)
            async for drawn in self._writing(shown, prompt, sampling, View.of(*view), visitor):
                yield drawn
        except UserError as error:
            yield _beside(say(error.code, language, **error.values), failed=True)
        except Exception:
            log.exception("generation failed")
            yield _beside(say("busy", language), failed=True)

    async def _writing(
        self, shown: Shown, prompt: str, sampling: Sampling, view: View, visitor: str
    ) -> AsyncIterator[list[Any]]:
        speak, engine = speaker(view.language), shown.engine
        key = (shown.key, prompt, sampling, view)
        if (known := self._kept.get(shown, key)) is not None:
            said = status_html(speak("kept", count=len(known[0]) - known[0].prompt))
            yield [*known[:STATUS], said, *known[STATUS + 1 :]]
            return
        order = shown.desk.write(prompt, sampling, view.blend(engine.bundle), visitor)
        ids = engine.encode(prompt)
        started = time.perf_counter()
        async for place in self._watch(shown, order):
            if place:
                started = time.perf_counter()
                yield _beside(speak("waiting", place=place))
            elif written := [(s.id, written_value(engine, s)) for s in order.steps if s.id is not None]:
                yield [
                    *[gr.skip()] * STATUS, status_html(speak("writing")),
                    writing_view(engine, ids, written, speak), *[gr.skip()] * PANELS,
                ]  # fmt: skip
        trace = order.result()
        seconds = max(time.perf_counter() - started, 1e-6)
        message = speak("done", count=len(order.steps), rate=f"{len(order.steps) / seconds:.0f}")
        if len(trace) == engine.context:
            message += " " + speak("filled", limit=engine.context)
        message += _unknown(shown, prompt, speak)
        drawn = await self._drawn(shown, lambda: finished(shown, trace, view, message))
        if not order.stopped and any((prompt, sampling) == (e.prompt, Sampling(seed=e.seed)) for e in EXAMPLES):
            self._kept.put(shown, key, drawn)
        yield drawn

    async def on_look(self, prompt: str, request: gr.Request, *view: Any) -> AsyncIterator[list[Any]]:
        """Read the text without writing."""
        language = str(view[-1])
        try:
            settings, shown = View.of(*view), shown_to(request, self.stage)
            speak = speaker(settings.language)
            order = shown.desk.look(prompt, settings.blend(shown.engine.bundle), visitor_of(request))
            async for place in self._watch(shown, order):
                if place:
                    yield _beside(speak("waiting", place=place))
            trace = order.result()
            message = speak("looked", count=len(trace) - 1) + _unknown(shown, prompt, speak)
            yield await self._drawn(shown, lambda: finished(shown, trace, settings, message))
        except UserError as error:
            yield _beside(say(error.code, language, **error.values), failed=True)
        except Exception:
            log.exception("reading failed")
            yield _beside(say("busy", language), failed=True)

    def on_stop(self, request: gr.Request) -> None:
        """Let what this visitor started end after the token in hand; what is written stays."""
        shown_to(request, self.stage).desk.stop(visitor_of(request))

    async def on_alone(
        self, trace: Trace | None, selected: int, temperature: float, top_k: float, top_p: float, seed: float,
        new_tokens: float, request: gr.Request, *view: Any,
    ) -> AsyncIterator[str]:  # fmt: skip
        """Continue the text after the selected token three times: by the first expert alone, by the plain
        fusion, by the second."""
        if trace is None or not shown_to(request, self.stage).engine.bundle.adjustable:
            return
        language = str(view[-1])
        prompt = "".join(trace.texts[1 : selected + 1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            shown = shown_to(request, self.stage)
            async for drawn in self._three_ways(shown, prompt, sampling, speaker(language), visitor_of(request)):
                yield drawn
        except UserError as error:
            yield status_html(say(error.code, language, **error.values), failed=True)
        except Exception:
            log.exception("continuing alone failed")
            yield status_html(say("busy", language), failed=True)

    async def _three_ways(
        self, shown: Shown, prompt: str, sampling: Sampling, speak: Say, visitor: str
    ) -> AsyncIterator[str]:
        names = shown.engine.bundle.experts
        orders: list[Order] = []
        try:
            for weights in ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]):
                orders.append(shown.desk.write(prompt, sampling, weights, visitor))
            for order in orders:
                async for place in self._watch(shown, order):
                    if place:
                        yield status_html(speak("waiting", place=place))
                    else:
                        yield alone_panel(prompt, _texts(orders), names, speak, writing=True)
            for order in orders:
                order.result()
            yield alone_panel(prompt, _texts(orders), names, speak, writing=False)
        finally:
            for order in orders:
                order.leave()

    async def _watch(self, shown: Shown, order: Order) -> AsyncIterator[int]:
        """An order's place in line, 0 while it is served, now and then until it is done.  Whoever stops
        watching has left."""
        try:
            begun = time.monotonic()
            while not order.done.is_set():
                place = shown.desk.place(order) if time.monotonic() - begun > _PATIENT_SECONDS else 0
                yield place
                frame = _FRAME_SECONDS * max(1, shown.desk.busy / _FRAMED_TEXTS) if order.steps else _FIRST_SECONDS
                await asyncio.sleep(_LINE_SECONDS if place > shown.desk.places else frame)
        finally:
            order.leave()

    async def _drawn(self, shown: Shown, draw: Callable[[], list[Any]]) -> list[Any]:
        """Draw panels beside, after the first tokens of others, which come in no time; but not long after."""
        begun = time.monotonic()
        while shown.desk.pressed and time.monotonic() - begun < _STANDBY_SECONDS:
            await asyncio.sleep(_FIRST_SECONDS)
        return await asyncio.get_running_loop().run_in_executor(self._pencil, draw)


def _beside(message: str, failed: bool = False) -> list[Any]:
    """A sentence in the status line, everything else as it is."""
    return [*[gr.skip()] * STATUS, status_html(message, failed), *[gr.skip()] * (1 + PANELS)]


def _unknown(shown: Shown, prompt: str, speak: Say) -> str:
    missing = shown.engine.unknown(prompt)
    return " " + speak("unknown", characters=" ".join(missing[:20])) if missing else ""


def _texts(orders: list[Order]) -> tuple[str, ...]:
    return tuple("".join(step.text for step in order.steps) for order in orders)
