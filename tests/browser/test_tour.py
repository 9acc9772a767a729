"""The tour: a sentence at each panel, and what it speaks of happens there."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from playwright.sync_api import Browser, expect

from app.engine.engine import Engine
from app.engine.queue import RequestQueue
from app.models import LoadedModel
from app.probing.word_cache import WordCache
from app.web.header import STOPS, tour_html, tour_words
from app.wording.catalogue import LANGUAGES, say
from tests.support.browsing import needs_browser, open_page


def test_every_stop_has_its_sentence_in_every_language() -> None:
    said = [tour_words(language) for language in LANGUAGES]
    assert all(len(words["stops"]) == len(STOPS) for words in said)
    assert len({json.dumps(words) for words in said}) == len(LANGUAGES)


def test_only_a_model_that_it_is_true_of_has_the_tour(engine: Engine) -> None:
    ours = LoadedModel("ours", engine, RequestQueue(engine), WordCache(engine), None, None)
    foreign = replace(engine.bundle, report=object())  # type: ignore[arg-type]
    theirs = replace(ours, engine=cast(Engine, SimpleNamespace(bundle=foreign)))
    assert "gs-tour" in tour_html(ours, "ru") and "gs-tour" not in tour_html(theirs, "ru")


@needs_browser
@pytest.mark.parametrize(("size", "locale", "language"), [("desktop", "de", "en"), ("phone", "zh-CN", "zh")])
def test_the_tour_leads_through_the_panels(
    browser: Browser, bundled: str, size: str, locale: str, language: str
) -> None:
    """In the visitor's language, or in English."""
    page = open_page(browser, bundled, size, locale=locale)
    assert page.locator("#generate").inner_text() == say("generate", language)
    stops = tour_words(language)["stops"]
    page.locator(".gs-tour").click()
    guide = page.locator(".gs-guide")
    for number, (stop, sentence) in enumerate(zip(STOPS, stops, strict=True), 1):
        expect(guide.locator("p")).to_have_text(sentence)
        expect(guide.locator("span")).to_have_text(f"{number} / {len(STOPS)}")
        page.wait_for_function(
            "(id) => { const at = document.getElementById(id).getBoundingClientRect();"
            "return at.top < innerHeight / 2 && at.bottom > 60; }",
            arg=stop,
        )
        if stop == "layers":
            page.wait_for_function(
                "() => { const s = document.querySelector('#layers .gs-layer'); return s?.value === s?.max; }"
            )
        guide.locator("button").nth(1).click()
    expect(guide).to_have_count(0)
    disputed = page.locator("#disagreement button[data-index]").first.get_attribute("data-index")
    expect(page.locator(f".gs-chip[data-index='{disputed}'][aria-pressed='true']")).to_have_count(1)
    page.locator(".gs-tour").click()
    page.keyboard.press("Escape")
    assert guide.count() == 0 and page.evaluate("document.activeElement.className") == "gs-tour"
    page.context.close()
