"""The tabs in a real browser: in the address, by keyboard, drawn when they are opened and not before."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web.tabs import TABS
from tests.support.browsing import needs_browser, open_page, open_tab, wait_written

pytestmark = needs_browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, address)
    yield page
    page.context.close()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_tab_is_drawn_when_it_is_opened_and_stands_in_the_address(
    browser: Browser, address: str, size: str
) -> None:
    page = open_page(browser, address, size)
    for name in [*TABS][::-1]:
        open_tab(page, name)
        page.wait_for_function("(name) => new URL(location).searchParams.get('tab') === name", arg=name)
        for panel in TABS[name]:
            expect(page.locator(f"#{panel}")).to_be_attached()
    page.context.close()


def test_the_address_opens_a_tab_and_a_link_into_another_one_switches(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}?tab=layers")
    page.wait_for_selector("#layers .gs-panel")
    assert not page.locator("#glyphs .gs-panel").count(), "nothing of the other tabs is drawn"
    assert page.locator("#tab-layers-button").get_attribute("aria-selected") == "true"
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a href=\"#figures\" id=\"there\">there</a>')")
    page.locator("#there").click()
    page.wait_for_selector("#tab-proof #figures .gs-panel")
    page.goto(f"{address}?tab=<b>nothing</b>")
    page.wait_for_selector("#glyphs .gs-panel")
    page.context.close()


def test_arrow_keys_walk_over_the_tabs(page: Page) -> None:
    assert page.locator("#tabs [role='tablist']").get_attribute("aria-label") == "Panels"
    page.locator("#tab-read-button").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#layers .gs-panel")
    page.keyboard.press("End")
    expect(page.locator("#tab-proof-button")).to_be_focused()
    assert page.locator("#tabs [role='tab'][tabindex='0']").count() == 1


def test_a_hidden_tab_shows_the_new_text_once_it_is_opened(page: Page) -> None:
    open_tab(page, "layers")
    open_tab(page, "read")
    page.locator("#prompt textarea").fill("The cat and the dog")
    page.locator("#look").click()
    page.wait_for_function("() => document.querySelector('.gs-status')?.textContent.match(/tokens read/)")
    tokens = page.locator(".gs-chip").count()
    open_tab(page, "layers")
    page.wait_for_function(
        "(count) => document.querySelectorAll('#lens tbody tr').length === 2 * (count + 1)", arg=tokens
    )


def test_a_token_chosen_in_one_tab_is_chosen_in_the_others(page: Page) -> None:
    open_tab(page, "layers")
    page.locator(".gs-chip").nth(2).click()
    text = page.locator(".gs-chip .gs-tok").nth(2).inner_text()
    page.wait_for_function("() => document.querySelector('#lens tr[aria-selected=true]').dataset.index === '3'")
    open_tab(page, "read")
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=text)


def test_only_the_open_tab_is_sent_with_a_text(browser: Browser, bundled: str) -> None:
    """What comes while the model writes has no panel of a hidden tab, and stays small."""
    page = open_page(browser, bundled)
    page.wait_for_timeout(3_000)  # until what opening the page asks for is there
    page.evaluate(
        """() => {
          window.came = [];
          const fetched = window.fetch;
          window.fetch = async (...given) => {
            const answer = await fetched(...given);
            if (String(given[0]?.url ?? given[0]).includes('queue/data')) {
              const [ours, theirs] = answer.body.tee();
              const reader = ours.pipeThrough(new TextDecoderStream()).getReader();
              (async () => {
                for (let part; !(part = await reader.read()).done; ) window.came.push(part.value);
              })();
              return new Response(theirs, answer);
            }
            return answer;
          };
        }"""
    )
    page.locator("#prompt textarea").fill("Tom wants a")
    page.locator("#generate").click()
    wait_written(page)
    page.wait_for_timeout(500)
    came = "".join(page.evaluate("window.came"))
    assert "gs-glyphs" in came and "gs-experts" in came, "the open tab"
    for hidden in ("gs-layers", "gs-depth", "gs-words", "gs-proof"):
        assert f"class='gs-panel {hidden}" not in came, hidden
    assert len(came.encode()) < 250_000
    page.context.close()


def test_another_language_is_spoken_in_tabs_that_are_opened_later(page: Page) -> None:
    for name in ("layers", "proof", "read"):
        open_tab(page, name)
    page.get_by_label("Русский", exact=True).click()
    expect(page.locator("#tab-layers-button")).to_have_text("Слои")
    open_tab(page, "layers")
    page.wait_for_function("() => document.querySelector('#layers h2').textContent.startsWith('Слои')")
    open_tab(page, "proof")
    page.wait_for_function("() => !document.querySelector('#proof').textContent.includes('The')")
