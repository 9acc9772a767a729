"""What the page says on its controls, over a model and in a language, and how far some of them reach."""

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr

from app.checkpoint.bundle import Bundle
from app.models import LoadedModel
from app.panels.hero import hero_html
from app.panels.settings import FUSIONS, PanelSettings
from app.panels.strip import measures_of
from app.probing.word_list import MAX_WORDS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.glossary import glossary_html
from app.web.header import header_html, hint_line, model_line, tour_html
from app.web.on_translate import translates
from app.web.room_panel import room_view
from app.web.tabs import TABS
from app.wording.catalogue import say


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


def word_set_choice(language: str, **changed: Any) -> Any:
    """The shipped sets of words."""
    return gr.update(label=say("word_set", language), choices=choices("word_set", PRESETS, language), **changed)


def proof_set_choice(language: str, **changed: Any) -> Any:
    """The sets of words whose curves are shipped."""
    return gr.update(label=say("proof_set", language), choices=choices("proof_set", PROOF_SETS, language), **changed)


def translation_fold(model: LoadedModel, language: str) -> Any:
    """Only where the model was trained to translate."""
    return gr.update(label=say("translation", language), visible=translates(model.engine.bundle))


Label = Callable[[LoadedModel, str], Any]


def plain(code: str) -> Label:
    """A button's or a link's text."""
    return lambda _, language: say(code, language)


def label(code: str, **values: object) -> Label:
    """The name beside a control."""
    return lambda _, language: gr.update(label=say(code, language, **values))


def hinted(code: str, hint: str, **values: object) -> Label:
    """A text field's name, and what it says while it is empty."""
    return lambda _, language: gr.update(label=say(code, language, **values), placeholder=say(hint, language))


_LABELLED = (
    "settings", "temperature", "top_k", "top_p", "new_tokens", "seed", "model", "lab", "lab_first", "lab_second",
    "own_words", "target",
)  # fmt: skip
_SPOKEN = ("generate", "look", "another", "more", "stop", "translate", "umap", "probe", "own_show", "link", "present")

LABELS: dict[str, Label] = {
    "header": lambda _, language: header_html(language),
    "hero": hero_html,
    "prompt": hinted("prompt", "prompt_hint"),
    **{name: plain(name) for name in _SPOKEN},
    **{name: label(name) for name in _LABELLED},
    **{f"tab_{name}": label(f"tab_{name}") for name in TABS},
    "example_row": label("examples"),
    "example_note": lambda _, language: f"<p class='gs-hint'>{say('examples_note', language)}</p>",
    "translation": translation_fold,
    "translation_note": lambda _, language: f"<p class='gs-hint'>{say('translation_note', language)}</p>",
    "words_cancel": plain("cancel"),
    "proof_cancel": plain("cancel"),
    "alone": weighed_button("alone"),
    "alone_stop": weighed_button("stop"),
    "components": components_slider,
    "weight": weight_slider,
    "fusion": fusion_choice,
    "measure": measure_choice,
    "own_text": hinted("own_text", "own_hint", limit=MAX_WORDS),
    "tour": tour_html,
    "room": room_view,
    "hint": lambda model, language: hint_line(model.engine, language),
    "footer": lambda model, language: model_line(model, language) + glossary_html(language),
}
"""Every component with words of its own, by its name in the layout, and how to say them over a model in a language."""


def relabel(model: LoadedModel, language: str) -> dict[str, Any]:
    """All labels of the page."""
    return {name: label(model, language) for name, label in LABELS.items()}
