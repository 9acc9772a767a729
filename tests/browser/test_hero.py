"""The moving picture in a real browser: there at the first paint, moving, and still where it should be."""

import gzip
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.web.assets import PLOTLY
from tests.support.browsing import SIZES, needs_browser, open_page, until_opened, until_quiet, word_map

pytestmark = needs_browser

TILES = """() => [...document.querySelectorAll('#hero .gs-hero-tile')].map((tile) => {
  const { left, right, top, bottom } = tile.getBoundingClientRect();
  return [left, top, right, bottom];
})"""
FIRST_VIEW = 180_000
"""Bytes of the page itself, packed, at the most."""


def at_rest(page: Page, tiles: str = TILES) -> list[list[float]]:
    """Where the tiles are once they have stopped for a few frames."""
    page.evaluate("window.placesSeen = null")
    page.wait_for_function(
        f"""() => {{
          const now = JSON.stringify(({tiles})());
          if (window.placesSeen?.now !== now) window.placesSeen = {{ now, frames: 0 }};
          return ++window.placesSeen.frames > 6;
        }}"""
    )
    found: list[list[float]] = page.evaluate(tiles)
    return found


def until_moved(page: Page, before: list[list[float]], tiles: str = TILES) -> None:
    page.wait_for_function(f"(before) => JSON.stringify(({tiles})()) !== JSON.stringify(before)", arg=before)


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, address, motion="no-preference")
    page.wait_for_selector("#hero .gs-hero[data-kept]", timeout=30_000)
    yield page
    page.context.close()


def test_the_first_view_has_it_before_any_other_script(address: str) -> None:
    with urllib.request.urlopen(address, timeout=30) as answer:
        html = answer.read()
    assert len(gzip.compress(html, 5)) < FIRST_VIEW
    first = html.decode().split("<div id='gs-first'")[1].split('rel="stylesheet"')[0]
    assert first.count("class='gs-hero-tile") == 24 and "plotly" not in first.lower()
    assert "requestAnimationFrame" in first.split("</section>")[1]


def test_it_moves_while_gradio_has_not_come(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    page.route("**/assets/**.js", lambda route: None)  # Gradio's scripts never arrive
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#gs-first .gs-hero[data-kept]")
    where = TILES.replace("#hero", "#gs-first")
    until_moved(page, page.evaluate(where), where)
    page.locator("#gs-first .gs-hero-play").click()
    before = at_rest(page, where)
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
    expect(page.locator("#hero .gs-hero-layer")).to_have_value("1")
    expect(page.locator("#hero [data-expert='0']")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => document.activeElement.matches('#prompt textarea')")
    page.context.close()


def test_a_token_pressed_in_the_first_view_is_chosen_once_the_page_answers(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    held: list[Any] = []
    free: list[bool] = []
    page.route("**/assets/**.js", lambda route: route.continue_() if free else held.append(route))
    page.goto(address, wait_until="commit")
    chip = page.locator("#gs-first .gs-chip[aria-pressed='false']").last
    index, text = chip.get_attribute("data-index"), chip.locator(".gs-tok").inner_text()
    chip.click()
    expect(page.locator("#gs-first .gs-chip[aria-pressed='true']")).to_have_attribute("data-index", index or "")
    free.append(True)
    for route in held:
        route.continue_()
    page.wait_for_selector("#gs-first", state="detached", timeout=60_000)
    expect(page.locator("#glyphs .gs-headline .gs-tok").first).to_have_text(text)
    expect(page.locator("#strip .gs-chip[aria-pressed='true']")).to_have_attribute("data-index", index or "")
    page.context.close()


SAMPLE = """async ([moments, milliseconds]) => {
  const places = (TILES);
  const seen = [];
  const begun = performance.now();
  while (seen.length < moments) {
    await new Promise(requestAnimationFrame);
    if (performance.now() - begun > seen.length * milliseconds) seen.push(places());
  }
  return seen;
}""".replace("TILES", TILES)
"""Where the tiles are at so many moments, so long after each other at least."""


def covered(tiles: list[list[float]]) -> float:
    """Pixels by which two tiles cover each other, along the side on which they do so less; at the most."""
    worst = 0.0
    for i, (left, top, right, bottom) in enumerate(tiles):
        for other in tiles[:i]:
            across = min(right, other[2]) - max(left, other[0])
            down = min(bottom, other[3]) - max(top, other[1])
            worst = max(worst, min(across, down))
    return worst


def test_frames_differ_and_no_tile_covers_another_until_it_is_paused(page: Page) -> None:
    """While they walk there, and a little longer."""
    play = page.locator("#hero .gs-hero-play")
    page.locator("#hero .gs-hero-layer").fill("0")
    at_rest(page)
    play.click()
    moments = page.evaluate(SAMPLE, [22, 250])
    assert [tiles for tiles in moments if covered(tiles) > 0.5] == []
    assert len({json.dumps(tiles) for tiles in moments}) >= 15
    play.click()
    assert play.inner_text() == "▶" and play.get_attribute("aria-label") == "Play"
    before = at_rest(page)
    page.wait_for_timeout(900)
    assert page.evaluate(TILES) == before
    play.click()
    until_moved(page, before)  # it may have stood at the end, where it stays a while
    assert play.inner_text() == "❚❚"


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
            assert covered(tiles) <= 0.5, (size, expert, layer)


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


def test_with_less_motion_both_ends_stand_still(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        before = at_rest(page)
        page.wait_for_timeout(1500)
        assert page.evaluate(TILES) == before and len(before) == 48 and before[:24] != before[24:]
    assert page.locator("#hero .gs-hero-play").is_hidden()
    captions = page.locator("#hero figcaption").all_inner_texts()
    assert [caption.split(":")[0] for caption in captions] == ["Layer 0", "Layer 2"]
    page.context.close()


STAGE = """(view) => {
  const { left, top, width, height } = document.querySelector(`${view} .gs-hero-stage`).getBoundingClientRect();
  return [left, top, width, height];
}"""


@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_stage_stays_where_it_is_when_the_page_comes(browser: Browser, bundled: str, size: str) -> None:
    """Within three pixels: what stands above it has other texts then."""
    width, height = SIZES[size]
    page = browser.new_context(viewport={"width": width, "height": height}, locale="en-US").new_page()
    held: list[Route] = []
    released: list[bool] = []

    def hold(route: Route) -> None:
        route.continue_() if released else held.append(route)

    page.route("**/assets/**.js", hold)
    page.goto(bundled, wait_until="commit")
    page.wait_for_selector("#gs-first .gs-hero[data-kept]")
    before = page.evaluate(STAGE, "#gs-first")
    released.append(True)
    for route in held:
        route.continue_()
    until_opened(page)
    page.wait_for_selector("#gs-first", state="detached")
    assert page.evaluate(STAGE, "#hero") == pytest.approx(before, abs=3)
    page.context.close()


@pytest.mark.parametrize("saving", [False, True])
def test_the_script_of_charts_is_there_before_a_chart_unless_data_is_saved(
    browser: Browser, address: str, saving: bool
) -> None:
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(
        f"Object.defineProperty(navigator, 'connection', {{ value: {{ saveData: {json.dumps(saving)} }} }})"
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if PLOTLY in request.url else None)
    page.goto(address)
    until_opened(page)
    if saving:
        until_quiet(page)
        assert not asked
    else:
        page.wait_for_function("() => window.Plotly")
    assert page.locator(".js-plotly-plot, .main-svg").count() == 0
    word_map(page)
    assert len(asked) == 1
    context.close()
