"""The moving picture in a real browser: there at the first paint, moving, and still where it should be."""

import gzip
import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsing import SIZES, needs_browser, open_page

pytestmark = needs_browser

TILES = """() => [...document.querySelectorAll('#hero .gs-hero-tile')].map((tile) => {
  const { left, right, top, bottom } = tile.getBoundingClientRect();
  return [left, top, right, bottom];
})"""
FIRST_VIEW = 180_000
"""Bytes of the page itself, packed, at the most."""


def at_rest(page: Page) -> list[list[float]]:
    """Where the tiles are once they have stopped."""
    before: list[list[float]] = []
    for _ in range(40):
        now: list[list[float]] = page.evaluate(TILES)
        if now == before:
            return now
        before = now
        page.wait_for_timeout(300)
    raise AssertionError("the tiles go on moving")


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, address)
    page.wait_for_selector("#hero .gs-hero[data-kept]", timeout=30_000)
    yield page
    page.context.close()


def test_the_first_view_has_it_before_any_other_script(address: str) -> None:
    with urllib.request.urlopen(address, timeout=30) as answer:
        html = answer.read()
    assert len(gzip.compress(html, 5)) < FIRST_VIEW
    first = html.decode().split("<div id='gs-first'")[1].split("modulepreload")[0]
    assert first.count("class='gs-hero-tile") == 24 and "plotly" not in first.lower()
    assert "requestAnimationFrame" in first.split("</section>")[1]


def test_it_moves_while_gradio_has_not_come(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    page.route("**/assets/**.js", lambda route: None)  # Gradio's scripts never arrive
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#gs-first .gs-hero[data-kept]")
    where = TILES.replace("#hero", "#gs-first")
    before = page.evaluate(where)
    page.wait_for_timeout(2500)
    assert page.evaluate(where) != before
    page.locator("#gs-first .gs-hero-play").click()
    page.wait_for_timeout(2000)
    before = page.evaluate(where)
    page.wait_for_timeout(900)
    assert page.evaluate(where) == before
    page.context.close()


def test_what_was_done_to_the_first_view_holds_in_the_page(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    held: list[Any] = []
    free: list[bool] = []
    page.route("**/assets/**.js", lambda route: route.continue_() if free else held.append(route))
    page.goto(address, wait_until="commit")
    page.locator("#gs-first .gs-hero [data-expert='0']").click()
    page.locator("#gs-first .gs-hero-layer").fill("1")
    page.locator("#gs-first .gs-hero-try").click()
    free.append(True)
    for route in held:
        route.continue_()
    page.wait_for_selector("#gs-first", state="detached", timeout=60_000)
    assert page.locator("#hero .gs-hero-layer").input_value() == "1"
    assert page.locator("#hero [data-expert='0']").get_attribute("aria-pressed") == "true"
    page.wait_for_function("() => document.activeElement.matches('#prompt textarea')")
    page.context.close()


def test_frames_differ_until_it_is_paused(page: Page) -> None:
    play = page.locator("#hero .gs-hero-play")
    seen = set()
    for _ in range(8):
        seen.add(json.dumps(page.evaluate(TILES)))
        page.wait_for_timeout(700)
    assert len(seen) >= 4
    play.click()
    assert play.inner_text() == "▶" and play.get_attribute("aria-label") == "Play"
    before = at_rest(page)
    page.wait_for_timeout(900)
    assert page.evaluate(TILES) == before
    play.click()
    page.wait_for_timeout(6000)  # it may have stood at the end, where it stays a while
    assert page.evaluate(TILES) != before and play.inner_text() == "❚❚"


@pytest.mark.parametrize("size", SIZES)
def test_tiles_with_their_words_keep_apart_at_every_layer(page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    data = json.loads(page.locator("#hero .gs-hero").get_attribute("data-hero") or "")
    for expert, captions in enumerate(data["captions"]):
        page.locator(f"#hero [data-expert='{expert}']").click()
        for layer, caption in enumerate(captions):
            page.locator("#hero .gs-hero-layer").fill(str(layer))
            tiles = at_rest(page)
            assert page.locator("#hero output").inner_text() == caption
            for i, (left, top, right, bottom) in enumerate(tiles):
                for other in tiles[:i]:
                    across = min(right, other[2]) - max(left, other[0])
                    down = min(bottom, other[3]) - max(top, other[1])
                    assert across <= 0.5 or down <= 0.5, (size, expert, layer, i)


def test_the_button_leads_to_the_prompt(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#hero .gs-hero-try").click()
    assert page.evaluate("() => document.activeElement.matches('#prompt textarea')")
    page.wait_for_function("() => document.querySelector('#prompt').getBoundingClientRect().bottom < innerHeight")


def test_another_language_brings_its_own_words(page: Page) -> None:
    page.locator(".gs-language label", has_text="中文").click()
    page.wait_for_function("() => document.querySelector('#hero .gs-hero-tile bdi').textContent === '红'")
    page.wait_for_selector("#hero .gs-hero[data-kept]")
    assert page.locator("#hero output").inner_text().startswith("第")
    places = page.evaluate(TILES)
    assert len({tuple(place) for place in places}) == 24


@pytest.mark.parametrize("size", SIZES)
def test_with_less_motion_both_ends_stand_still(browser: Browser, address: str, size: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", locale="en-US")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#gs-first", state="detached", timeout=60_000)
    before = page.evaluate(TILES)
    time.sleep(2.5)
    assert page.evaluate(TILES) == before and len(before) == 48 and before[:24] != before[24:]
    assert page.locator("#hero .gs-hero-play").is_hidden()
    captions = page.locator("#hero figcaption").all_inner_texts()
    assert [caption.split(":")[0] for caption in captions] == ["Layer 0", "Layer 2"]
    context.close()
