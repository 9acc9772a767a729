"""What the page does: one method a listener, widget values in, widget values out."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from html import escape
from itertools import zip_longest
from typing import Any

import gradio as gr

from app.brakes import Brakes
from app.engine import Engine
from app.errors import UserError
from app.expert_views import disagreement_view, experts_view
from app.layer_views import depth_view, layers_view, lens_view
from app.lexicon import Lexicon
from app.opening import EXAMPLES, opening_trace
from app.sampling import Sampling
from app.settings import View, whole
from app.texts import LANGUAGES, say, speaker
from app.trace import Trace
from app.views import glyph_view, lab_view, most_disputed, strip_view, writing_view
from app.word_views import depths, meanings
from viz.alone import alone_panel
from viz.html import Say

PANELS = 6
"""Glyphs, experts, disagreement, layers, lens, depth: in this order wherever all are filled."""
_FRAME_SECONDS = 0.05  # the strip is sent at most this often while the model writes

log = logging.getLogger(__name__)


class Listeners:
    """Answers to everything a visitor does, over one engine.

    `relabel` gives the labels of the page in a language.
    """

    def __init__(self, engine: Engine, lexicon: Lexicon, relabel: Callable[[str], list[Any]]) -> None:
        self.engine = engine
        self.lexicon = lexicon
        self.relabel = relabel
        self.brakes = Brakes()

    def on_load(self, request: gr.Request) -> list[Any]:
        """A new visitor: the opening example, finished, in the visitor's language."""
        view = View(language=language_of(request))
        trace, example = opening_trace(self.engine), EXAMPLES[0]
        return [
            *self._finished(trace, view, ""),
            view.language,
            example.prompt,
            example.seed,
            *self.relabel(view.language),
        ]

    def on_generate(
        self, prompt: str, temperature: float, top_k: float, top_p: float, seed: float, new_tokens: float,
        request: gr.Request, *view: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        """Write on from the prompt: the strip streams, the panels come with the end."""
        language = str(view[-1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            with self.brakes.hold(f"{request.session_hash}/text") as stop:
                yield from self._writing(prompt, sampling, View.of(*view), stop)
        except UserError as error:
            yield self._only_status(say(error.code, language, **error.values))
        except Exception:
            log.exception("generation failed")
            yield self._only_status(say("busy", language))

    def _writing(self, prompt: str, sampling: Sampling, view: View, stop: threading.Event) -> Iterator[list[Any]]:
        speak = speaker(view.language)
        steps = self.engine.generate(prompt, sampling, view.weights, stop.is_set)
        ids = self.engine.encode(prompt)
        written: list[tuple[int, float]] = []
        started = sent = time.perf_counter()
        for step in steps:
            if step.trace is not None:
                seconds = max(time.perf_counter() - started, 1e-6)
                message = speak("done", count=len(written), rate=f"{len(written) / seconds:.0f}")
                if len(step.trace) == self.engine.context:
                    message += " " + speak("filled", limit=self.engine.context)
                yield self._finished(step.trace, view, message + self._unknown(prompt, speak))
                return
            assert step.id is not None, "only the closing step has no token"
            written.append((step.id, float(step.log_probs[0] - step.log_probs[1])))
            if len(written) == 1 or time.perf_counter() - sent > _FRAME_SECONDS:
                sent = time.perf_counter()
                yield [
                    *[gr.skip()] * 3, status_html(speak("writing")),
                    writing_view(self.engine, ids, written, speak), *[gr.skip()] * PANELS,
                ]  # fmt: skip

    def on_look(self, prompt: str, *view: Any) -> list[Any]:
        """Read the text without writing."""
        try:
            settings = View.of(*view)
            trace = self.engine.look(prompt, settings.weights)
        except UserError as error:
            return self._only_status(say(error.code, str(view[-1]), **error.values))
        speak = speaker(settings.language)
        message = speak("looked", count=len(trace) - 1) + self._unknown(prompt, speak)
        return self._finished(trace, settings, message)

    def on_stop(self, request: gr.Request) -> None:
        """Let what this visitor started end after the token in hand; what is written stays."""
        self.brakes.press(f"{request.session_hash}/text", f"{request.session_hash}/alone")

    def on_alone(
        self, trace: Trace | None, selected: int, temperature: float, top_k: float, top_p: float, seed: float,
        new_tokens: float, request: gr.Request, *view: Any,
    ) -> Iterator[str]:  # fmt: skip
        """Continue the text after the selected token three times, a token each in turn: by the first
        expert alone, by the plain fusion, by the second."""
        if trace is None:
            return
        language = str(view[-1])
        prompt = "".join(trace.texts[1 : selected + 1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            with self.brakes.hold(f"{request.session_hash}/alone") as stop:
                yield from self._three_ways(prompt, sampling, speaker(language), stop)
        except UserError as error:
            yield status_html(say(error.code, language, **error.values), failed=True)
        except Exception:
            log.exception("continuing alone failed")
            yield status_html(say("busy", language), failed=True)

    def _three_ways(self, prompt: str, sampling: Sampling, speak: Say, stop: threading.Event) -> Iterator[str]:
        weights = ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0])
        runs = [self.engine.generate(prompt, sampling, w, stop.is_set) for w in weights]
        texts = ["", "", ""]
        names = self.engine.bundle.experts
        sent = time.perf_counter()
        for steps in zip_longest(*runs):
            texts = [text + (step.text if step else "") for text, step in zip(texts, steps, strict=True)]
            if time.perf_counter() - sent > _FRAME_SECONDS:
                sent = time.perf_counter()
                yield alone_panel(prompt, tuple(texts), names, speak, writing=True)
        yield alone_panel(prompt, tuple(texts), names, speak, writing=False)

    def on_select(self, trace: Trace | None, event: gr.EventData, *view: Any) -> list[Any]:
        """A token was clicked in any panel, or a cell of the lens."""
        clicked = event._data if isinstance(event._data, dict) else {}
        index, expert, layer = (whole(clicked.get(name)) for name in ("index", "expert", "layer"))
        if trace is None or index is None or not 1 <= index < len(trace):
            return [gr.skip()] * 5
        settings, cell = View.of(*view), None
        experts, layers = trace.hidden.shape[:2]
        if expert is not None and layer is not None and 0 <= expert < experts and 0 <= layer < layers:
            cell = expert, layer
        depth = depth_view(self.engine, trace, index, speaker(settings.language), cell)
        return [index, cell, *self._token_panels(trace, index, settings), depth]

    def on_pin(
        self, trace: Trace | None, selected: int, cell: tuple[int, int] | None, event: gr.EventData, *view: Any
    ) -> Any:
        """A candidate was clicked: follow it through the layers."""
        pinned = whole(event._data.get("pin")) if isinstance(event._data, dict) else None
        if trace is None or pinned is None or not 0 <= pinned < self.engine.model.shape.vocabulary:
            return gr.skip()
        return depth_view(self.engine, trace, selected, speaker(View.of(*view).language), cell, pinned)

    def on_weight(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """Weight or fusion changed: re-score stored logits."""
        return gr.skip() if trace is None else self._experts(trace, selected, View.of(*view))

    def on_components(self, trace: Trace | None, selected: int, components: Any, language: str) -> Any:
        """Decode the selected token's picture from fewer coordinates."""
        count = whole(components)
        if trace is None or count is None:
            return gr.skip()
        return self._glyphs(trace, selected, language, count)

    def on_compare(self, first: str, second: str, language: str) -> str:
        """Compare two texts in the glyph laboratory."""
        try:
            return lab_view(self.engine, first, second, speaker(language), depths(self.lexicon, first, second))
        except UserError as error:
            return status_html(say(error.code, language, **error.values), failed=True)

    def on_measure(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """The strip shows another measure."""
        return gr.skip() if trace is None else self._strip(trace, selected, View.of(*view))

    def on_language(self, trace: Trace | None, selected: int, *view: Any) -> list[Any]:
        """Another language: the same figures, other words."""
        settings = View.of(*view)
        labels = self.relabel(settings.language)
        if trace is None:
            return [*labels, *[gr.skip()] * (1 + PANELS)]
        return [*labels, self._strip(trace, selected, settings), *self._panels(trace, selected, settings)]

    # What several listeners give

    def _strip(self, trace: Trace, selected: int, view: View) -> str:
        return strip_view(self.engine, trace, selected, speaker(view.language), view.measure)

    def _token_panels(self, trace: Trace, selected: int, view: View) -> list[str]:
        """The two panels about the selected token."""
        return [self._glyphs(trace, selected, view.language), self._experts(trace, selected, view)]

    def _glyphs(self, trace: Trace, selected: int, language: str, components: int | None = None) -> str:
        words = meanings(self.lexicon, trace, selected, language)
        return glyph_view(self.engine, int(trace.ids[selected]), speaker(language), components, words)

    def _experts(self, trace: Trace, selected: int, view: View) -> str:
        return experts_view(self.engine, trace, selected, view.weight, speaker(view.language), view.fusion)

    def _panels(self, trace: Trace, selected: int, view: View) -> list[str]:
        speak = speaker(view.language)
        views = (disagreement_view, layers_view, lens_view, depth_view)
        others = [draw(self.engine, trace, selected, speak) for draw in views]
        return [*self._token_panels(trace, selected, view), *others]

    def _finished(self, trace: Trace, view: View, message: str) -> list[Any]:
        selected = most_disputed(trace)
        return [
            trace,
            selected,
            None,
            status_html(message),
            self._strip(trace, selected, view),
            *self._panels(trace, selected, view),
        ]

    def _only_status(self, message: str) -> list[Any]:
        return [*[gr.skip()] * 3, status_html(message, failed=True), *[gr.skip()] * (1 + PANELS)]

    def _unknown(self, prompt: str, speak: Say) -> str:
        missing = self.engine.unknown(prompt)
        return " " + speak("unknown", characters=" ".join(missing[:20])) if missing else ""


def status_html(message: str, failed: bool = False) -> str:
    """One line under the prompt: what happened, or what to do."""
    kind, role = (" gs-failed", "alert") if failed else ("", "status")
    return f"<p class='gs-status{kind}' role='{role}'>{escape(message)}</p>" if message else ""


def language_of(request: gr.Request) -> str:
    """`?lang=…` if the address has it, else the browser's first language, else English."""
    asked = dict(request.query_params or {}).get("lang") or (request.headers or {}).get("accept-language", "")
    code = str(asked)[:2].lower()
    return code if code in LANGUAGES else "en"
