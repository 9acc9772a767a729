"""What stands around the panels: the page's name, how to read the strip, the tour, what is on display."""

from html import escape
from typing import Any

from app.engine.engine import MAX_CHARACTERS, Engine
from app.engine.queue import MAX_PER_WINDOW, MAX_UNDER_WAY
from app.models import LoadedModel
from app.panels.provenance import model_source
from app.wording.catalogue import say, speaker
from viz.html import with_source


def header_html(language: str) -> str:
    """Name and promise."""
    return f"<header class='gs-title'><h1>{say('title', language)}</h1><p>{say('tagline', language)}</p></header>"


def model_line(model: LoadedModel, language: str) -> str:
    """Which model is on display, where from, how large, and the limits; for files, which weights these are."""
    engine = model.engine
    bundle, shape = engine.bundle, engine.model.shape
    origin = say("origin_folder" if bundle.folder else "origin_bundled", language, folder=bundle.folder)
    code = "model_line" if bundle.report is None else "model_line_foreign"
    speak = speaker(language)
    line = speak(
        code, name=bundle.name, origin=origin, parameters=speak.compact(engine.model.trained),
        experts=shape.experts, layers=shape.layers, width=shape.width, vocabulary=shape.vocabulary,
        names=" + ".join(bundle.experts),
        context=shape.context, characters=MAX_CHARACTERS, orders=MAX_UNDER_WAY, runs=MAX_PER_WINDOW,
    )  # fmt: skip
    words = f"<a href='#glossary'>{escape(speak('glossary'))}</a>"
    return with_source(f"<footer class='gs-foot'><p>{escape(line)} {words}</p></footer>", model_source(model))


def hint_line(engine: Engine, language: str) -> str:
    """How to read the strip."""
    experts = engine.bundle.experts
    if len(experts) == 2:
        line = say("strip_hint", language, first=experts[0], second=experts[1])
    else:
        line = say("strip_hint_each", language)
    return f"<p class='gs-hint'>{escape(line)}</p>"


STOPS = ("strip", "glyphs", "experts", "layers", "words", "proof")
"""Where the tour goes, by the ids of the components; what happens there is in `assets/page/tour.js`."""


def tour_words(language: str) -> dict[str, Any]:
    """What the tour says."""
    said: dict[str, Any] = {name: say(f"tour_{name}", language) for name in ("next", "back", "close")}
    stops = [say(f"tour_{stop}", language) for stop in STOPS]
    return {"tour": say("tour", language), **said, "panels": STOPS, "stops": stops}


def present_words(language: str) -> dict[str, str]:
    """What stands on the bar while panels are presented."""
    parts = ("title", "back", "next", "close", "theme", "expert", "all")
    return {part: say(f"present_{part}", language) for part in parts}


def tour_html(model: LoadedModel, language: str) -> str:
    """The button that starts the tour, for a model that what it says is true of."""
    if model.engine.bundle.report is not None:
        return ""
    return f"<button type='button' class='gs-tour'>{escape(say('tour', language))}</button>"
