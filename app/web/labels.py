"""What the page says on its controls, over a model and in a language, and how far some of them reach."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gradio as gr

from app.checkpoint.bundle import Bundle
from app.models import LoadedModel
from app.panels.compose import one
from app.panels.controls import controls_view
from app.panels.figures import figures_view
from app.panels.report import report_view
from app.panels.settings import FUSIONS, PanelSettings
from app.panels.strip import measures_of
from app.probing.word_list import MAX_WORDS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.header import contents_html, header_html, hint_line, model_line
from app.wording.catalogue import say, speaker
from viz.html import Say


def choices(code: str, values: Iterable[str], language: str) -> list[tuple[str, str]]:
    """(label, value) pairs of a drop-down, in a language."""
    return [(say(f"{code}_{value}", language), value) for value in values]


def weighed_button(code: str) -> Callable[[LoadedModel, str], Any]:
    """A button that makes sense only where two experts can be weighed anew."""
    return lambda model, language: gr.update(value=say(code, language), visible=model.engine.bundle.adjustable)


def components_slider(model: LoadedModel, language: str) -> Any:
    """How many numbers a picture is decoded from: all of them at first."""
    width = len(model.engine.bundle.substrate.basis.components)
    return gr.update(label=say("components", language), maximum=width, value=width)


def weight_label(bundle: Bundle, language: str) -> str:
    """Whose weight the slider sets."""
    first, second = bundle.experts if bundle.adjustable else ("", "")
    return say("weight", language, first=first, second=second)


def weight_slider(model: LoadedModel, language: str) -> Any:
    """The first expert's weight, where two experts can be weighed anew; at the model's own weight if that is
    not one half."""
    bundle = model.engine.bundle
    label, shown_at_all = weight_label(bundle, language), bundle.adjustable
    if not bundle.adjustable or bundle.weights is None:
        return gr.update(label=label, visible=shown_at_all)
    return gr.update(label=label, visible=shown_at_all, value=round(20 * bundle.weights[0]) / 20)


def fusion_choice(model: LoadedModel, language: str) -> Any:
    """Other fusions, where there can be any."""
    named = choices("fusion", FUSIONS, language)
    return gr.update(label=say("fusion", language), choices=named, visible=model.engine.bundle.adjustable)


def measure_choice(model: LoadedModel, language: str) -> Any:
    """What the strip can show of a model; the visitor's choice is kept where the model has it."""
    known = measures_of(model.engine.bundle)
    named = choices("measure", known, language)
    if PanelSettings.measure in known:
        return gr.update(label=say("measure", language), choices=named)
    return gr.update(label=say("measure", language), choices=named, value=known[0])


def page_labels(page: Any) -> list[tuple[Any, Callable[[LoadedModel, str], Any]]]:
    """Every component with words of its own, and how to say them over a model in a language."""
    labelled = {
        "settings": page.settings, "temperature": page.temperature, "top_k": page.top_k, "top_p": page.top_p,
        "new_tokens": page.new_tokens, "seed": page.seed, "lab": page.lab, "model": page.model,
        "lab_first": page.lab_first, "lab_second": page.lab_second, "own_words": page.own_words,
    }  # fmt: skip
    spoken = {
        "generate": page.generate, "look": page.look, "stop": page.stop, "umap": page.umap, "probe": page.probe,
        "own_show": page.own_show, "link": page.link,
    }  # fmt: skip
    weighed = {"alone": page.alone, "stop": page.alone_stop}

    def plain(code: str) -> Callable[[LoadedModel, str], Any]:
        return lambda _, language: say(code, language)

    def labels(code: str) -> Callable[[LoadedModel, str], Any]:
        return lambda _, language: gr.update(label=say(code, language))

    def hinted(code: str, hint: str, **values: object) -> Callable[[LoadedModel, str], Any]:
        return lambda _, language: gr.update(label=say(code, language, **values), placeholder=say(hint, language))

    def chosen(code: str, values: Iterable[str]) -> Callable[[LoadedModel, str], Any]:
        return lambda _, language: gr.update(label=say(code, language), choices=choices(code, values, language))

    def alone(draw: Callable[[LoadedModel, Say], str]) -> Callable[[LoadedModel, str], Any]:
        """A panel that, if it fails, takes nothing else along."""
        return lambda model, language: one(partial(draw, model, speaker(language)), PanelSettings(language=language))

    def controls_panel(model: LoadedModel, say: Say) -> str:
        return controls_view(model.twins, model.engine.bundle.training, say)

    return [
        (page.header, lambda _, language: header_html(language)),
        (page.prompt, hinted("prompt", "prompt_hint")),
        *((component, plain(code)) for code, component in spoken.items()),
        (page.words_cancel, plain("cancel")),
        (page.proof_cancel, plain("cancel")),
        *((component, weighed_button(code)) for code, component in weighed.items()),
        *((component, labels(code)) for code, component in labelled.items()),
        (page.components, components_slider),
        (page.weight, weight_slider),
        (page.fusion, fusion_choice),
        (page.measure, measure_choice),
        (page.word_set, chosen("word_set", PRESETS)),
        (page.proof_set, chosen("proof_set", PROOF_SETS)),
        (page.own_text, hinted("own_text", "own_hint", limit=MAX_WORDS)),
        (page.contents, contents_html),
        (page.hint, lambda model, language: hint_line(model.engine, language)),
        (page.twins, alone(controls_panel)),
        (page.figures, alone(lambda model, say: figures_view(model.engine, say))),
        (page.report, alone(lambda model, say: report_view(model.engine, say))),
        *page.break_tab.labels(),
        (page.footer, lambda model, language: model_line(model.engine, language)),
    ]
