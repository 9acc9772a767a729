"""What the page does while the model reads and writes: one method a listener; its answers name the components that
change."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES
from app.engine.fair_line import Visitor
from app.engine.queue import QueuedRequest
from app.engine.sampling import MAX_SEED, Sampling
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import PANELS, draw_all
from app.panels.settings import PanelSettings, whole
from app.panels.status import status_html
from app.panels.strip import writing_view, written_value
from app.substrate.byte_text import joined
from app.system.shared_cache import SharedCache
from app.trace.record import Trace
from app.web.answers import Answer, told_in
from app.web.deep_link import PageLink
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import speaker
from viz.alone import alone_panel
from viz.html import Say
from viz.strip import sequel
from viz.tokens import visible

_FRAME_SECONDS = 0.05  # the strip is sent at most this often while the model writes, less often for a crowd
_FRAMED_TEXTS = 4  # so many texts at once get all their frames
_FIRST_SECONDS, _LINE_SECONDS = 0.01, 0.4  # poll intervals: before the first token, and while it waits
_PATIENT_SECONDS = 0.3  # a shorter wait in line is not worth a sentence
_STANDBY_SECONDS = 1.0
_KEPT_EXAMPLES = 24

NOTHING_WRITTEN: Answer = {
    "trace": None,
    "selected": 1,
    "cell": None,
    "strip": "",
    "filled": (),
    **dict.fromkeys(PANELS, ""),
}
"""What the page shows of a text that was refused."""


class RenderedCache:
    """Panels drawn for finished runs of the examples, by settings; those drawn before the word list was read and
    those after it are kept apart."""

    def __init__(self) -> None:
        self._drawn = SharedCache[Answer](_KEPT_EXAMPLES)

    def put(self, model: LoadedModel, key: tuple[Any, ...], drawn: Answer) -> Answer:
        """Keep what was drawn over a model; returns it."""
        return self._drawn.put((*key, model.word_cache.list_states is not None), drawn)

    def get(self, model: LoadedModel, key: tuple[Any, ...]) -> Answer | None:
        """What was drawn over a model, None if nothing was."""
        return self._drawn.get((*key, model.word_cache.list_states is not None))


class WritingListeners:
    """Reading and generation for visitors; kept: shared with `Listeners`, which open the page."""

    def __init__(self, registry: ModelRegistry, kept: RenderedCache) -> None:
        self.registry, self._rendered = registry, kept
        self._drawing_thread = ThreadPoolExecutor(1, "panels")  # one thread draws: more would only slow the model

    @told_in("status", refused=NOTHING_WRITTEN)
    async def on_generate(
        self, prompt: str, temperature: float, top_k: float, top_p: float, seed: float, new_tokens: float, tab: str,
        request: gr.Request, *view: Any,
    ) -> AsyncIterator[Answer]:  # fmt: skip
        """Write on from the prompt: the strip streams, the panels of the open tab come with the end.  Kept results are
        shown at once."""
        sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
        model, settings = model_of(request, self.registry), PanelSettings.of(*view)
        speak, engine = speaker(settings.language), model.engine
        key, blend = (model.key, prompt, sampling, settings, tab), settings.blend(engine.bundle)
        if (known := self._rendered.get(model, key)) is not None:
            count = len(known["trace"]) - known["trace"].prompt
            yield {
                **known,
                "made": _made(prompt, sampling, settings, blend),
                "status": status_html(speak("kept", count=count)),
            }
            return
        queued = model.requests.write(prompt, sampling, blend, visitor_of(request))
        started, strip = time.perf_counter(), ""
        async for place in self._watch(model, queued):
            if place:
                started = time.perf_counter()
                yield _beside(speak("waiting", place=place))
            elif written := [(s.id, written_value(engine, s)) for s in queued.steps if s.id is not None]:
                strip = writing_view(engine, queued.ids, written, speak)
                yield {**_beside(speak("writing")), "strip": strip}
        trace = queued.result()
        seconds = max(time.perf_counter() - started, 1e-6)
        told = [speak("done", count=len(queued.steps), rate=speak.number(len(queued.steps) / seconds, 0))]
        if len(trace) == engine.context:
            told.append(speak("filled", limit=engine.context))
        message = speak.sentences([*told, *_unknown(model, prompt, speak)])
        drawn = await self._drawn(model, lambda: draw_all(model, trace, settings, message, tab))
        if not queued.stopped and any((prompt, sampling) == (e.prompt, Sampling(seed=e.seed)) for e in EXAMPLES):
            self._rendered.put(model, key, drawn)
        yield {**drawn, "strip": sequel(strip, drawn["strip"]), "made": _made(prompt, sampling, settings, blend)}

    @told_in("status", refused=NOTHING_WRITTEN)
    async def on_look(self, prompt: str, tab: str, request: gr.Request, *view: Any) -> AsyncIterator[Answer]:
        """Read the text without writing."""
        settings, model = PanelSettings.of(*view), model_of(request, self.registry)
        speak = speaker(settings.language)
        blend = settings.blend(model.engine.bundle)
        queued = model.requests.look(prompt, blend, visitor_of(request))
        async for place in self._watch(model, queued):
            if place:
                yield _beside(speak("waiting", place=place))
        trace = queued.result()
        message = speak.sentences([speak("looked", count=len(trace) - 1), *_unknown(model, prompt, speak)])
        made = _made(prompt, Sampling(), settings, blend, how="read")
        yield {**await self._drawn(model, lambda: draw_all(model, trace, settings, message, tab)), "made": made}

    def on_another(self, seed: Any) -> Answer:
        """The next seed, with which the same text is written on another way."""
        number = whole(seed)
        return {"seed": 0 if number is None or not 0 <= number < MAX_SEED else number + 1}

    def on_more(self, trace: Trace | None, prompt: str) -> Answer:
        """The whole text so far as the prompt of what is written next."""
        return {"prompt": prompt if trace is None else trace.text}

    def on_stop(self, request: gr.Request) -> None:
        """Stop what this visitor started after the current token; what is written stays."""
        model_of(request, self.registry).requests.stop(visitor_of(request))

    @told_in("alone_figure")
    async def on_alone(
        self, trace: Trace | None, selected: int, temperature: float, top_k: float, top_p: float, seed: float,
        new_tokens: float, request: gr.Request, *view: Any,
    ) -> AsyncIterator[Answer]:  # fmt: skip
        """Continue the text after the selected token three times: by the first expert alone, by the plain
        fusion, by the second."""
        model = model_of(request, self.registry)
        if trace is None or not model.engine.bundle.adjustable:
            return
        prompt = joined(trace.texts[1 : selected + 1])
        sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
        async for drawn in self._three_ways(model, prompt, sampling, speaker(str(view[-1])), visitor_of(request)):
            yield {"alone_figure": drawn}

    async def _three_ways(
        self, model: LoadedModel, prompt: str, sampling: Sampling, speak: Say, visitor: Visitor
    ) -> AsyncIterator[str]:
        names = model.engine.bundle.experts
        pending: list[QueuedRequest] = []
        try:
            for weights in ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]):
                pending.append(model.requests.write(prompt, sampling, weights, visitor))
            for queued in pending:
                async for place in self._watch(model, queued):
                    if place:
                        yield status_html(speak("waiting", place=place))
                    else:
                        yield alone_panel(prompt, _texts(pending), names, speak, writing=True)
            for queued in pending:
                queued.result()
            yield alone_panel(prompt, _texts(pending), names, speak, writing=False)
        finally:
            for queued in pending:
                queued.abandon()

    async def _watch(self, model: LoadedModel, queued: QueuedRequest) -> AsyncIterator[int]:
        """Yield the place of a request in the queue, 0 while it is served, now and then until it is done.  Ending
        the iteration abandons the request."""
        try:
            begun = time.monotonic()
            while not queued.done.is_set():
                place = model.requests.place(queued) if time.monotonic() - begun > _PATIENT_SECONDS else 0
                yield place
                frame = _FRAME_SECONDS * max(1, model.requests.busy / _FRAMED_TEXTS) if queued.steps else _FIRST_SECONDS
                await asyncio.sleep(_LINE_SECONDS if place > model.requests.batch_size else frame)
        finally:
            queued.abandon()

    async def _drawn(self, model: LoadedModel, draw: Callable[[], Answer]) -> Answer:
        """Draw panels in their own thread, after the first tokens of others, but wait for these only briefly."""
        begun = time.monotonic()
        while model.requests.first_token_awaited and time.monotonic() - begun < _STANDBY_SECONDS:
            await asyncio.sleep(_FIRST_SECONDS)
        return await asyncio.get_running_loop().run_in_executor(self._drawing_thread, draw)


def _beside(message: str) -> Answer:
    """A sentence in the status line, everything else as it is."""
    return {"status": status_html(message)}


def _made(
    prompt: str, sampling: Sampling, settings: PanelSettings, blend: list[float] | None, how: str = "write"
) -> PageLink:
    """What a text was made from."""
    return PageLink.of(prompt, sampling, how=how, made_with=settings.weight if blend else None)


def _unknown(model: LoadedModel, prompt: str, speak: Say) -> list[str]:
    """A sentence on characters that the model does not know, where there are any."""
    missing = model.engine.unknown(prompt)
    return [speak("unknown", characters=" ".join(map(visible, missing[:20])))] if missing else []


def _texts(pending: list[QueuedRequest]) -> tuple[str, ...]:
    return tuple(joined(step.text for step in queued.steps) for queued in pending)
