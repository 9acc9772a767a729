"""What the page hands to Gradio's own script, and so what that has to do."""

import gradio as gr
import pytest

from app.engine.engine import Engine
from app.engine.examples import opening_trace
from app.engine.queue import RequestQueue
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import text_panels
from app.panels.settings import PanelSettings
from app.probing.word_cache import WordCache
from app.web.page import Page, build_page


@pytest.fixture(scope="module")
def whole(engine: Engine) -> Page:
    shown = LoadedModel("toy", engine, RequestQueue(engine), WordCache(engine), None, None)
    return build_page(ModelRegistry({"toy": Place(None, "toy")}, {"toy": shown}, "toy"), lambda: None)


def test_progress_is_told_to_one_component_only(whole: Page) -> None:
    """Gradio tells it to all outputs that any listener ever had, whenever any listener goes on."""
    told = {
        tuple(listener["show_progress_on"] or ()) for listener in whole.layout.blocks.get_config_file()["dependencies"]
    }
    assert len(told) == 1 and len(told.pop()) == 1


class Visitor:
    """A visitor of whom only this is known."""

    session_hash, headers, query_params = "one", {"accept-language": "ru"}, dict[str, str]()


def test_a_page_that_came_with_its_opening_is_told_only_what_the_server_has_to_know(whole: Page) -> None:
    model, on = whole.listeners.registry.of(""), whole.listeners
    opening = whole.opening(model, "ru", "read")
    came = opening[whole.layout.opened._id]["value"]
    assert "gs-chip" in opening[whole.layout.strip._id]["value"]
    assert (
        opening[whole.layout.language._id] == {"value": "ru"} and opening[whole.layout.tabs._id]["selected"] == "read"
    )
    full, brief = (on.on_load(opened, (), Visitor()) for opened in ("", came))  # type: ignore[arg-type]
    assert {"strip", "header", "prompt"} <= set(full) and "strip" not in brief and "prompt" not in brief
    assert set(brief) == {"trace", "made", "selected", "cell", "filled", "drawn", "tab"}
    assert all(brief[name] == full[name] for name in brief)
    chosen = on.on_load(came, ("read",), Visitor())  # type: ignore[arg-type]
    assert set(brief) - set(chosen) == {"selected", "cell", "filled"}, "a token was chosen before"
    for other in ("en", "zh"):
        assert "strip" in on.on_load(came.replace(" ru ", f" {other} "), (), Visitor())  # type: ignore[arg-type]


def test_a_token_can_be_chosen_before_the_page_is_told_anything(whole: Page) -> None:
    on, view = whole.listeners, (0.5, "logits", "preference", "ru")
    trace = opening_trace(whole.listeners.registry.of("").engine, "ru")
    event = gr.EventData(None, {"index": 2})
    early = on.on_select(None, 1, "read", (), event, Visitor(), *view)  # type: ignore[arg-type]
    later = on.on_select(trace, 1, "read", ("read",), event, Visitor(), *view)  # type: ignore[arg-type]
    assert early == later and early["selected"] == 2 and early["filled"] == ("read",) and early["glyphs"]


def test_the_opening_text_is_drawn_once_in_each_tab_and_any_other_view_anew(whole: Page) -> None:
    model, on, view = whole.listeners.registry.of(""), whole.listeners, PanelSettings(language="zh")
    opening = on.opening(model, "zh", "read")
    trace, selected = opening["trace"], opening["selected"]
    kept = on.panels_in(model, trace, selected, view, "layers", None)
    assert set(kept) == {"layers", "lens", "depth"} and kept["lens"].startswith("<div")
    again = on.panels_in(model, trace, selected, view, "layers", None)
    assert all(again[name] is kept[name] for name in kept)
    drawn = text_panels(model, trace, selected, view, "layers")
    assert kept == drawn
    other = on.panels_in(model, trace, selected - 1 or 2, view, "layers", None)
    assert other["depth"] != kept["depth"]
    assert on.panels_in(model, trace, selected, view, "layers", (0, 1))["depth"] != kept["depth"]


def test_a_word_list_that_is_read_late_brings_near_words_whichever_tab_is_open(
    whole: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tab that is just being opened would tell `filled` as it was: the glyphs do not wait for their tab."""
    monkeypatch.setattr(whole.listeners, "on_components", lambda *shown: {"glyphs": shown})
    told = whole.listeners.on_list_read(("read", "words"), False, None, 3, 64, "en")
    assert told == {"filled": ("read",), "glyphs": (None, 3, 64, "en")}
    assert whole.listeners.on_list_read(("read", "words"), True, None, 3, 64, "en") == {"filled": ("read",)}
