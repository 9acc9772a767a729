"""The page in a real browser when the server goes away, or somebody types code.  Skipped without Chromium."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page

from app.web.tabs import TABS
from tests.support.browsing import needs_browser, open_page, open_tab, word_map
from tests.support.odd import MARKUP
from tests.support.server import free_port, serving

pytestmark = needs_browser

PROMPT = "The cat and my own words"


def test_a_killed_server_comes_back_with_the_visitors_prompt(browser: Browser, toy_bundle: Path) -> None:
    port = free_port()
    with serving(toy_bundle, port=port) as (address, process, _):
        page = open_page(browser, address)
        page.locator("#prompt textarea").fill(PROMPT)
        page.locator("#generate").click()
        process.kill()
        process.wait(10)
        page.wait_for_selector(".gs-away, :text('Connection')", timeout=20_000)
        assert page.locator("#prompt textarea").input_value() == PROMPT
    with serving(toy_bundle, port=port) as (address, _, _):
        with page.expect_navigation(timeout=30_000):
            pass
        page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
        page.wait_for_function(
            "(text) => document.querySelector('#prompt textarea')?.value === text", arg=PROMPT, timeout=20_000
        )
        page.locator("#look").click()
        page.wait_for_function("() => document.querySelector('.gs-status')?.textContent.match(/tokens read/)")
        said = "".join(page.locator(".gs-chip .gs-tok").all_inner_texts()).replace("␣", " ")
        assert said.strip() == PROMPT
        page.context.close()


def nothing_ran(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    assert page.locator(".gs-root script, .gs-root iframe, .gs-root [onerror], .gs-root [onload]").count() == 0


def test_code_of_every_kind_is_shown_as_text_in_every_panel(browser: Browser, bundled: str) -> None:
    page = open_page(browser, bundled)
    page.on("dialog", lambda dialog: dialog.dismiss())
    for first, second in zip(MARKUP[::2], MARKUP[1::2], strict=True):
        text = first + " кот " + second
        page.locator("#prompt textarea").fill(text)
        page.locator("#look").click()
        page.wait_for_function(
            "(text) => [...document.querySelectorAll('.gs-chip .gs-tok')].map((t) => t.textContent).join('')"
            ".replaceAll('␣', ' ').trim() === text",
            arg=text,
        )
        page.locator(".gs-chip").last.click()
        nothing_ran(page)
    page.context.close()


def test_code_in_the_laboratory_the_words_and_the_address_stays_text(browser: Browser, address: str) -> None:
    page = open_page(browser, address + "/?lang=<script>window.hacked=1</script>&x=${window.hacked=1}")
    open_tab(page, "break")
    for text in ("<b>", "${1+1}", "{{x}}", "`a`"):
        page.locator("#lab").get_by_label("First text", exact=True).click()
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.wait_for_function(
            "(text) => document.querySelector('#lab .gs-root')?.textContent.includes(text)", arg=text
        )
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


def test_everything_comes_from_the_server_itself(browser: Browser, address: str) -> None:
    """With the policy of the page in force: nothing was asked of another host, nothing that it needs was stopped."""
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    stopped: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: stopped.append(message.text) if "Content Security" in message.text else None)
    page.goto(address)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    for tab in TABS:
        open_tab(page, tab)
    word_map(page)
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not [text for text in stopped if not re.search(r"https?://(?!127\.0\.0\.1)", text)]
    context.close()
