"""Controls whose words or reach depend on the model that is on view."""

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr

from app.bundle import Bundle
from app.settings import FUSIONS, View
from app.stage import Shown
from app.texts import say
from app.views import measures_of


def choices(code: str, values: Iterable[str], language: str) -> list[tuple[str, str]]:
    """(label, value) pairs of a drop-down, in a language."""
    return [(say(f"{code}_{value}", language), value) for value in values]


def weighed_button(code: str) -> Callable[[Shown, str], Any]:
    """A button that makes sense only where two experts can be weighed anew."""
    return lambda shown, language: gr.update(value=say(code, language), visible=shown.engine.bundle.adjustable)


def components_slider(shown: Shown, language: str) -> Any:
    """How many numbers a picture is decoded from: all of them at first."""
    width = len(shown.engine.bundle.substrate.basis.components)
    return gr.update(label=say("components", language), maximum=width, value=width)


def weight_label(bundle: Bundle, language: str) -> str:
    """Whose weight the slider sets."""
    first, second = bundle.experts if bundle.adjustable else ("", "")
    return say("weight", language, first=first, second=second)


def weight_slider(shown: Shown, language: str) -> Any:
    """The first expert's weight, where two experts can be weighed anew; at the model's own weight if that is
    not one half."""
    bundle = shown.engine.bundle
    label, shown_at_all = weight_label(bundle, language), bundle.adjustable
    if not bundle.adjustable or bundle.weights is None:
        return gr.update(label=label, visible=shown_at_all)
    return gr.update(label=label, visible=shown_at_all, value=round(20 * bundle.weights[0]) / 20)


def fusion_choice(shown: Shown, language: str) -> Any:
    """Other fusions, where there can be any."""
    named = choices("fusion", FUSIONS, language)
    return gr.update(label=say("fusion", language), choices=named, visible=shown.engine.bundle.adjustable)


def measure_choice(shown: Shown, language: str) -> Any:
    """What the strip can show of a model; the visitor's choice is kept where the model has it."""
    known = measures_of(shown.engine.bundle)
    named = choices("measure", known, language)
    if View.measure in known:
        return gr.update(label=say("measure", language), choices=named)
    return gr.update(label=say("measure", language), choices=named, value=known[0])
