"""The page in a real browser: one text, its panels, its limits.  Skipped, saying why, without Chromium.

Opening a page costs seconds of processor time, so most tests go on with one page and begin with a press of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.web.tabs import TABS
from tests.support.browsing import (
    CONTRAST,
    SIZES,
    asks_nothing,
    choose,
    needs_browser,
    open_fold,
    open_page,
    open_tab,
    read_text,
    shown_text,
    until_lens,
    until_opened,
    until_quiet,
    wait_written,
    word_map,
    write_on,
)

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page over the toy experts."""
    page = open_page(browser, address)
    yield page
    page.context.close()


@dataclass
class Opening:
    """What happened since the page was opened, and the chips that it opened with."""

    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    chips: list[str] = field(default_factory=list)


OPENING = Opening()


@pytest.fixture(scope="module")
def shipped(browser: Browser, bundled: str) -> Iterator[Page]:
    """The page over the bundled model, watched from the first request on."""
    width, height = SIZES["desktop"]
    viewport: ViewportSize = {"width": width, "height": height}
    page = browser.new_context(viewport=viewport, locale="en-US", reduced_motion="reduce").new_page()
    page.on("request", lambda request: OPENING.asked.append(request.url))
    page.on("pageerror", lambda error: OPENING.errors.append(str(error)))
    page.on("console", lambda said: OPENING.stopped.append(said.text) if "Content Security" in said.text else None)
    page.goto(bundled)
    until_opened(page)
    assert page.locator("#gs-first").count() == 0 and page.locator(".gs-chip.gs-written").count() > 0
    OPENING.chips += page.locator("#strip .gs-chip").all_inner_texts()
    yield page
    page.context.close()


def test_all_panels_come_from_this_server_alone(shipped: Page, bundled: str) -> None:
    """With the policy of the page in force: nothing was asked of another host, nothing that it needs was stopped."""
    page = shipped
    for tab in TABS:
        open_tab(page, tab)
    for tab, panel in (("read", "glyphs"), ("read", "experts"), ("layers", "layers"), ("layers", "lens")):
        open_tab(page, tab)
        expect(page.locator(f".gs-{panel} .gs-summary")).to_have_text(re.compile(r"\w"))
    word_map(page)
    assert not OPENING.errors
    assert len(OPENING.asked) > 20
    assert not [url for url in OPENING.asked if not url.startswith((bundled, "data:", "blob:"))]
    assert not [text for text in OPENING.stopped if not re.search(r"https?://(?!127\.0\.0\.1)", text)]


STORIES = [("Жила-была девочка", "0"), ("Once upon a time", "1"), ("我喜欢", "0")]


@pytest.mark.parametrize(("story", "weight"), STORIES)
def test_one_story_in_each_language_from_a_click_to_the_last_layer(shipped: Page, story: str, weight: str) -> None:
    """Example, streamed text, a token, its picture, the weight, the layers: all of one text."""
    page = shipped
    open_tab(page, "read")
    open_fold(page, "examples")
    page.locator("#examples").get_by_role("button", name=story, exact=True).click()
    page.wait_for_function(
        "(story) => [...document.querySelectorAll('.gs-strip .gs-chip .gs-tok')].map((t) => t.textContent).join('')"
        ".replaceAll('␣', ' ').trim().startsWith(story)",
        arg=story,
    )
    wait_written(page)
    chip = page.locator(".gs-chip.gs-written").first
    written = chip.locator(".gs-tok").inner_text()
    choose(page, chip, written)
    page.wait_for_function(
        "(text) => [...document.querySelectorAll('#experts .gs-actual .gs-tok')].some((t) => t.innerText === text)",
        arg=written,
    )
    page.locator("#weight input[type='range']").fill(weight)
    page.wait_for_function(
        "(said) => document.querySelector('#experts .gs-summary').textContent.includes(said)",
        arg=f"weight of RU is {weight}.00",
    )
    open_tab(page, "layers")
    page.locator("#layers .gs-layer").fill("6")
    assert "6 of 6" in page.locator("#layers .gs-slider output").inner_text()
    page.wait_for_function("() => document.querySelector('.gs-near-at output').textContent === '6'")


READ = [
    ".gs-lead", ".gs-summary", ".gs-hint", ".gs-title p", ".gs-foot p", ".gs-facts dt", ".gs-number", ".gs-note",
    ".gs-picks label", ".gs-picks select", ".gs-ribbon td", ".gs-parts td", ".gs-chip .gs-tok", ".gs-chip .gs-mark",
    ".gs-candidate .gs-tok", ".gs-candidate .gs-number", ".gs-near li", ".gs-save summary", ".gs-plot figcaption",
    ".gs-option", "#tabs [role='tab']", ".gs-lens td", ".gs-said", ".gs-points", ".gs-legend", ".gs-near-pick button",
]  # fmt: skip
"""Where visitors read."""

CHANGED = "() => !document.getAnimations().some((moving) => moving instanceof CSSTransition)"
"""Colours change over a while, and have changed."""


@pytest.mark.parametrize("size", SIZES)
def test_no_sideways_scroll_and_readable_text_in_light_and_dark(
    browser: Browser, bundled: str, shipped: Page, size: str
) -> None:
    page = shipped if size == "desktop" else open_page(browser, bundled, size)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    word_map(page)
    for tab in ("layers", "proof", "read"):
        open_tab(page, tab)
    if not page.locator(".gs-near-pick").count():  # opened before the word list was read: select a token again
        page.locator(".gs-strip .gs-chip").nth(2).click()
        page.wait_for_selector(".gs-near-pick button")
    page.evaluate(
        """() => {
          const inks = [...Array(14).keys()].map((i) => `c${i}`).concat('latin', 'cyrillic', 'han');
          const box = document.querySelector('#words .gs-panel');
          inks.forEach((ink) => box.insertAdjacentHTML('beforeend',
            `<i class="try-${ink}" style="color:var(--gs-${ink});background:var(--gs-ground)">x</i>`));
        }"""
    )
    inks = [f".try-{ink}" for ink in (*(f"c{i}" for i in range(14)), "latin", "cyrillic", "han")]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
        page.wait_for_function(CHANGED)
        contrast = page.evaluate(CONTRAST, [*READ, *inks])
        faint = {selector: ratio for selector, ratio in contrast.items() if ratio < 4.5}
        assert not faint, (scheme, faint)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    if size != "desktop":
        page.context.close()


@pytest.mark.parametrize("prompt", ["Мама любит", "My sister likes the", "爸爸喜欢"])
def test_writing_streams_chips_and_fills_the_panels(page: Page, prompt: str) -> None:
    open_tab(page, "read")
    write_on(page, prompt)
    assert shown_text(page).startswith(prompt)
    expect(page.locator(".gs-experts .gs-candidate")).to_have_count(24)
    open_tab(page, "layers")
    until_lens(page)


OLD = "document.querySelector('.gs-strip').dataset.old = ''"
"""Marks the strip: the next text brings another one."""


def test_enter_sends_another_differs_and_going_on_takes_the_text_along(page: Page) -> None:
    """Also: a refused text leaves no chips of the last one."""
    open_tab(page, "read")
    box = page.locator("#prompt textarea")
    box.fill("Мама любит")
    box.press("Shift+Enter")
    assert box.input_value() == "Мама любит\n"
    page.evaluate(OLD)
    box.fill("Мама любит")
    box.press("Enter")
    wait_written(page)
    first = shown_text(page)
    page.evaluate(OLD)
    page.locator("#another").click()
    wait_written(page)
    text = shown_text(page)
    assert text.startswith("Мама любит") and text != first
    page.evaluate(OLD)
    page.locator("#more").click()
    wait_written(page)
    assert box.input_value().strip() == text and shown_text(page).startswith(text)
    box.fill("x" * 2_001)
    box.press("Enter")
    page.wait_for_function("() => !document.querySelector('.gs-strip .gs-chip')")
    expect(page.locator(".gs-status.gs-failed")).to_have_count(1)


TEXT = "Мама любит дом. The cat and the dog"


def until_selected(page: Page, text: str) -> None:
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=text)


def test_a_click_on_a_chip_selects_the_token_in_every_panel(page: Page) -> None:
    read_text(page, TEXT)
    open_tab(page, "layers")
    open_tab(page, "read")
    chip = page.locator(".gs-chip").nth(4)
    choose(page, chip, chip.locator(".gs-tok").inner_text())
    expect(page.locator(".gs-chip[aria-pressed='true']")).to_have_attribute("data-index", "5")
    page.locator(".gs-peak").nth(1).click()
    until_selected(page, page.locator(".gs-chip").nth(1).locator(".gs-tok").inner_text())
    page.locator(".gs-chip").nth(3).focus()
    page.keyboard.press("Enter")
    until_selected(page, page.locator(".gs-chip").nth(3).locator(".gs-tok").inner_text())
    open_tab(page, "layers")
    page.wait_for_function("() => document.querySelector('#lens tr[aria-selected=true]').dataset.index === '4'")
    expect(page.locator(".gs-point.gs-selected").first).to_have_attribute("data-index", "4")


def test_a_cell_of_the_lens_lists_its_candidates_and_one_can_be_followed(page: Page) -> None:
    read_text(page, TEXT)
    open_tab(page, "layers")
    until_quiet(page)
    page.locator("#lens .gs-second tr[data-index='4'] td").nth(1).click()
    page.wait_for_function("() => document.querySelector('#depth h3').textContent.includes('ZH, layer 1')")
    option = page.locator("#depth .gs-option").nth(3)
    followed = option.locator(".gs-tok").inner_text()
    option.click()
    page.wait_for_function(
        "(text) => document.querySelector('.gs-chart figcaption').textContent.includes(text)", arg=f"“{followed}”"
    )
    assert "ZH, layer 1" in page.locator("#depth h3").first.inner_text()


def test_lens_cells_answer_to_the_keyboard(page: Page) -> None:
    read_text(page, TEXT)
    open_tab(page, "layers")
    until_quiet(page)
    page.locator(".gs-chip").nth(2).click()
    page.wait_for_function("() => document.querySelector('#lens tr[aria-selected=true]').dataset.index === '3'")
    page.locator("#lens .gs-first tr[data-index='3'] td").nth(2).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#depth h3').textContent.includes('RU, layer 1')")
    row = page.locator("#lens tr[aria-selected='true']").first
    expect(row).to_have_attribute("data-index", "2")
    expect(row.locator("td[tabindex='0']")).to_have_count(3)


def test_layer_slider_moves_points_in_the_browser(page: Page) -> None:
    open_tab(page, "words")  # the word list is told
    open_tab(page, "layers")
    until_quiet(page)
    slider, point = page.locator("#layers .gs-layer"), page.locator(".gs-point").nth(3)
    slider.fill("0")
    before = point.get_attribute("style")
    slider.fill("2")
    assert point.get_attribute("style") != before
    assert "2" in page.locator("#layers .gs-slider output").inner_text()
    assert "Layer 2" in page.locator("#layers figcaption").first.inner_text()
    assert asks_nothing(page, lambda: [*map(slider.fill, ("0", "2"))])


def test_points_can_be_dots_and_leave_a_trail(page: Page) -> None:
    open_tab(page, "layers")
    picture = page.locator(".gs-point image").first
    assert picture.is_visible()
    page.locator(".gs-toggle").click()
    assert not picture.is_visible() and page.locator(".gs-point circle").first.is_visible()
    page.locator(".gs-plot").first.locator(".gs-point").last.hover()  # drawn last, so nothing covers it
    assert page.locator(".gs-trail").first.get_attribute("d")


def test_a_panel_fills_the_screen_and_goes_back(page: Page) -> None:
    open_tab(page, "layers")
    page.locator("#layers .gs-full").click()
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('gs-layers')")
    page.locator("#layers .gs-full").click()
    page.wait_for_function("() => document.fullscreenElement === null")


def test_strip_can_show_another_measure(page: Page) -> None:
    page.locator("#measure input").click()
    page.get_by_role("option", name="Overlap of the top 10 (share)", exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-chip').title.includes('Overlap of the top 10')")


def test_each_expert_alone_continues_from_the_selected_token(page: Page) -> None:
    open_tab(page, "read")
    choose(page, page.locator(".gs-chip").nth(1), page.locator(".gs-chip .gs-tok").nth(1).inner_text())
    page.locator("#alone").click()
    page.wait_for_selector("[data-alone='done']", timeout=60_000)
    beginnings = page.locator(".gs-writes span").all_inner_texts()
    read = "".join(page.locator(".gs-chip .gs-tok").all_inner_texts()[:2]).replace("␣", " ")
    assert [text.strip() for text in beginnings] == [read.strip()] * 3
    assert page.locator(".gs-alone h3").all_inner_texts() == ["RU", "Fused", "ZH"]


def test_components_slider_redraws_the_decoded_picture(page: Page) -> None:
    open_tab(page, "read")
    page.locator("#components input[type='range']").fill("2")
    page.wait_for_function("() => document.querySelector('.gs-glyphs .gs-summary').textContent.includes('from 2 of')")
    assert page.locator(".gs-lost, .gs-added").count() > 5


def test_weight_slider_rescores_to_one_expert_alone(page: Page) -> None:
    open_tab(page, "read")
    page.locator("#weight input[type='range']").fill("1")
    page.wait_for_function(
        """() => {
          const lists = [...document.querySelectorAll('.gs-column ol')];
          const [first, fused] = lists.map((list) => list.textContent);
          return first === fused;
        }"""
    )
    bars = page.locator(".gs-bar .gs-number").all_inner_texts()
    assert float(bars[1]) == 0 and float(bars[0]) == pytest.approx(float(bars[2]), abs=2e-3)


def test_fusion_can_be_switched(page: Page) -> None:
    open_tab(page, "read")
    for fusion in ("Mean of probabilities", "Weighted by each expert's likelihood of the text so far"):
        page.locator("#fusion input").click()
        page.get_by_role("option", name=fusion, exact=True).click()
        page.wait_for_function("() => document.querySelector('.gs-margin h3').textContent.includes('probability')")
        expect(page.locator("#fusion input")).to_have_value(fusion)


def test_stop_keeps_the_text_and_its_panels(page: Page) -> None:
    open_tab(page, "read")
    page.evaluate(OLD)
    page.locator("#prompt textarea").fill("Мама")
    page.locator("#generate").click()
    page.wait_for_selector(".gs-strip:not([data-old]) .gs-chip.gs-written")
    page.locator("#stop").click()
    page.wait_for_selector(".gs-strip:not([data-old])[data-state='done']")
    assert shown_text(page).startswith("Мама")
    expect(page.locator(".gs-chip").first).to_be_visible()
    expect(page.locator(".gs-experts")).to_be_visible()


BAD = {"empty": "", "blank": "   ", "novel": "x" * 100_000, "emoji": "😀"}
GOOD = ["The cat", "The dog", "Мама и кот", "The dog and the cat"]


@pytest.mark.parametrize(("kind", "good"), [*zip(BAD, GOOD, strict=True)])
def test_bad_prompts_get_a_sentence_and_nothing_of_the_last_text_stands_under_it(
    page: Page, kind: str, good: str
) -> None:
    read_text(page, good)
    assert not page.locator(".gs-status-line .gs-failed:visible").count()
    page.locator("#prompt textarea").fill(BAD[kind])
    page.locator("#generate").click()
    failed = page.wait_for_selector(".gs-status-line .gs-failed:visible")
    assert failed is not None and failed.inner_text().endswith(".")
    expect(page.locator(".gs-strip .gs-chip")).to_have_count(0)
    assert page.locator("#prompt textarea").input_value() == BAD[kind]


HOSTILE = ["${1+1} {{x}} `b` \\n", "<img src=x onerror=window.hacked=1>", "<script>window.hacked=1</script>"]


@pytest.mark.parametrize("prompt", HOSTILE)
def test_hostile_text_is_shown_literally_and_nothing_runs(page: Page, prompt: str) -> None:
    read_text(page, prompt)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".gs-root script, .gs-root img[src='x']").count() == 0


def test_the_language_can_be_switched(page: Page) -> None:
    page.get_by_label("Русский", exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-glyphs h2').textContent.startsWith('Глифы')")
    expect(page.locator("#generate")).to_have_text("Продолжить")


def test_the_opening_text_is_there_before_any_script(browser: Browser, bundled: str, shipped: Page) -> None:
    """And its chips are those that the page shows when it has come."""
    still = browser.new_context(java_script_enabled=False, locale="en-US").new_page()
    for language, sentence in (("zh", "每个方块是一个词元"), ("en", "Each chip is a token")):
        still.goto(f"{bundled}?lang={language}")
        first = still.locator("#gs-first")
        assert sentence in first.inner_text() and first.locator(".gs-chip").count() >= 5
    assert first.locator(".gs-chip").all_inner_texts() == OPENING.chips
    still.context.close()
