"""The page in a real browser when the server goes away, or somebody types code.  Skipped without Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.web.assets import PLOTLY
from app.wording.catalogue import say
from tests.support.browsing import (
    SIZES,
    choose,
    needs_browser,
    open_fold,
    open_page,
    open_tab,
    until_opened,
    until_quiet,
)
from tests.support.odd import MARKUP
from tests.support.server import free_port, serving

pytestmark = needs_browser

PROMPT = "The cat and my own words"
SIZE = "(node) => [node.offsetWidth, node.offsetHeight]"
CHARTS = f"**/{PLOTLY}"
LOST: list[str] = []
"""Scripts of charts that were asked for."""


@pytest.fixture(scope="module")
def lame(browser: Browser, bundled: str) -> Iterator[Page]:
    """The page in Russian on a telephone that knows no full screen, and to which the script of charts does not come
    before a test lets it."""
    width, height = SIZES["phone"]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="ru-RU", reduced_motion="reduce")
    context.add_init_script("delete Element.prototype.requestFullscreen")
    page = context.new_page()

    def lose(route: Route) -> None:
        LOST.append(route.request.url)
        route.abort()

    page.route(CHARTS, lose)
    page.goto(bundled)
    until_opened(page)
    yield page
    context.close()


def test_a_killed_server_comes_back_with_the_visitors_prompt(browser: Browser, toy_bundle: Path) -> None:
    port = free_port()
    with serving(toy_bundle, port=port) as (address, process, _):
        page = open_page(browser, address)
        page.locator("#prompt textarea").fill(PROMPT)
        page.locator("#generate").click()
        process.kill()
        process.wait(10)
        # As it stands where frames had come; whether one did before the kill is a matter of milliseconds.
        page.evaluate("document.querySelector('.gs-strip').dataset.state = 'writing'")
        page.locator(".gs-away").wait_for(timeout=20_000)  # the page has seen that the server is away
        assert page.locator("#prompt textarea").input_value() == PROMPT
    with serving(toy_bundle, port=port) as (address, _, _):
        with page.expect_navigation(timeout=30_000):
            pass
        page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
        page.wait_for_function(
            "(text) => document.querySelector('#prompt textarea')?.value === text", arg=PROMPT, timeout=20_000
        )
        page.get_by_role("alert").filter(
            has_text="the text broke off. What you typed is kept: press Continue"
        ).wait_for()
        page.locator("#look").click()
        page.wait_for_function("() => document.querySelector('.gs-status')?.textContent.match(/tokens read/)")
        assert page.locator(".gs-away").count() == 0
        said = "".join(page.locator(".gs-chip .gs-tok").all_inner_texts()).replace("␣", " ")
        assert said.strip() == PROMPT
        page.context.close()


def test_a_panel_fills_the_window_where_there_is_no_full_screen(lame: Page) -> None:
    """As on telephones; on one, the whole window is the panel's, its corners too."""
    page = lame
    page.set_viewport_size({"width": 390, "height": 844})
    open_tab(page, "read")
    panel = page.locator("#glyphs .gs-panel")
    panel.scroll_into_view_if_needed()
    until_quiet(page)  # the panel is that of the finished text
    before = panel.evaluate(SIZE)
    covered = """() => [[3, 3], [386, 3], [3, 840], [380, 840]].every(([x, y]) =>
        document.elementFromPoint(x, y).closest('.gs-panel') === document.querySelector('#glyphs .gs-panel'))"""
    panel.locator(".gs-full").click()
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert page.evaluate(covered)
    panel.locator(".gs-full").click()
    assert panel.evaluate(SIZE) == before
    panel.locator(".gs-full").click()
    page.keyboard.press("Escape")
    assert panel.evaluate(SIZE) == before and not page.locator(".gs-filling").count()


def test_a_script_of_charts_that_is_lost_is_asked_for_again(lame: Page) -> None:
    page = lame
    open_tab(page, "words")
    assert page.locator("#generate").inner_text() == say("generate", "ru")
    note = page.locator("#words .gs-no-charts")
    expect(note).to_contain_text(say("maps_away", "ru"), timeout=30_000)
    assert not page.locator("#words [data-state='drawn']").count()
    expect(note.get_by_role("button", name=say("maps_again", "ru"))).to_be_visible()
    for _ in range(100):  # it asks by itself after one second and after three more
        if len(LOST) >= 3:
            break
        page.wait_for_timeout(200)
    page.unroute(CHARTS)
    page.evaluate("document.querySelector('#words .gs-no-charts button')?.click()")  # or the page asked by itself
    page.wait_for_selector("#words [data-state='drawn']", timeout=30_000)
    assert len(LOST) >= 3 and not page.locator(".gs-no-charts").count()
    assert page.locator("#words .gs-figure .main-svg").count()


def nothing_ran(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    assert page.locator(".gs-root script, .gs-root iframe, .gs-root [onerror], .gs-root [onload]").count() == 0


def test_code_of_every_kind_is_shown_as_text_in_every_panel(lame: Page) -> None:
    page = lame
    page.set_viewport_size({"width": 1400, "height": 900})  # on a telephone a chip opens a card over the page
    open_tab(page, "read")
    page.on("dialog", lambda dialog: dialog.dismiss())
    for start in range(0, len(MARKUP), 4):
        text = " кот ".join(MARKUP[start : start + 4])
        page.locator("#prompt textarea").fill(text)
        page.locator("#look").click()
        page.wait_for_function(
            "(text) => [...document.querySelectorAll('.gs-chip .gs-tok')].map((t) => t.textContent).join('')"
            ".replaceAll('␣', ' ').trim() === text",
            arg=text,
        )
        last = page.locator(".gs-chip").last
        choose(page, last, last.locator(".gs-tok").text_content() or "")
        nothing_ran(page)


def test_code_in_the_laboratory_the_words_and_the_address_stays_text(browser: Browser, address: str) -> None:
    page = open_page(browser, address + "/?lang=<script>window.hacked=1</script>&x=${window.hacked=1}")
    open_tab(page, "break")
    open_fold(page, "fold-lab")
    for text in ("<b>", "${1+1}", "{{x}}", "`a`"):
        page.locator("#fold-lab").get_by_label("First text", exact=True).click()
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.wait_for_function("(text) => document.querySelector('#lab')?.textContent.includes(text)", arg=text)
        nothing_ran(page)
    open_tab(page, "words")
    page.locator("#own-words button").first.click()
    page.locator("#own-words textarea").fill(
        "<img src=x onerror=window.hacked=1>: кот дом мама ${window.hacked=1}\ncat dog sun {{x}} red blue"
    )
    page.locator("#own-show").click()
    page.wait_for_selector("#words-status .gs-failed, #words .gs-plot", timeout=30_000)
    nothing_ran(page)
    page.context.close()
