"""What stands in a row is as high as its neighbours, in every tab."""

from playwright.sync_api import Browser

from app.web.tabs import TABS
from tests.support.browsing import needs_browser, open_page, open_tab, until_quiet, word_map

pytestmark = needs_browser

UNEVEN = """() => {
  const height = (node) => node.getBoundingClientRect().height;
  const alike = (one, other) => one.tagName === other.tagName && one.className === other.className
    && Math.abs(one.getBoundingClientRect().top - other.getBoundingClientRect().top) < 1;
  const uneven = (row) => {
    const shown = [...row.children].filter((child) => child.offsetParent);
    const [one, last] = shown.slice(-2);
    return shown.length > 1 && alike(one, last) && Math.abs(height(one) - height(last)) > 0.6;
  };
  const rows = [...document.querySelectorAll('.gs-root *')].filter((node) => node.querySelector(':scope > button'));
  return rows.filter(uneven).map((row) => row.outerHTML.slice(0, 200));
}"""
"""Rows of buttons whose last one has another height than the one before it."""


def test_buttons_of_a_row_are_of_one_height(browser: Browser, bundled: str) -> None:
    page = open_page(browser, bundled)
    for name in TABS:
        open_tab(page, name)
        until_quiet(page)
        if name == "words":
            word_map(page)
        assert page.evaluate(UNEVEN) == [], name
    page.context.close()
