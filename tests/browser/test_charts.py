"""The charts of the Proof tab in a real browser: their keys name what is drawn, and hide it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import needs_browser, open_page, open_tab

pytestmark = needs_browser

NAMED = """() => {
  const traces = document.querySelector('#proof .gs-curve').data.filter((trace) => trace.name);
  return [...new Set(traces.filter((trace) => trace.showlegend !== false).map((trace) => trace.name))];
}"""
HIDDEN = """() => {
  const traces = document.querySelector('#proof .gs-curve').data.filter((trace) => trace.visible === 'legendonly');
  return [...new Set(traces.map((trace) => trace.name))];
}"""
LINES = "#proof .gs-curve .scatterlayer path.js-line"


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Iterator[Page]:
    page = open_page(browser, bundled)
    open_tab(page, "proof")
    page.locator("#proof .gs-curve").scroll_into_view_if_needed()
    page.wait_for_selector("#proof [data-state='drawn']")
    yield page
    page.context.close()


def test_every_curve_and_band_has_a_key_that_looks_like_it(page: Page) -> None:
    keys = page.locator("#proof .gs-keys button")
    assert sorted(keys.all_inner_texts()) == sorted(page.evaluate(NAMED)) and keys.count() >= 4
    for key in keys.all():
        (ink,) = page.evaluate(
            """([name]) => document.querySelector('#proof .gs-curve').data
                 .filter((trace) => trace.name === name && trace.showlegend !== false)
                 .map((trace) => trace.fill ? trace.fillcolor : trace.line.color)""",
            [key.inner_text()],
        )
        assert key.locator(f"[fill='{ink}'], [stroke='{ink}']").count() >= 1


def test_a_key_hides_a_curve_with_its_interval_and_shows_it_again(page: Page) -> None:
    key = page.locator("#proof .gs-keys button", has_text="RU")
    lines = page.locator(LINES).count()
    key.click()
    expect(key).to_have_attribute("aria-pressed", "false")
    expect(page.locator(LINES)).not_to_have_count(lines)
    assert page.evaluate(HIDDEN) == ["RU"]
    key.press("Enter")
    expect(key).to_have_attribute("aria-pressed", "true")
    expect(page.locator(LINES)).to_have_count(lines)
    assert page.evaluate(HIDDEN) == []


def test_another_measure_brings_its_own_keys_all_of_them_pressed(page: Page) -> None:
    page.locator("#proof .gs-keys button").first.click()
    page.locator("#proof .gs-measure").select_option("1")
    page.wait_for_function("() => !document.querySelector('#proof .gs-keys [aria-pressed=\"false\"]')")
    assert sorted(page.locator("#proof .gs-keys button").all_inner_texts()) == sorted(page.evaluate(NAMED))
