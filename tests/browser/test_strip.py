"""The strip of a written text, of which the page gets only what is new, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import choose, needs_browser, open_page, until_quiet, write_on

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Iterator[Page]:
    """The page over the bundled model: the toy experts write faster than the page draws."""
    page = open_page(browser, bundled)
    yield page
    page.context.close()


DRAWN = "() => document.querySelector('#strip .gs-strip').outerHTML"

WATCH_SEQUELS = """() => {
  window.sequels = 0;
  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
    window.sequels += added.filter((node) => node.localName === 'template').length;
  }).observe(document.querySelector('#strip'), { childList: true, subtree: true });
}"""
"""Counts the texts that were finished by their sequels."""

FOCUS_WHILE_WRITTEN = """() => {
  const observer = new MutationObserver(() => {
    const chip = document.querySelector("#strip .gs-strip[data-state='writing'] .gs-chip");
    if (!chip) return;
    chip.focus();
    window.early = chip.outerHTML;
    observer.disconnect();
  });
  observer.observe(document.querySelector('#strip'), { childList: true, subtree: true, attributes: true });
}"""


def show(page: Page, measure: str) -> None:
    """Have the strip show a measure, for which all of it is sent."""
    before = page.evaluate(DRAWN)
    page.locator("#measure input").click()
    page.get_by_role("option", name=measure, exact=True).click()
    page.wait_for_function(f"(before) => ({DRAWN})() !== before", arg=before)


def test_a_written_strip_is_the_same_as_one_that_is_sent_whole(page: Page) -> None:
    page.evaluate(WATCH_SEQUELS)
    for prompt in ("Once upon a time there was a", "Кот <b> '\" &amp; x", "小猫喜欢"):
        write_on(page, prompt)
        until_quiet(page)
        written = page.evaluate(DRAWN)
        assert "template" not in written and written.count('aria-pressed="true"') == 1
        shown = page.locator("#measure input").input_value()
        show(page, "Surprise −log p (nats)")
        show(page, shown)
        assert page.evaluate(DRAWN) == written
    assert page.evaluate("window.sequels") > 0


def test_a_chip_keeps_the_focus_when_its_text_is_finished(page: Page) -> None:
    page.evaluate(FOCUS_WHILE_WRITTEN)
    write_on(page, "The old dog and")
    first = page.locator("#strip .gs-chip").first
    expect(first).to_be_focused()
    assert first.evaluate("(chip) => chip.outerHTML") != page.evaluate("window.early"), "it has its value now"


def test_a_token_of_a_written_strip_is_chosen_by_mouse_and_by_keyboard(page: Page) -> None:
    write_on(page, "The dog and the cat")
    until_quiet(page)
    first, second = (page.locator("#strip .gs-chip").nth(n) for n in (1, 2))
    choose(page, first, first.locator(".gs-tok").inner_text())
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".gs-headline .gs-tok")).to_have_text(second.locator(".gs-tok").inner_text())
    assert page.locator("#strip .gs-chip[aria-pressed='true']").count() == 1
