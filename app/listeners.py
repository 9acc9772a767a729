"""What the page does: one method a listener, widget values in, widget values out."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from app.desk import Order
from app.errors import UserError
from app.expert_views import disagreement_view, experts_view
from app.layer_views import depth_view, layers_view, lens_view, lens_window
from app.opening import EXAMPLES, opening_trace
from app.sampling import Sampling
from app.settings import View, whole
from app.stage import News, Shown, Stage
from app.texts import LANGUAGES, say, speaker
from app.trace import Trace
from app.views import glyph_view, lab_view, most_disputed, strip_view, writing_view, written_value
from app.word_views import depths, meanings
from viz.alone import alone_panel
from viz.html import Say

PANELS = 6
"""Glyphs, experts, disagreement, layers, lens, depth: in this order wherever all are filled."""
_FRAME_SECONDS = 0.05  # the strip is sent at most this often while the model writes, less often for a crowd
_FRAMED_TEXTS = 4  # so many texts at once get all their frames
_FIRST_SECONDS, _LINE_SECONDS = 0.01, 0.4  # how often an order is looked at before its first token, and in line
_PATIENT_SECONDS = 0.3  # a shorter wait in line is not worth a sentence
_STANDBY_SECONDS = 1.0
_KEPT_EXAMPLES = 24
_STATUS = 3  # the place of the status line among what a run fills

log = logging.getLogger(__name__)


class Listeners:
    """Answers to everything a visitor does, over the model that the visitor sees.

    `relabel` gives the labels of the page over a model, in a language.
    """

    def __init__(self, stage: Stage, relabel: Callable[[Shown, str], list[Any]]) -> None:
        self.stage = stage
        self.relabel = relabel
        self._kept: OrderedDict[tuple[Any, ...], list[Any]] = OrderedDict()  # finished runs of the examples
        self._pencil = ThreadPoolExecutor(1, "panels")  # one thread draws: more would only slow the model

    def on_load(self, request: gr.Request) -> list[Any]:
        """A new visitor: the opening example, finished, in the visitor's language."""
        return self._opening(self._at(request), language_of(request))

    def on_switch(self, language: str, request: gr.Request) -> list[Any]:
        """Another model is on view: begin anew with it."""
        return self._opening(self._at(request), language if language in LANGUAGES else "en")

    def _opening(self, shown: Shown, language: str) -> list[Any]:
        view, example = View(language=language), EXAMPLES[0]
        key, drawn = ("opening", shown.key, view), shown.lexicon.bank is not None
        if (known := self._known(shown, key)) is None:
            known = self._keep(shown, key, self._finished(shown, opening_trace(shown.engine), view, ""))
        return [*known, drawn, view.language, example.prompt, example.seed, *self.relabel(shown, view.language)]

    def _at(self, request: gr.Request) -> Shown:
        """The model that whoever asks sees."""
        return self.stage.of(visitor_of(request))

    async def on_generate(
        self, prompt: str, temperature: float, top_k: float, top_p: float, seed: float, new_tokens: float,
        request: gr.Request, *view: Any,
    ) -> AsyncIterator[list[Any]]:  # fmt: skip
        """Write on from the prompt: the strip streams, the panels come with the end."""
        language = str(view[-1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            async for drawn in self._writing(self._at(request), prompt, sampling, View.of(*view), visitor_of(request)):
                yield drawn
        except UserError as error:
            yield self._only_status(say(error.code, language, **error.values))
        except Exception:
            log.exception("generation failed")
            yield self._only_status(say("busy", language))

    async def _writing(
        self, shown: Shown, prompt: str, sampling: Sampling, view: View, visitor: str
    ) -> AsyncIterator[list[Any]]:
        speak, engine = speaker(view.language), shown.engine
        key = (shown.key, prompt, sampling, view)
        if (known := self._known(shown, key)) is not None:
            said = status_html(speak("kept", count=len(known[0]) - known[0].prompt))
            yield [*known[:_STATUS], said, *known[_STATUS + 1 :]]
            return
        order = shown.desk.write(prompt, sampling, view.blend(engine.bundle), visitor)
        ids = engine.encode(prompt)
        started = time.perf_counter()
        async for place in self._watch(shown, order):
            if place:
                started = time.perf_counter()
                yield self._beside(speak("waiting", place=place))
            elif written := [(s.id, written_value(engine, s)) for s in order.steps if s.id is not None]:
                yield [
                    *[gr.skip()] * 3, status_html(speak("writing")),
                    writing_view(engine, ids, written, speak), *[gr.skip()] * PANELS,
                ]  # fmt: skip
        trace = order.result()
        seconds = max(time.perf_counter() - started, 1e-6)
        message = speak("done", count=len(order.steps), rate=f"{len(order.steps) / seconds:.0f}")
        if len(trace) == engine.context:
            message += " " + speak("filled", limit=engine.context)
        message += self._unknown(shown, prompt, speak)
        drawn = await self._drawn(shown, lambda: self._finished(shown, trace, view, message))
        if not order.stopped and any((prompt, sampling) == (e.prompt, Sampling(seed=e.seed)) for e in EXAMPLES):
            self._keep(shown, key, drawn)
        yield drawn

    async def on_look(self, prompt: str, request: gr.Request, *view: Any) -> AsyncIterator[list[Any]]:
        """Read the text without writing."""
        language = str(view[-1])
        try:
            settings, shown = View.of(*view), self._at(request)
            speak = speaker(settings.language)
            order = shown.desk.look(prompt, settings.blend(shown.engine.bundle), visitor_of(request))
            async for place in self._watch(shown, order):
                if place:
                    yield self._beside(speak("waiting", place=place))
            trace = order.result()
            message = speak("looked", count=len(trace) - 1) + self._unknown(shown, prompt, speak)
            yield await self._drawn(shown, lambda: self._finished(shown, trace, settings, message))
        except UserError as error:
            yield self._only_status(say(error.code, language, **error.values))
        except Exception:
            log.exception("reading failed")
            yield self._only_status(say("busy", language))

    def on_stop(self, request: gr.Request) -> None:
        """Let what this visitor started end after the token in hand; what is written stays."""
        self._at(request).desk.stop(visitor_of(request))

    async def on_alone(
        self, trace: Trace | None, selected: int, temperature: float, top_k: float, top_p: float, seed: float,
        new_tokens: float, request: gr.Request, *view: Any,
    ) -> AsyncIterator[str]:  # fmt: skip
        """Continue the text after the selected token three times: by the first expert alone, by the plain
        fusion, by the second."""
        if trace is None or not self._at(request).engine.bundle.adjustable:
            return
        language = str(view[-1])
        prompt = "".join(trace.texts[1 : selected + 1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            shown = self._at(request)
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

    def _keep(self, shown: Shown, key: tuple[Any, ...], drawn: list[Any]) -> list[Any]:
        """Keep what was drawn for the next who asks for it: until the word list is read, since panels wait for it,
        and then what is drawn anew."""
        self._kept[(*key, shown.lexicon.bank is not None)] = drawn
        while len(self._kept) > _KEPT_EXAMPLES:
            self._kept.popitem(last=False)
        return drawn

    def _known(self, shown: Shown, key: tuple[Any, ...]) -> list[Any] | None:
        return self._kept.get((*key, shown.lexicon.bank is not None))

    def on_select(self, trace: Trace | None, before: Any, event: gr.EventData, *view: Any) -> list[Any]:
        """A token was clicked in any panel, or a cell of the lens; `before`: the one that was selected."""
        clicked = event._data if isinstance(event._data, dict) else {}
        index, expert, layer = (whole(clicked.get(name)) for name in ("index", "expert", "layer"))
        shown = self._of(trace)
        if trace is None or shown is None or index is None or not 1 <= index < len(trace):
            return [gr.skip()] * 6
        settings, cell = View.of(*view), None
        experts, layers = trace.hidden.shape[:2]
        if expert is not None and layer is not None and 0 <= expert < experts and 0 <= layer < layers:
            cell = expert, layer
        depth = self._one(partial(depth_view, shown.engine, trace, index, speaker(settings.language), cell), settings)
        window, old = (lens_window(shown.engine, trace, i) for i in (index, whole(before) or 1))
        lens: Any = gr.skip()  # the page itself marks the row, if it is there
        if window != old:
            lens = self._one(partial(lens_view, shown.engine, trace, index, speaker(settings.language)), settings)
        return [index, cell, *self._token_panels(shown, trace, index, settings), depth, lens]

    def _of(self, trace: Trace | None) -> Shown | None:
        """The model that made a trace: another one may be on view by now."""
        return None if trace is None else self.stage.made(trace)

    def on_pin(
        self, trace: Trace | None, selected: int, cell: tuple[int, int] | None, event: gr.EventData, *view: Any
    ) -> Any:
        """A candidate was clicked: follow it through the layers."""
        pinned = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        shown = self._of(trace)
        if trace is None or shown is None or pinned is None or not 0 <= pinned < shown.engine.model.shape.vocabulary:
            return gr.skip()
        return depth_view(shown.engine, trace, selected, speaker(View.of(*view).language), cell, pinned)

    def on_weight(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """Weight or fusion changed: re-score stored logits."""
        shown = self._of(trace)
        if trace is None or shown is None:
            return gr.skip()
        return self._experts(shown, trace, selected, View.of(*view))

    def on_components(self, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """Decode the selected token's picture from fewer coordinates."""
        count, shown = whole(components), self._of(trace)
        if trace is None or shown is None or count is None:
            return gr.skip()
        return self._glyphs(shown, trace, selected, language, count)

    def on_compare(self, first: str, second: str, language: str, request: gr.Request) -> str:
        """Compare two texts in the glyph laboratory."""
        shown = self._at(request)
        try:
            return lab_view(shown.engine, first, second, speaker(language), depths(shown.lexicon, first, second))
        except UserError as error:
            return status_html(say(error.code, language, **error.values), failed=True)

    def on_measure(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """The strip shows another measure."""
        shown = self._of(trace)
        if trace is None or shown is None:
            return gr.skip()
        return self._strip(shown, trace, selected, View.of(*view))

    def on_language(self, trace: Trace | None, selected: int, request: gr.Request, *view: Any) -> list[Any]:
        """Another language: the same figures, other words."""
        settings, shown = View.of(*view), self._of(trace)
        labels = self.relabel(self._at(request), settings.language)
        if trace is None or shown is None:
            return [*labels, *[gr.skip()] * (1 + PANELS)]
        return [*labels, self._strip(shown, trace, selected, settings), *self._panels(shown, trace, selected, settings)]

    # Which model is on view

    def on_pick(self, key: Any, language: str, request: gr.Request) -> list[Any]:
        """Another model was picked: shown now if it is loaded, else loaded beside the one on view."""
        try:
            self.stage.choose(visitor_of(request), str(key))
        except UserError as error:
            message = say(error.code, language, **error.values)
            line = status_html(message, failed=True).replace("gs-status", "gs-news")
            return [line, gr.skip(), gr.skip(), self._at(request).key]
        return self.on_tick(language, request)

    def on_tick(self, language: str, request: gr.Request) -> list[Any]:
        """How loading goes on: a line, whether to ask again, which model is on view, which one is picked, and
        the model whose word list is read ("": not yet)."""
        news, shown = self.stage.news, self._at(request)
        read = shown.lexicon.bank is not None
        picked = gr.skip() if news.busy else shown.key
        told = news_html(news, language)
        return [told, gr.Timer(active=news.busy or not read), shown.key, picked, shown.key if read else ""]

    def on_list_read(self, drawn: bool, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """The word list is there: a glyph panel that was drawn before gets its nearest words."""
        return gr.skip() if drawn else self.on_components(trace, selected, components, language)

    # What several listeners give

    def _strip(self, shown: Shown, trace: Trace, selected: int, view: View) -> str:
        return strip_view(shown.engine, trace, selected, speaker(view.language), view.measure)

    def _token_panels(self, shown: Shown, trace: Trace, selected: int, view: View) -> list[str]:
        """The two panels about the selected token."""
        glyphs = partial(self._glyphs, shown, trace, selected, view.language)
        return [self._one(glyphs, view), self._one(partial(self._experts, shown, trace, selected, view), view)]

    def _glyphs(self, shown: Shown, trace: Trace, selected: int, language: str, components: int | None = None) -> str:
        words = meanings(shown.lexicon, trace, selected, language)
        return glyph_view(shown.engine, int(trace.ids[selected]), speaker(language), components, words)

    def _experts(self, shown: Shown, trace: Trace, selected: int, view: View) -> str:
        return experts_view(shown.engine, trace, selected, view.weight, speaker(view.language), view.fusion)

    def _panels(self, shown: Shown, trace: Trace, selected: int, view: View) -> list[str]:
        speak = speaker(view.language)
        views = (disagreement_view, layers_view, lens_view, depth_view)
        others = [self._one(partial(draw, shown.engine, trace, selected, speak), view) for draw in views]
        return [*self._token_panels(shown, trace, selected, view), *others]

    def _one(self, draw: Callable[[], str], view: View) -> str:
        """One panel of several: it fails alone."""
        try:
            return draw()
        except Exception:
            log.exception("a panel failed")
            return status_html(say("panel_failed", view.language), failed=True)

    def _finished(self, shown: Shown, trace: Trace, view: View, message: str) -> list[Any]:
        selected = most_disputed(trace)
        return [
            trace,
            selected,
            None,
            status_html(message),
            self._one(partial(self._strip, shown, trace, selected, view), view),
            *self._panels(shown, trace, selected, view),
        ]

    def _beside(self, message: str, failed: bool = False) -> list[Any]:
        """A sentence in the status line, everything else as it is."""
        return [*[gr.skip()] * 3, status_html(message, failed), *[gr.skip()] * (1 + PANELS)]

    def _only_status(self, message: str) -> list[Any]:
        return self._beside(message, failed=True)

    def _unknown(self, shown: Shown, prompt: str, speak: Say) -> str:
        missing = shown.engine.unknown(prompt)
        return " " + speak("unknown", characters=" ".join(missing[:20])) if missing else ""


def _texts(orders: list[Order]) -> tuple[str, ...]:
    return tuple("".join(step.text for step in order.steps) for order in orders)


def visitor_of(request: gr.Request) -> str:
    """Whose limits count: the session of a page or of a client."""
    return str(request.session_hash)


def status_html(message: str, failed: bool = False) -> str:
    """One line under the prompt: what happened, or what to do."""
    kind, role = (" gs-failed", "alert") if failed else ("", "status")
    return f"<p class='gs-status{kind}' role='{role}'>{escape(message)}</p>" if message else ""


def news_html(news: News, language: str) -> str:
    """One line: what is being loaded, with a bar; or why it is not shown."""
    if news.error is not None:
        line = status_html(say(news.error.code, language, **news.error.values), failed=True)
    else:
        line = progress_html(say(news.stage, language, model=news.key), news.share) if news.busy else ""
    return line.replace("gs-status", "gs-news")  # the line under the prompt is another one


def progress_html(sentence: str, share: float) -> str:
    """One line: what is being done, with a bar."""
    return (
        f"<p class='gs-status' role='status'><progress max='1' value='{share:.2f}'></progress> {escape(sentence)}</p>"
    )


def language_of(request: gr.Request) -> str:
    """`?lang=…` if the address has it, else the browser's first language, else English."""
    asked = dict(request.query_params or {}).get("lang") or (request.headers or {}).get("accept-language", "")
    code = str(asked)[:2].lower()
    return code if code in LANGUAGES else "en"
