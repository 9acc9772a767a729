"""The page: layout and listeners.  Only this file, the API and app.py know Gradio."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from app.engine import MAX_CHARACTERS, Engine
from app.errors import UserError
from app.fusion import Fusion, pair_weights
from app.opening import EXAMPLES, opening_trace
from app.sampling import MAX_NEW_TOKENS, MAX_TEMPERATURE, Sampling
from app.texts import LANGUAGES, say, speaker
from app.trace import Trace
from app.views import (
    depth_view,
    disagreement_view,
    experts_view,
    glyph_view,
    layers_view,
    lens_view,
    most_disputed,
    strip_view,
    writing_view,
)
from viz.html import Say
from viz.strip import MEASURES

ASSETS = Path(__file__).parent.parent / "assets"
MODEL_QUEUE = "model"
"""All listeners that run the model share this queue, so that a crowd waits in one line."""
MODEL_SLOTS = 2
_FRAME_SECONDS = 0.05  # the strip is sent at most this often while the model writes

FUSIONS: tuple[Fusion, ...] = get_args(Fusion)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class View:
    """What the visitor set the panels to: the first expert's weight on its grid, the fusion, the
    strip's measure, the language.

    Raises:
        UserError: for a weight outside 0..1.  Other unknown values fall back to the defaults.
    """

    weight: float = 0.5
    fusion: Fusion = "logits"
    measure: str = "preference"
    language: str = "en"

    @classmethod
    def of(cls, weight: Any, fusion: Any, measure: Any, language: Any) -> "View":
        """From untrusted widget values."""
        if not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise UserError("bad_weights", count=2)
        return cls(
            weight=round(float(weight) * 20) / 20,
            fusion=fusion if fusion in FUSIONS else cls.fusion,
            measure=measure if measure in MEASURES else cls.measure,
            language=language if language in LANGUAGES else cls.language,
        )

    @property
    def weights(self) -> list[float]:
        """Of both experts, as the engine takes them."""
        return [float(w) for w in pair_weights(self.weight)]


def build_page(engine: Engine) -> gr.Blocks:
    """The whole page over one engine."""
    page = Page(engine)
    page.connect()
    blocks: gr.Blocks = page.blocks
    return blocks


class Page:
    """Components as attributes; `connect` adds the listeners."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.stops: dict[str, threading.Event] = {}
        default = Sampling()
        first, second = engine.bundle.experts
        with gr.Blocks(title="Glyphscope", analytics_enabled=False) as self.blocks:
            self.trace = gr.State(None)
            self.selected = gr.State(1)
            self.cell = gr.State(None)  # (expert, layer) chosen in the lens
            with gr.Row(elem_classes="gs-head"):
                self.header = gr.HTML(header_html("en"))
                self.language = gr.Radio(
                    [(name, code) for code, name in LANGUAGES.items()],
                    value="en",
                    label=say("language"),
                    show_label=False,
                    container=False,
                    elem_classes="gs-language",
                    min_width=220,
                    scale=0,
                )
            with gr.Row(elem_classes="gs-ask"):
                self.prompt = gr.Textbox(
                    label=say("prompt"),
                    placeholder=say("prompt_hint"),
                    lines=2,
                    max_lines=4,
                    scale=5,
                    min_width=300,
                    elem_id="prompt",
                )
                with gr.Column(scale=2, min_width=220, elem_classes="gs-buttons"):
                    self.generate = gr.Button(say("generate"), variant="primary", elem_id="generate")
                    with gr.Row():
                        self.look = gr.Button(say("look"), elem_id="look", min_width=90)
                        self.stop = gr.Button(say("stop"), elem_id="stop", min_width=90)
            with gr.Row(elem_classes="gs-examples"):
                self.examples = [gr.Button(example.prompt, size="sm", min_width=60) for example in EXAMPLES]
            with gr.Accordion(say("settings"), open=False) as self.settings, gr.Row():
                self.temperature = gr.Slider(
                    0, MAX_TEMPERATURE, default.temperature, step=0.05, label=say("temperature")
                )
                self.top_k = gr.Slider(0, 200, default.top_k, step=1, label=say("top_k"))
                self.top_p = gr.Slider(0.05, 1, default.top_p, step=0.05, label=say("top_p"))
                self.new_tokens = gr.Slider(1, MAX_NEW_TOKENS, default.new_tokens, step=1, label=say("new_tokens"))
                self.seed = gr.Number(default.seed, precision=0, minimum=0, label=say("seed"))
            self.status = gr.HTML("", elem_classes="gs-status-line")
            self.strip = clickable("strip")
            with gr.Row(elem_classes="gs-under"):
                self.hint = gr.HTML(self._hint("en"))
                self.measure = gr.Dropdown(
                    choices("measure", MEASURES, "en"),
                    value=View.measure,
                    container=False,
                    label=say("measure"),
                    elem_id="measure",
                    min_width=240,
                    scale=0,
                )
            with gr.Row(equal_height=False, elem_classes="gs-panels"):
                with gr.Column(scale=2, min_width=320):
                    self.glyphs = clickable("glyphs")
                with gr.Column(scale=3, min_width=320):
                    self.experts = clickable("experts")
                    with gr.Row(elem_classes="gs-weight"):
                        self.weight = gr.Slider(
                            0,
                            1,
                            View.weight,
                            step=0.05,
                            label=say("weight", first=first, second=second),
                            elem_id="weight",
                            scale=3,
                            min_width=240,
                        )
                        self.fusion = gr.Dropdown(
                            choices("fusion", FUSIONS, "en"),
                            value=View.fusion,
                            label=say("fusion"),
                            elem_id="fusion",
                            scale=2,
                            min_width=200,
                        )
            self.disagreement = clickable("disagreement")
            self.layers = clickable("layers", script="layers.js")
            self.lens = clickable("lens")
            self.depth = clickable("depth")
            self.footer = gr.HTML(self._model_line("en"))
        self.panels = [self.glyphs, self.experts, self.disagreement, self.layers, self.lens, self.depth]
        self.everything = [self.trace, self.selected, self.cell, self.status, self.strip, *self.panels]
        self.sampling = [self.temperature, self.top_k, self.top_p, self.seed, self.new_tokens]
        self.view = [self.weight, self.fusion, self.measure, self.language]
        self.labels = [
            self.header, self.prompt, self.generate, self.look, self.stop, self.settings, self.temperature, self.top_k,
            self.top_p, self.new_tokens, self.seed, self.weight, self.fusion, self.measure, self.hint, self.footer,
        ]  # fmt: skip

    def connect(self) -> None:
        """Add all listeners."""
        hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        model: dict[str, Any] = {**hidden, "concurrency_id": MODEL_QUEUE, "concurrency_limit": MODEL_SLOTS}
        asked = [self.prompt, *self.sampling, *self.view]
        shown = [self.trace, self.selected, *self.view]
        with self.blocks:
            gr.on([self.generate.click, self.prompt.submit], self.on_generate, asked, self.everything, **model)
            self.look.click(self.on_look, [self.prompt, *self.view], self.everything, **model)
            self.stop.click(self.on_stop, None, None, queue=False, **hidden)
            for button, example in zip(self.examples, EXAMPLES, strict=True):
                button.click(example.fill, None, [self.prompt, self.seed], queue=False, **hidden).then(
                    self.on_generate, asked, self.everything, **model
                )
            moved = [self.selected, self.cell, self.glyphs, self.experts, self.depth]
            for source in (self.strip, self.disagreement, self.layers, self.lens):
                source.select(self.on_select, [self.trace, *self.view], moved, queue=False, **hidden)
            self.depth.select(
                self.on_pin, [self.trace, self.selected, self.cell, *self.view], self.depth, queue=False, **hidden
            )
            for slider in (self.weight, self.fusion):
                slider.input(self.on_weight, shown, self.experts, queue=False, trigger_mode="always_last", **hidden)
            self.measure.input(self.on_measure, shown, self.strip, queue=False, **hidden)
            self.language.input(self.on_language, shown, [*self.labels, self.strip, *self.panels], **hidden)
            self.blocks.load(
                self.on_load, None, [*self.everything, self.language, self.prompt, self.seed, *self.labels], **hidden
            )

    # Listeners

    def on_load(self, request: gr.Request) -> list[Any]:
        """A new visitor: the opening example, finished, in the visitor's language."""
        view = View(language=language_of(request))
        trace, example = opening_trace(self.engine), EXAMPLES[0]
        return [
            *self._finished(trace, view, ""),
            view.language,
            example.prompt,
            example.seed,
            *self._relabelled(view.language),
        ]

    def on_generate(
        self, prompt: str, temperature: float, top_k: float, top_p: float, seed: float, new_tokens: float,
        request: gr.Request, *view: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        """Write on from the prompt: the strip streams, the panels come with the end."""
        stop = self.stops[request.session_hash or ""] = threading.Event()
        language = str(view[-1])
        try:
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
            yield from self._writing(prompt, sampling, View.of(*view), stop)
        except UserError as error:
            yield self._only_status(say(error.code, language, **error.values))
        except Exception:
            log.exception("generation failed")
            yield self._only_status(say("busy", language))
        finally:
            self.stops.pop(request.session_hash or "", None)

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
                    writing_view(self.engine, ids, written, speak), *[gr.skip()] * len(self.panels),
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
        """Let this visitor's generation end after the token in hand; what is written stays."""
        event = self.stops.get(request.session_hash or "")
        if event is not None:
            event.set()

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
        return gr.skip() if trace is None else self._token_panels(trace, selected, View.of(*view))[1]

    def on_measure(self, trace: Trace | None, selected: int, *view: Any) -> Any:
        """The strip shows another measure."""
        return gr.skip() if trace is None else self._strip(trace, selected, View.of(*view))

    def on_language(self, trace: Trace | None, selected: int, *view: Any) -> list[Any]:
        """Another language: the same figures, other words."""
        settings = View.of(*view)
        labels = self._relabelled(settings.language)
        if trace is None:
            return [*labels, *[gr.skip()] * (1 + len(self.panels))]
        return [*labels, self._strip(trace, selected, settings), *self._panels(trace, selected, settings)]

    # Outputs

    def _strip(self, trace: Trace, selected: int, view: View) -> str:
        return strip_view(self.engine, trace, selected, speaker(view.language), view.measure)

    def _token_panels(self, trace: Trace, selected: int, view: View) -> list[str]:
        """The two panels about the selected token."""
        speak = speaker(view.language)
        return [
            glyph_view(self.engine, int(trace.ids[selected]), speak),
            experts_view(self.engine, trace, selected, view.weight, speak, view.fusion),
        ]

    def _panels(self, trace: Trace, selected: int, view: View) -> list[str]:
        speak = speaker(view.language)
        views = (disagreement_view, layers_view, lens_view, depth_view)
        whole = [draw(self.engine, trace, selected, speak) for draw in views]
        return [*self._token_panels(trace, selected, view), *whole]

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
        return [*[gr.skip()] * 3, status_html(message, failed=True), *[gr.skip()] * (1 + len(self.panels))]

    def _unknown(self, prompt: str, speak: Say) -> str:
        missing = self.engine.unknown(prompt)
        return " " + speak("unknown", characters=" ".join(missing[:20])) if missing else ""

    def _relabelled(self, language: str) -> list[Any]:
        first, second = self.engine.bundle.experts
        plain = ("settings", "temperature", "top_k", "top_p", "new_tokens", "seed")
        return [
            header_html(language),
            gr.update(label=say("prompt", language), placeholder=say("prompt_hint", language)),
            *(say(code, language) for code in ("generate", "look", "stop")),
            *(gr.update(label=say(code, language)) for code in plain),
            gr.update(label=say("weight", language, first=first, second=second)),
            gr.update(label=say("fusion", language), choices=choices("fusion", FUSIONS, language)),
            gr.update(label=say("measure", language), choices=choices("measure", MEASURES, language)),
            self._hint(language),
            self._model_line(language),
        ]

    def _model_line(self, language: str) -> str:
        bundle, shape = self.engine.bundle, self.engine.model.shape
        origin = say("origin_folder" if bundle.folder else "origin_bundled", language, folder=bundle.folder)
        trained = sum(weight.numel() for weight in self.engine.model.parameters())
        line = say(
            "model_line", language, name=bundle.name, origin=origin, parameters=f"{trained / 1e6:.1f}",
            experts=shape.experts,
            layers=shape.layers, width=shape.width, vocabulary=f"{shape.vocabulary:,}",
            names=" + ".join(bundle.experts),
            context=shape.context, characters=f"{MAX_CHARACTERS:,}",
        )  # fmt: skip
        return f"<footer class='gs-foot'><p>{escape(line)}</p></footer>"

    def _hint(self, language: str) -> str:
        first, second = self.engine.bundle.experts
        return f"<p class='gs-hint'>{escape(say('strip_hint', language, first=first, second=second))}</p>"


def clickable(name: str, script: str = "select.js") -> gr.HTML:
    """An HTML component whose elements with `data-index` report clicks as `select` events."""
    return gr.HTML("", html_template="${value}", js_on_load=_script(script), elem_id=name, elem_classes="gs-root")


@cache
def _script(name: str) -> str:
    common = (ASSETS / "page" / "select.js").read_text(encoding="utf-8")
    return common if name == "select.js" else common + (ASSETS / "page" / name).read_text(encoding="utf-8")


def whole(value: Any) -> int | None:
    """A whole number that the browser sent, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def choices(code: str, values: Iterable[str], language: str) -> list[tuple[str, str]]:
    """(label, value) pairs of a drop-down, in a language."""
    return [(say(f"{code}_{value}", language), value) for value in values]


def header_html(language: str) -> str:
    """Name and promise."""
    return f"<header class='gs-title'><h1>{say('title', language)}</h1><p>{say('tagline', language)}</p></header>"


def status_html(message: str, failed: bool = False) -> str:
    """One line under the prompt: what happened, or what to do."""
    kind, role = (" gs-failed", "alert") if failed else ("", "status")
    return f"<p class='gs-status{kind}' role='{role}'>{escape(message)}</p>" if message else ""


def language_of(request: gr.Request) -> str:
    """`?lang=…` if the address has it, else the browser's first language, else English."""
    asked = dict(request.query_params or {}).get("lang") or (request.headers or {}).get("accept-language", "")
    code = str(asked)[:2].lower()
    return code if code in LANGUAGES else "en"
