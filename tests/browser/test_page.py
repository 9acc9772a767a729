"""The page in a real browser: one text, its panels, its limits.  Skipped, saying why, without Chromium."""

import re

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import (
    CONTRAST,
    SIZES,
    needs_browser,
    open_fold,
    open_page,
    open_tab,
    wait_written,
    word_map,
    write_on,
)

pytestmark = needs_browser


def test_opens_on_a_finished_example_with_all_panels_and_asks_nobody_else(browser: Browser, bundled: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(bundled)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    for tab, panel in (("read", "glyphs"), ("read", "experts"), ("layers", "layers"), ("layers", "lens")):
        open_tab(page, tab)
        assert page.locator(f".gs-{panel} .gs-summary").inner_text().strip()
    assert page.locator(".gs-chip.gs-written").count() > 0
    outside = [url for url in asked if not url.startswith((bundled, "data:", "blob:"))]
    assert not outside and not errors
    context.close()


STORIES = ["Жила-была девочка Маша", "I want to", "你知道"]


@pytest.mark.parametrize("story", STORIES)
def test_one_story_in_each_language_from_a_click_to_the_last_layer(browser: Browser, bundled: str, story: str) -> None:
    """Example, streamed text, a token, its picture, the weight, the layers: all of one text."""
    page = open_page(browser, bundled)
    open_fold(page, "examples")
    page.locator("#examples").get_by_role("button", name=story, exact=True).click()
    wait_written(page)
    texts = page.locator(".gs-chip .gs-tok").all_inner_texts()
    assert "".join(texts).replace("␣", " ").strip().startswith(story)
    chip = page.locator(".gs-chip.gs-written").first
    written = chip.locator(".gs-tok").inner_text()
    chip.click()
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=written)
    assert written in page.locator("#experts .gs-actual .gs-tok").all_inner_texts()
    page.locator("#weight input[type='range']").fill("0")
    page.wait_for_function(
        "() => document.querySelector('#experts .gs-summary').textContent.includes('weight of RU is 0.00')"
    )
    open_tab(page, "layers")
    page.locator("#layers .gs-layer").fill("6")
    assert "6 of 6" in page.locator("#layers .gs-slider output").inner_text()
    page.wait_for_function("() => document.querySelector('.gs-near-at output').textContent === '6'")
    page.context.close()


READ = [
    ".gs-lead", ".gs-summary", ".gs-hint", ".gs-title p", ".gs-foot p", ".gs-facts dt", ".gs-number", ".gs-note",
    ".gs-picks label", ".gs-picks select", ".gs-ribbon td", ".gs-parts td", ".gs-chip .gs-tok", ".gs-chip .gs-mark",
    ".gs-candidate .gs-tok", ".gs-candidate .gs-number", ".gs-near li", ".gs-save summary", ".gs-plot figcaption",
    ".gs-option", "#tabs [role='tab']", ".gs-lens td", ".gs-said", ".gs-points", ".gs-legend", ".gs-near-pick button",
]  # fmt: skip
"""Where visitors read."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_sideways_scroll_and_readable_text(browser: Browser, bundled: str, size: str, scheme: str) -> None:
    page = open_page(browser, bundled, size, scheme)
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
    contrast = page.evaluate(CONTRAST, [*READ, *inks])
    assert min(contrast.values()) >= 4.5, contrast
    page.context.close()


@pytest.mark.parametrize("prompt", ["Мама любит", "My sister likes the", "爸爸喜欢"])
def test_writing_streams_chips_and_fills_the_panels(browser: Browser, address: str, prompt: str) -> None:
    page = open_page(browser, address)
    write_on(page, prompt)
    texts = page.locator(".gs-chip .gs-tok").all_inner_texts()
    assert "".join(texts).replace("␣", " ").strip().startswith(prompt)
    assert page.locator(".gs-experts .gs-candidate").count() == 24
    open_tab(page, "layers")
    assert page.locator("#lens tbody tr").count() == 2 * (len(texts) + 1)
    page.context.close()


def test_a_click_on_a_chip_selects_the_token_in_every_panel(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "layers")
    open_tab(page, "read")
    chip = page.locator(".gs-chip").nth(4)
    text = chip.locator(".gs-tok").inner_text()
    chip.click()
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=text)
    assert page.locator(".gs-chip[aria-pressed='true']").get_attribute("data-index") == "5"
    assert page.locator("tr[aria-selected='true']").first.get_attribute("data-index") == "5"
    assert page.locator(".gs-point.gs-selected").first.get_attribute("data-index") == "5"
    page.locator(".gs-peak").nth(1).click()
    second = page.locator(".gs-chip").nth(1).locator(".gs-tok").inner_text()
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=second)
    page.context.close()


def test_a_cell_of_the_lens_lists_its_candidates_and_one_can_be_followed(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "layers")
    page.locator("#lens .gs-second tr[data-index='4'] td").nth(1).click()
    page.wait_for_function("() => document.querySelector('#depth h3').textContent.includes('ZH, layer 1')")
    option = page.locator("#depth .gs-option").nth(3)
    followed = option.locator(".gs-tok").inner_text()
    option.click()
    page.wait_for_function(
        "(text) => document.querySelector('.gs-chart figcaption').textContent.includes(text)", arg=f"“{followed}”"
    )
    assert "ZH, layer 1" in page.locator("#depth h3").first.inner_text()
    page.context.close()


@pytest.mark.parametrize("fusion", ["Mean of probabilities", "Weighted by each expert's likelihood of the text so far"])
def test_fusion_can_be_switched(browser: Browser, address: str, fusion: str) -> None:
    page = open_page(browser, address)
    page.locator("#fusion input").click()
    page.get_by_role("option", name=fusion, exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-margin h3').textContent.includes('probability')")
    page.context.close()


def test_strip_can_show_another_measure(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    page.locator("#measure input").click()
    page.get_by_role("option", name="Overlap of the top 10 (share)", exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-chip').title.includes('Overlap of the top 10')")
    page.context.close()


def test_each_expert_alone_continues_from_the_selected_token(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    page.locator(".gs-chip").nth(1).click()
    chosen = page.locator(".gs-chip .gs-tok").nth(1).inner_text()
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=chosen)
    page.locator("#alone").click()
    page.wait_for_selector("[data-alone='done']", timeout=60_000)
    beginnings = page.locator(".gs-writes span").all_inner_texts()
    read = "".join(page.locator(".gs-chip .gs-tok").all_inner_texts()[:2]).replace("␣", " ")
    assert [text.strip() for text in beginnings] == [read.strip()] * 3
    assert page.locator(".gs-alone h3").all_inner_texts() == ["RU", "Fused", "ZH"]
    page.context.close()


def test_the_laboratory_compares_pictures(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "break")
    page.get_by_role("button", name="己 · 已", exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-lab .gs-summary')?.textContent.includes('己')")
    assert re.search(r"differ in \d+ of 1,024 pixels", page.locator(".gs-lab .gs-summary").inner_text())
    page.context.close()


def test_components_slider_redraws_the_decoded_picture(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    page.locator("#components input[type='range']").fill("2")
    page.wait_for_function("() => document.querySelector('.gs-glyphs .gs-summary').textContent.includes('from 2 of')")
    assert page.locator(".gs-lost, .gs-added").count() > 5
    page.context.close()


def test_chips_answer_to_the_keyboard(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    page.locator(".gs-chip").nth(2).focus()
    page.keyboard.press("Enter")
    text = page.locator(".gs-chip").nth(2).locator(".gs-tok").inner_text()
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=text)
    page.context.close()


def test_layer_slider_moves_points_in_the_browser(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "layers")
    page.wait_for_timeout(1_500)  # until the word list is told
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    point = page.locator(".gs-point").nth(3)
    before = point.get_attribute("style")
    page.locator("#layers .gs-layer").fill("2")
    assert point.get_attribute("style") != before
    assert "2" in page.locator("#layers .gs-slider output").inner_text()
    assert "Layer 2" in page.locator("#layers figcaption").first.inner_text()
    assert not [url for url in calls if "queue" in url or "run" in url]
    page.context.close()


def test_points_can_be_dots_and_leave_a_trail(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "layers")
    picture = page.locator(".gs-point image").first
    assert picture.is_visible()
    page.locator(".gs-toggle").click()
    assert not picture.is_visible() and page.locator(".gs-point circle").first.is_visible()
    page.locator(".gs-plot").first.locator(".gs-point").last.hover()  # drawn last, so nothing covers it
    assert page.locator(".gs-trail").first.get_attribute("d")
    page.context.close()


def test_a_panel_fills_the_screen_and_goes_back(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "layers")
    page.locator("#layers .gs-full").click()
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('gs-layers')")
    page.locator("#layers .gs-full").click()
    page.wait_for_function("() => document.fullscreenElement === null")
    page.context.close()


def test_lens_cells_answer_to_the_keyboard(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    open_tab(page, "layers")
    page.locator(".gs-chip").nth(2).click()
    page.wait_for_function("() => document.querySelector('#lens tr[aria-selected=true]').dataset.index === '3'")
    page.locator("#lens .gs-first tr[data-index='3'] td").nth(2).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#depth h3').textContent.includes('RU, layer 1')")
    row = page.locator("#lens tr[aria-selected='true']").first
    assert row.get_attribute("data-index") == "2" and row.locator("td[tabindex='0']").count() == 3
    page.context.close()


def test_weight_slider_rescores_to_one_expert_alone(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
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
    page.context.close()


def test_stop_keeps_the_text_and_its_panels(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    page.locator("#prompt textarea").fill("Мама")
    page.locator("#generate").click()
    page.locator("#stop").click()
    page.wait_for_function("() => document.querySelector('.gs-strip').dataset.state === 'done'")
    assert page.locator(".gs-chip").first.is_visible() and page.locator(".gs-experts").is_visible()
    page.context.close()


BAD = ["", "   ", "x" * 100_000, "😀"]


@pytest.mark.parametrize("prompt", BAD, ids=["empty", "blank", "novel", "emoji"])
def test_bad_prompts_get_a_sentence_and_keep_the_old_text(browser: Browser, address: str, prompt: str) -> None:
    page = open_page(browser, address)
    before = page.locator(".gs-chip").count()
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#generate").click()
    page.wait_for_selector(".gs-status.gs-failed")
    assert re.search(r"\.$", page.locator(".gs-status").inner_text())
    assert page.locator(".gs-chip").count() == before
    page.context.close()


HOSTILE = ["${1+1} {{x}} `b` \\n", "<img src=x onerror=window.hacked=1>", "<script>window.hacked=1</script>"]


@pytest.mark.parametrize("prompt", HOSTILE)
def test_hostile_text_is_shown_literally_and_nothing_runs(browser: Browser, address: str, prompt: str) -> None:
    page = open_page(browser, address)
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#look").click()
    page.wait_for_function("() => document.querySelector('.gs-status')?.textContent.match(/read/)")
    shown = "".join(page.locator(".gs-chip .gs-tok").all_inner_texts()).replace("␣", " ")
    assert shown.strip() == prompt
    assert page.evaluate("window.hacked") is None
    assert page.locator(".gs-root script, .gs-root img[src='x']").count() == 0
    page.context.close()


@pytest.mark.parametrize(
    ("locale", "button"), [("ru-RU", "Продолжить"), ("zh-CN", "续写"), ("en-GB", "Continue"), ("de", "Continue")]
)
def test_the_page_speaks_the_visitors_language(browser: Browser, address: str, locale: str, button: str) -> None:
    page = open_page(browser, address, locale=locale)
    assert page.locator("#generate").inner_text() == button
    page.context.close()


def test_the_language_can_be_switched(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    page.get_by_label("Русский", exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-glyphs h2').textContent.startsWith('Глифы')")
    assert page.locator("#generate").inner_text() == "Продолжить"
    page.context.close()


@pytest.mark.parametrize(("language", "sentence"), [("en", "Each chip is a token"), ("zh", "每个方块是一个词元")])
def test_the_opening_text_is_there_before_any_script_and_goes_when_the_page_has_come(
    browser: Browser, bundled: str, language: str, sentence: str
) -> None:
    still = browser.new_context(java_script_enabled=False).new_page()
    still.goto(f"{bundled}?lang={language}")
    first = still.locator("#gs-first")
    assert sentence in first.inner_text() and first.locator(".gs-chip:disabled").count() > 5
    texts = first.locator(".gs-chip").all_inner_texts()
    page = open_page(browser, f"{bundled}?lang={language}")
    assert page.locator("#gs-first").count() == 0
    assert page.locator("#strip .gs-chip").all_inner_texts() == texts
