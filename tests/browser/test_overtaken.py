"""What is pressed while a tab is being drawn stays chosen, however late the tab's own answer comes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.support.browsing import needs_browser, open_page, read_text, until_quiet

pytestmark = needs_browser

TEXT = "The cat and the dog"


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Iterator[Page]:
    page = open_page(browser, bundled)
    read_text(page, TEXT)
    yield page
    page.context.close()


@contextmanager
def held(page: Page, inside: str) -> Iterator[list[tuple[Route, APIResponse]]]:
    """Hold back the first answer in which this stands, computed by the server already, until the block ends."""
    late: list[tuple[Route, APIResponse]] = []

    def pass_on(route: Route) -> None:
        if late:
            return route.continue_()
        answer = route.fetch()
        if inside in answer.text():
            late.append((route, answer))
        else:
            route.fulfill(response=answer)

    page.route("**/gradio_api/run/**", pass_on)
    yield late
    assert late, "the answer to hold back never came"
    for route, answer in late:
        route.fulfill(response=answer)
    until_quiet(page)
    page.unroute("**/gradio_api/run/**", pass_on)


@contextmanager
def unasked(page: Page) -> Iterator[Callable[[], None]]:
    """Hold back what the page asks until the block ends, or until what this gives is called: then only what was asked
    before."""
    early: list[Route] = []
    over: list[bool] = []

    def hold(route: Route) -> None:
        if over:
            route.continue_()
        else:
            early.append(route)

    page.route("**/gradio_api/**", hold)
    yield lambda: over.append(True)
    over.append(True)
    assert early, "nothing was asked"
    for route in early:
        route.continue_()
    until_quiet(page)
    page.unroute("**/gradio_api/**", hold)


def until_held(page: Page, late: list[tuple[Route, APIResponse]]) -> None:
    for _ in range(300):
        if late:
            return
        page.wait_for_timeout(100)


def press(page: Page, place: int) -> list[str]:
    """Press a chip; the texts of all."""
    chips = page.locator(".gs-strip .gs-chip")
    chips.nth(place).click()
    return chips.locator(".gs-tok").all_inner_texts()


def test_a_token_that_is_pressed_while_a_tab_is_drawn_stays_chosen(page: Page) -> None:
    """In the tab that is seen for the first time; the panels of the other one are drawn anew."""
    with held(page, "gs-lens") as late:
        page.locator("#tab-layers-button").click()
        until_held(page, late)
        texts = press(page, 3)
        expect(page.locator("#depth h2")).to_contain_text(f"“{texts[2]}”")  # what was expected after the one before
    expect(page.locator("#depth h2")).to_contain_text(f"“{texts[2]}”")
    expect(page.locator(".gs-strip .gs-chip").nth(3)).to_have_attribute("aria-pressed", "true")
    page.locator("#tab-read-button").click()
    expect(page.locator("#glyphs .gs-headline")).to_contain_text(texts[3])


def test_so_does_one_in_the_tab_of_the_panels_that_were_there_before(page: Page) -> None:
    page.locator("#tab-layers-button").click()
    texts = press(page, 4)
    expect(page.locator("#depth h2")).to_contain_text(f"“{texts[3]}”")
    with held(page, "gs-headline") as late:
        page.locator("#tab-read-button").click()
        until_held(page, late)
        press(page, 1)
        expect(page.locator("#glyphs .gs-headline")).to_contain_text(texts[1])
    expect(page.locator("#glyphs .gs-headline")).to_contain_text(texts[1])
    page.locator("#tab-layers-button").click()
    expect(page.locator("#depth h2")).to_contain_text(f"“{texts[0]}”")


def test_what_is_typed_into_an_instrument_before_its_first_answer_stays(page: Page) -> None:
    with unasked(page) as let_ask:
        page.locator("#tab-break-button").click()
        field = page.locator("#patch-first").locator("input, textarea")
        expect(field).to_be_visible()
        let_ask()
        with page.expect_response("**/gradio_api/**"):
            field.fill("My own text")
    expect(page.locator("#patching .gs-map").first).to_be_visible(timeout=60_000)
    assert field.input_value() == "My own text"
