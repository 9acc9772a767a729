"""The page on a phone: nothing of an instrument is cut off, and the tour's box covers nothing that it speaks of."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web.header import STOPS
from app.web.tabs import FOLDS
from tests.support.browsing import SIZES, needs_browser, open_fold, open_tab, until_opened, until_quiet, word_map

pytestmark = needs_browser

DRAWN = {
    "patching": "#patching .gs-map",
    "comparison": "#comparison .gs-compare-chip",
    "findings": "#findings [data-pin]",
    "exchange": "#exchange .gs-gains",
    "drawing": "#drawing .gs-drawn",
    "attribution": "#attribution tbody tr",
    "attention": "#silencing .gs-columns",
}
"""Instrument -> what is there once it is drawn."""

CUT_OFF = """() => {
  const scrolls = (node) => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
  const shown = (node) => node.getClientRects().length && getComputedStyle(node).visibility === 'visible';
  const found = [];
  const look = (node) => {
    const { left, right } = node.getBoundingClientRect();
    if (!shown(node)) return;
    if (left < -0.5 || right > innerWidth + 0.5) found.push(`${node.tagName} ${node.className} ${left} to ${right}`);
    if (!scrolls(node)) for (const child of node.children) look(child);
  };
  const parts = document.querySelectorAll('#tab-break .gs-panel, #tab-break .gs-editor, #tab-break .gs-fold');
  parts.forEach(look);
  return found;
}"""
"""What stands outside the window and in no box that scrolls; the box itself must stand inside."""


@pytest.fixture
def phone(request: pytest.FixtureRequest, browser: Browser, bundled: str) -> Iterator[Page]:
    """The page on a phone in the language that the test asks for, with its opening text finished."""
    width, height = SIZES["phone"]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=True,
        is_mobile=True,
        locale=request.param,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(bundled)
    until_opened(page)
    yield page
    context.close()


@pytest.mark.parametrize("phone", ["ru-RU"], indirect=True)
def test_every_instrument_fits_the_window_or_scrolls_in_a_box_of_its_own(phone: Page) -> None:
    """In the language with the longest words."""
    open_tab(phone, "break")
    for name in FOLDS:
        open_fold(phone, f"fold-{name}")
        phone.wait_for_selector(DRAWN[name], timeout=60_000)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    until_quiet(phone)
    assert phone.evaluate(CUT_OFF) == []
    phone.evaluate("document.querySelector('#silencing .gs-ribbon').style.overflow = 'visible'")
    phone.evaluate("document.querySelector('#silencing .gs-ribbon table').style.width = '999px'")
    assert phone.evaluate(CUT_OFF), "else this test could not fail"


SIDEWAYS = """(selector) => [...document.querySelectorAll(selector)]
  .filter((box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)"""


@pytest.mark.parametrize("phone", ["ru-RU", "en-US"], indirect=True)
def test_findings_and_the_lens_need_no_sideways_scroll(phone: Page) -> None:
    open_tab(phone, "layers")
    phone.wait_for_selector("#lens tbody tr")
    assert phone.evaluate(SIDEWAYS, "#lens .gs-scroll") == []
    open_tab(phone, "break")
    open_fold(phone, "fold-findings")
    phone.wait_for_selector(DRAWN["findings"], timeout=60_000)
    assert phone.evaluate(SIDEWAYS, "#findings .gs-scroll") == []
    phone.evaluate("document.querySelector('#findings table').style.width = '999px'")
    assert phone.evaluate(SIDEWAYS, "#findings .gs-scroll"), "else this test could not fail"


@pytest.mark.parametrize("phone", ["en-US"], indirect=True)
def test_a_text_wider_than_a_phone_shows_the_token_that_looks(phone: Page) -> None:
    open_tab(phone, "break")
    open_fold(phone, "fold-attention")
    phone.wait_for_selector(DRAWN["attention"], timeout=60_000)
    phone.locator("#attention-text input, #attention-text textarea").fill(
        "There are so many old books in the garden of"
    )
    phone.locator("#attention-show").tap()
    phone.wait_for_function("() => document.querySelectorAll('#attention .gs-arc-row button').length > 9")
    arcs = phone.locator("#attention .gs-arcs")
    assert arcs.evaluate("(box) => box.scrollWidth > box.clientWidth")
    arcs.scroll_into_view_if_needed()
    expect(arcs.locator("[aria-pressed=true]")).to_be_in_viewport(ratio=0.9)


CUT_WORDS = """() => [...document.querySelectorAll('#words .gs-figure')].flatMap((figure) => {
  const map = figure.getBoundingClientRect();
  return [...figure.querySelectorAll('.textpoint text')].filter((text) => {
    const { left, right } = text.getBoundingClientRect();
    return text.textContent.length > 1 && (left < map.left - 3 || right > map.right + 3);
  }).map((text) => text.textContent);
})"""


@pytest.mark.parametrize("phone", ["ru-RU"], indirect=True)
def test_no_word_of_a_map_is_cut_by_its_edge(phone: Page) -> None:
    word_map(phone)
    phone.locator("#words [data-pick='mode']").select_option("words")
    for layer in range(7):
        phone.locator("#words .gs-layer").fill(str(layer))
        expect(phone.locator("#words .gs-player output, #words output").first).to_contain_text(str(layer))
        phone.wait_for_function(f"() => ({CUT_WORDS})().length === 0")
        assert phone.locator("#words .gs-figure .textpoint text").count() > 20


COVERED = """(id) => {
  const box = (node) => node.getBoundingClientRect();
  const card = box(document.querySelector('.gs-guide'));
  const panel = box(document.getElementById(id));
  const tabs = box(document.querySelector('#tabs > .tab-wrapper'));
  const top = tabs.top <= 0 ? Math.max(0, tabs.bottom) : 0; // of what is left over
  const inside = card.left >= 0 && card.right <= innerWidth && card.top >= 0 && card.bottom <= innerHeight;
  const above = panel.top >= top - 1;
  const fits = panel.height <= card.top - top;
  const half = Math.min(panel.height, innerHeight - panel.top) / 2;
  const free = fits ? panel.bottom <= card.top : panel.top + half <= card.top;
  return inside && above && free ? '' : JSON.stringify({ id, inside, above, free, card, panel, tabs, innerHeight });
}"""
"""'' where the card is in the window and covers nothing of the panel, or of a taller one not the top half of what the
window shows of it."""


@pytest.mark.parametrize("phone", ["ru-RU"], indirect=True)
def test_the_tours_card_covers_nothing_that_it_speaks_of(phone: Page) -> None:
    phone.locator(".gs-tour").tap()
    for number, stop in enumerate(STOPS, 1):
        expect(phone.locator(".gs-guide span")).to_have_text(f"{number} / {len(STOPS)}")
        phone.wait_for_selector(f"#{stop} .gs-panel, #{stop} .gs-strip", timeout=60_000)
        until_quiet(phone)  # nothing grows any more
        phone.wait_for_function(f"(id) => ({COVERED})(id) === ''", arg=stop)
        expect(phone.locator(".gs-sheet")).to_have_count(0)
        phone.locator(".gs-guide button").nth(1).tap()
    expect(phone.locator(".gs-guide")).to_have_count(0)


@pytest.mark.parametrize("phone", ["zh-CN"], indirect=True)
def test_the_bar_of_what_is_presented_is_in_the_window(phone: Page) -> None:
    phone.locator("#present").tap()
    chooser = phone.locator(".gs-present-expert")
    for _ in range(30):  # more than there are panels
        if chooser.is_visible():
            break
        phone.locator(".gs-present-bar button").nth(2).tap()
        until_quiet(phone)
    expect(chooser).to_be_visible()
    box = phone.locator(".gs-present-bar").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= SIZES["phone"][0]
