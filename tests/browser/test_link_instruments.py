"""Links to the tab "Try to break it" in a real browser: every instrument opens with the same picture."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLong

from app.web.deep_link import PageLink, packed
from app.web.linked_instruments import LookedAt
from tests.support.browsing import copied_link, needs_browser, open_fold, open_page, open_tab, until_quiet

pytestmark = needs_browser

SHOWN = """() => [
  ...[...document.querySelectorAll('.gs-fold > button.open')].map((button) => button.parentElement.id),
  ...[...document.querySelectorAll('#tab-break .gs-fold input, #tab-break .gs-fold textarea')]
    .filter((input) => !input.closest('[data-ask=type]'))
    .map((input) => `${input.closest('.block')?.id}: ${input.value} ${input.checked}`),
  ...[...document.querySelectorAll('#tab-break [aria-pressed="true"]')].map((one) => JSON.stringify(one.dataset)),
  document.querySelector('#editor .gs-editor')?.dataset.now,
]"""
"""The unfolded instruments, the values of all their fields and sliders, what is pressed, and the drawing."""

PANELS = (
    "patching",
    "patch-cell",
    "comparison",
    "exchange",
    "drawing",
    "flips",
    "attribution",
    "attention",
    "silencing",
)


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Iterator[Page]:
    page = open_page(browser, bundled)
    open_tab(page, "break")
    expect(page.locator("#patching .gs-map").first).to_be_visible(timeout=60_000)
    yield page
    page.context.close()


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#{name} input, #{name} textarea")


def assert_opens_the_same(browser: Browser, page: Page) -> None:
    """What the copied link opens has the same panels, settings and drawing."""
    until_quiet(page)
    other = open_page(browser, copied_link(page))
    for name in PANELS:
        panel = page.locator(f"#{name} .gs-panel")
        if panel.count():
            expect(other.locator(f"#{name} .gs-panel")).to_have_text(panel.text_content() or "", timeout=60_000)
    shown = page.evaluate(SHOWN)
    with suppress(TooLong):  # the fields come after the panels
        other.wait_for_function(f"(shown) => JSON.stringify(({SHOWN})()) === JSON.stringify(shown)", arg=shown)
    assert other.evaluate(SHOWN) == shown
    assert other.locator(".gs-status.gs-failed").count() == page.locator(".gs-status.gs-failed").count()
    other.context.close()


def move_states(page: Page) -> None:
    """The second story in its other direction with another cell and another answer, compared at another layer."""
    page.locator("#fold-patching .gs-examples button").nth(1).click()
    expect(field(page, "patch-first")).not_to_have_value(re.compile("^I "))
    before = page.locator("#patching .gs-both-texts").inner_text()
    page.locator("#patch-direction input").nth(1).check()
    expect(page.locator("#patching .gs-both-texts")).not_to_have_text(before, use_inner_text=True)
    answer = page.locator("#patching .gs-answer-row").first.locator("[aria-pressed=false]").nth(1)
    chosen = answer.locator(".gs-tok").inner_text()
    answer.click()
    expect(field(page, "patch-answer")).to_have_value(chosen)
    page.locator("#patching .gs-map").last.locator("tbody tr").last.locator("td[data-layer='2']").click()
    expect(page.locator("#patch-cell h3").first).to_contain_text("after layer 2 moved")
    open_fold(page, "fold-comparison")
    page.locator("#comparison .gs-layer").fill("4")


def draw(page: Page) -> None:
    """A drawing with both sliders moved, a typed character, and the fewest pixels of another search."""
    open_fold(page, "fold-drawing")
    expect(page.locator("#drawing .gs-drawn").first).to_be_visible(timeout=60_000)
    field(page, "draw-text").fill("I drink")
    page.locator("#draw-use").click()
    expect(page.locator("#drawing .gs-summary")).to_contain_text("drink")
    page.locator("#draw-fewest").click()
    expect(page.locator("#flips .gs-flips")).to_be_visible(timeout=60_000)
    page.locator("#editor [data-ask=type] input").fill("ö")
    page.locator("#editor [data-ask=type] button").click()
    expect(page.locator("#editor .gs-outside")).to_contain_text("ö")
    page.locator("#editor .gs-morph").fill("0.4")
    page.locator("#editor .gs-noise").fill("16")
    page.locator("#editor .gs-grid").press("Space")


def exchange_a_story(page: Page) -> None:
    """The second story, measured over its words."""
    open_fold(page, "fold-exchange")
    expect(page.locator("#exchange .gs-gains")).to_be_visible(timeout=60_000)
    story = page.locator("#fold-exchange .gs-examples button").nth(1)
    story.click()
    expect(field(page, "exchange-word")).to_have_value(story.inner_text().partition(" / ")[0].split(" ")[-1])
    expect(page.locator("#exchange .gs-gains")).to_be_visible(timeout=60_000)


def exchange_own_words(page: Page) -> None:
    open_fold(page, "fold-exchange")
    expect(page.locator("#exchange .gs-gains")).to_be_visible(timeout=60_000)
    field(page, "exchange-unrelated").fill("дом")
    page.locator("#exchange-move").click()
    expect(page.locator("#exchange .gs-effects").first).to_contain_text("дом")


def split_a_margin(page: Page) -> None:
    """The margin after a token in the middle of a text, with another rival."""
    open_fold(page, "fold-attribution")
    expect(page.locator("#attribution .gs-attributed").first).to_be_visible(timeout=60_000)
    field(page, "attribute-text").fill("他喝了一")
    page.locator("#attribute-split").click()
    expect(page.locator("#attribution .gs-attributed").first).to_contain_text("喝")
    summary = page.locator("#attribution .gs-summary").inner_text()
    page.locator("#attribution [data-pin='2']").click()
    expect(page.locator("#attribution .gs-summary")).not_to_have_text(summary, use_inner_text=True)
    chosen = page.locator("#attribution .gs-answer-row").last.locator("[aria-pressed=false]").nth(1)
    token = chosen.locator(".gs-tok").inner_text()
    chosen.click()
    expect(field(page, "attribute-rival")).to_have_value(token)


def look_at_a_head(page: Page) -> None:
    """Another head, looked at from another token, ranked by the pair, with two parts silenced."""
    open_fold(page, "fold-attention")
    expect(page.locator("#silencing .gs-columns")).to_be_visible(timeout=60_000)
    page.locator("#attention-pair").click()
    expect(page.locator("#attention .gs-first-heads")).to_contain_text("patched")
    page.locator("#attention .gs-head-grid").nth(1).locator("tbody tr").nth(1).locator("button").nth(2).click()
    expect(page.locator("#attention h3").first).to_contain_text("ZH head 2.2")
    page.locator("#silencing .gs-palette").first.get_by_role("button", name="RU block 1", exact=True).click()
    expect(page.locator("#silencing .gs-silenced [data-kind]")).to_have_count(2)
    page.locator("#attention .gs-arc-row button").nth(1).click()
    expect(page.locator("#attention .gs-arc-row button").nth(1)).to_have_attribute("aria-pressed", "true")


def fold_out_the_rest(page: Page) -> None:
    """The laboratory over other pictures, and the findings."""
    open_fold(page, "fold-lab")
    page.get_by_role("button", name="己 · 已", exact=True).click()
    expect(page.locator(".gs-lab .gs-summary")).to_contain_text("己")
    open_fold(page, "fold-findings")
    expect(page.locator("#findings .gs-panel")).to_be_visible(timeout=60_000)


def test_moved_states_a_drawing_and_a_story_open_the_same(browser: Browser, page: Page) -> None:
    move_states(page)
    draw(page)
    exchange_a_story(page)
    assert_opens_the_same(browser, page)


def test_everything_unfolded_opens_the_same(browser: Browser, page: Page) -> None:
    exchange_own_words(page)
    split_a_margin(page)
    look_at_a_head(page)
    fold_out_the_rest(page)
    assert_opens_the_same(browser, page)


def test_texts_that_can_only_be_compared(browser: Browser, page: Page) -> None:
    field(page, "patch-second").fill("I read a lot of old")
    field(page, "patch-first").fill("I drink a lot")
    page.locator("#patch-move").click()
    expect(page.locator("#patch-status .gs-failed")).to_be_visible()
    expect(page.locator("#comparison")).to_contain_text("old")
    other = open_page(browser, copied_link(page))
    for name in ("#comparison .gs-panel", "#patch-status .gs-failed"):
        expect(other.locator(name)).to_have_text(page.locator(name).text_content() or "", timeout=60_000)
    assert [field(other, name).input_value() for name in ("patch-first", "patch-second")] == [
        "I drink a lot",
        "I read a lot of old",
    ]
    other.context.close()


def test_an_instrument_that_the_model_does_not_have_opens_as_usual_with_a_sentence(
    browser: Browser, page: Page, bundled: str
) -> None:
    head = LookedAt(text="I drink", head=(0, 99, 0))
    link = packed(PageLink(tab="break", folds=("attention",), looked=head, split=None))
    other = open_page(browser, f"{bundled}?s={link}")
    expect(other.locator("#attention-status .gs-failed")).to_contain_text("opens as usual", timeout=60_000)
    expect(other.locator("#attention .gs-head-grid").first).to_be_visible()
    other.context.close()
