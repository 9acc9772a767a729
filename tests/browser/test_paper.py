"""The page on paper: light, as wide as the paper, and what is folded away stays away."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import needs_browser, open_page, open_tab, word_map

pytestmark = needs_browser

DARKEST = 140
"""Of 255, the mean of a colour that reads on white paper."""

LOOK = """(selector) => {
  const brightness = (text) => getComputedStyle(text).fill.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 3;
  const figures = [...document.querySelectorAll(selector)];
  return {
    dark: document.body.classList.contains('dark'),
    brightest: Math.max(...figures.flatMap((figure) => [...figure.querySelectorAll('text')].map(brightness))),
    beyond: Math.max(...figures.map((figure) => figure.querySelector('.main-svg').clientWidth - figure.offsetWidth)),
    width: figures[0].clientWidth,
  };
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Iterator[Page]:
    """A dark page that notes how its figures look when it goes to paper."""
    page = open_page(browser, bundled, scheme="dark")
    yield page
    page.context.close()


@pytest.mark.parametrize(("tab", "figures"), [("words", "#words .gs-figure"), ("proof", "#proof .gs-curve")])
def test_figures_of_a_dark_page_are_light_on_paper_and_fit_it(page: Page, tab: str, figures: str) -> None:
    if tab == "words":
        word_map(page)
    else:
        open_tab(page, tab)
        page.wait_for_selector(f"#{tab} [data-state='drawn']", timeout=60_000)
    before = page.evaluate(LOOK, figures)
    assert before["dark"] and before["brightest"] > DARKEST
    note = f"() => {{ window.onPaper = ({LOOK})(figures); }}"
    page.evaluate(f"(figures) => addEventListener('beforeprint', {note}, {{ once: true }})", figures)
    page.pdf()
    paper = page.evaluate("() => window.onPaper")
    assert not paper["dark"] and paper["brightest"] < DARKEST
    assert paper["beyond"] <= 0 and paper["width"] < 700 < before["width"] * 2
    page.wait_for_function(f"(figures) => ({LOOK})(figures).brightest > {DARKEST}", arg=figures)
    assert page.evaluate(LOOK, figures) == before


def test_what_is_folded_away_is_not_printed(page: Page) -> None:
    open_tab(page, "words")
    fold = page.locator("#own-words")
    expect(fold).to_be_visible()
    page.emulate_media(media="print")
    expect(fold).to_be_hidden()
    page.emulate_media(media="screen")
    fold.locator("button").first.click()
    page.emulate_media(media="print")
    expect(fold).to_be_visible()
    page.emulate_media(media="screen")
