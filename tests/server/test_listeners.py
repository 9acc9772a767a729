"""What the page answers over one engine: texts, panels that fail, a full line, refused texts."""

import asyncio
import logging
from typing import Any, ClassVar

import gradio as gr
import numpy as np
import pytest

from app.engine.engine import Engine
from app.engine.examples import EXAMPLES
from app.engine.queue import RequestQueue
from app.engine.sampling import MAX_SEED, Sampling
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.panels import compose as panels
from app.panels import lens as lens_module
from app.panels.settings import PanelSettings
from app.panels.strip import strip_view
from app.probing.word_cache import WordCache
from app.probing.word_list import preset
from app.probing.word_states import word_states
from app.web.on_select import Listeners
from app.web.on_write import RenderedCache, WritingListeners
from app.web.tabs import TABS
from app.wording.catalogue import speaker
from tests.support.requests import Counting, finished
from viz.strip import sequel


def page_over(engine: Engine, requests: RequestQueue | None = None) -> tuple[WritingListeners, Listeners, LoadedModel]:
    """What answers a page over one engine."""
    shown = LoadedModel("toy", engine, requests or RequestQueue(engine), WordCache(engine), None, None)
    registry, kept = ModelRegistry({"toy": Place(None, "toy")}, {"toy": shown}, "toy"), RenderedCache()
    return WritingListeners(registry, kept), Listeners(registry, lambda *_: {}, kept), shown


def test_a_panel_that_fails_shows_its_own_error_and_the_others_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_view(*_: Any) -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(panels, "lens_view", broken_view)
    logging.disable(logging.CRITICAL)
    _, _, model = page_over(engine)
    shown = panels.draw_all(model, engine.look("Мама любит дом"), PanelSettings(language="ru"), "", "layers")
    logging.disable(logging.NOTSET)
    assert "нарисовать не удалось" in shown["lens"]
    assert all("<section class='gs-panel" in shown[name] for name in ("layers", "depth"))
    assert not {"glyphs", "experts", "disagreement"} & set(shown), "of another tab"


def test_beyond_the_line_a_visitor_gets_one_sentence_and_can_try_again(engine: Engine) -> None:
    busy = Counting(engine.bundle)
    page, *_ = page_over(busy, RequestQueue(busy, batch_size=1, capacity=1))

    async def press(visitor: str, delay: float, tokens: int) -> str:
        class Request:
            session_hash = visitor

        await asyncio.sleep(delay)
        view = (0.5, "logits", "preference", "en")
        given = ("The cat", 1.5, 0, 1.0, 1, tokens, "read")
        shown = [frame async for frame in page.on_generate(*given, Request(), *view)]  # type: ignore[arg-type]
        return str(shown[-1]["status"])

    async def crowd() -> list[str]:
        return list(await asyncio.gather(press("a", 0, 40), press("b", 0.1, 4), press("c", 0.2, 4)))

    first, second, third = finished(crowd())
    assert "tokens written" in first and "tokens written" in second
    assert "1 text is waiting already: your text is kept, press the button again" in third and "gs-failed" in third
    assert "tokens written" in finished(press("c", 0, 4))


def test_writing_gives_frames_and_then_the_panels(engine: Engine) -> None:
    class Request:
        session_hash = "me"

    page, *_ = page_over(engine)

    async def gather() -> list[dict[str, Any]]:
        view = (0.5, "logits", "preference", "en")
        return [shown async for shown in page.on_generate("Мама", 0.8, 50, 0.95, 1, 20, "read", Request(), *view)]  # type: ignore[arg-type]

    frames = finished(gather())
    trace, token = frames[-1]["trace"], frames[-1]["selected"]
    *sent, last = (frame["strip"] for frame in frames if "strip" in frame)
    finished_strip = strip_view(engine, trace, token, speaker("en"))
    assert last == sequel(sent[-1] if sent else "", finished_strip), "what is there is not sent again"
    assert trace.text.startswith(" Мама")
    assert all(set(frame) <= {"status", "strip"} for frame in frames[:-1]), "no panel is sent while the model writes"
    assert set(TABS["read"]) & set(frames[-1]) == {"glyphs", "experts", "disagreement"}
    assert not {"layers", "lens", "depth"} & set(frames[-1]) and frames[-1]["filled"] == ("read",)


def test_a_text_that_is_refused_leaves_nothing_of_the_last_one_and_a_full_line_leaves_it(engine: Engine) -> None:
    class Request:
        session_hash = "me"

    page, *_ = page_over(engine)
    full, *_ = page_over(engine, RequestQueue(engine, capacity=0))

    async def look(page: WritingListeners, prompt: str) -> list[dict[str, Any]]:
        view = (0.5, "logits", "preference", "en")
        return [frame async for frame in page.on_look(prompt, "read", Request(), *view)]  # type: ignore[arg-type]

    (refused,) = finished(look(page, "x" * 9_999))
    assert "gs-failed" in refused["status"] and refused["trace"] is None and refused["filled"] == ()
    assert {refused[name] for name in ("strip", *panels.PANELS)} == {""}
    (later,) = finished(look(full, "Мама"))
    assert set(later) == {"status"} and "gs-failed" in later["status"]


def test_another_ending_has_the_next_seed_and_going_on_begins_with_the_whole_text(engine: Engine) -> None:
    page, *_ = page_over(engine)
    assert page.on_another(7) == {"seed": 8} and page.on_another(MAX_SEED) == {"seed": 0}
    assert {page.on_another(odd)["seed"] for odd in (None, -1, "x", 1.5, True)} == {0}
    trace = engine.look("Мама любит дом")
    assert page.on_more(trace, "old") == {"prompt": trace.text} and page.on_more(None, "mine") == {"prompt": "mine"}


def test_an_example_is_kept_and_says_so_and_drawn_anew_once_the_word_list_is_read(engine: Engine) -> None:
    class Request:
        session_hash = "me"

    page, _, model = page_over(engine)
    prompt, seed = EXAMPLES[1].fill()
    default = Sampling()

    async def press() -> str:
        given = (prompt, default.temperature, default.top_k, default.top_p, seed, default.new_tokens, "read")
        frames = page.on_generate(*given, Request(), 0.5, "logits", "preference", "en")  # type: ignore[arg-type]
        return [str(frame["status"]) async for frame in frames][-1]

    assert "a second" in finished(press())
    assert "Saved result" in finished(press())
    model.word_cache.list_states = word_states(engine, preset("few_en"))
    model.word_cache.pictures = np.zeros((44, 32, 32), bool)
    assert "a second" in finished(press())  # with the panels that waited for the list
    again = finished(press())
    assert "Saved result" in again and "a second" not in again


def test_the_lens_of_a_large_model_follows_the_chosen_token(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _, page, _ = page_over(engine)
    trace = engine.look("Мама и кот и дом и кот")
    view = (0.5, "logits", "preference", "en")

    def lens_after(index: int, before: int) -> str:
        class Event:
            _data: ClassVar = {"index": index}

        found = page.on_select(trace, before, "layers", (), Event(), gr.Request(), *view)  # type: ignore[arg-type]
        return str(found.get("lens"))

    assert "<table" not in lens_after(9, 1)  # a small model's is whole already
    experts, layers, _, width = trace.hidden.shape
    monkeypatch.setattr(lens_module, "LENS_WORK", 4 * experts * layers * width * engine.model.shape.vocabulary)
    assert "<table" not in lens_after(2, 1)
    assert "data-index='9' aria-selected='true'" in lens_after(9, 1)
