"""The panels' own scripts in a real browser: the player of the layers, the slider of the near words, and no globals."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import needs_browser, open_page, open_tab, word_map

pytestmark = needs_browser

OURS = "() => Object.keys(window).filter((name) => /^gs/i.test(name))"


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Any:
    page = open_page(browser, address)
    for tab in ("words", "layers"):
        open_tab(page, tab)
    yield page
    page.context.close()


def positions(page: Any) -> list[str]:
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('#layers .gs-point')].map((p) => p.style.transform)"
    )
    return found


def test_layers_play_to_the_last_and_from_the_first_again(page: Any) -> None:
    button, slider = page.locator("#layers .gs-play"), page.locator("#layers .gs-layer")
    last = slider.get_attribute("max")
    before = positions(page)
    for _ in range(2):  # the second time it stands on the last layer
        button.click()
        assert button.inner_text() == "❚❚"
        page.wait_for_function("() => document.querySelector('#layers .gs-play').textContent === '▶'", timeout=20_000)
        assert slider.input_value() == last and positions(page) != before
    slider.fill("0")
    assert positions(page) == before
    page.wait_for_function("() => document.querySelector('#words .gs-layer').value === '0'")
    button.click()
    slider.fill("1")  # a hand on the slider stops it
    assert button.inner_text() == "▶" and slider.input_value() == "1"


def test_near_words_follow_their_own_slider(page: Any) -> None:
    open_tab(page, "read")
    slider = page.locator("#glyphs .gs-near-layer")
    slider.fill("1")
    shown = (
        "() => [...document.querySelectorAll('#glyphs [data-at]')].filter((l) => !l.hidden).map((l) => l.dataset.at)"
    )
    assert page.evaluate(shown) == ["1"]
    page.wait_for_function("() => document.querySelector('#layers .gs-layer').value === '1'")


def test_scripts_leave_no_globals(page: Any) -> None:
    word_map(page)
    assert page.evaluate(OURS) == []
