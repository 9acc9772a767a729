"""Links in a real browser: what is copied opens the page as it was, and anything else is a sentence."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import (
    SIZES,
    choose,
    copied_link,
    needs_browser,
    open_fold,
    open_page,
    open_tab,
    read_text,
    until_opened,
    until_quiet,
    wait_written,
    word_map,
)

pytestmark = needs_browser


SAMPLING = ("0.6", "20", "0.9", "12")
"""Temperature, top k, top p and new tokens, none as it is by itself."""


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Iterator[Page]:
    page = open_page(browser, bundled)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """Somebody else's page, which follows links."""
    width, height = SIZES["desktop"]
    page = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-US", reduced_motion="reduce"
    ).new_page()
    yield page
    page.context.close()


def followed(reader: Page, link: str) -> Page:
    reader.goto(link)
    until_opened(reader)
    return reader


def chips(page: Page) -> list[str]:
    return page.locator(".gs-strip .gs-chip .gs-tok").all_inner_texts()


def drop_down(page: Page, name: str) -> str:
    return page.locator(f"#{name} input").input_value()


def pick(page: Page, name: str, place: int) -> str:
    """Choose from one of Gradio's lists; what is chosen then."""
    page.locator(f"#{name} input").click()
    page.locator("ul[role='listbox'] li").nth(place).click()
    return drop_down(page, name)


def choose_cell(page: Page, index: int, layer: int) -> None:
    """Click a cell of the second expert's lens until the panel below speaks of it, which is when a link knows it, too:
    what is still being drawn, in another language say, takes the choice back."""
    cell = page.locator(f"#lens [data-expert='1'] tr[data-index='{index}'] td[data-layer='{layer}']").first
    for patience in (10_000, 30_000):
        cell.click()
        try:
            expect(page.locator("#depth h3").first).to_contain_text(re.compile(rf"ZH.* {layer}\b"), timeout=patience)
        except AssertionError:
            continue
        until_quiet(page)
        return
    raise AssertionError(f"the panels never spoke of layer {layer}")


def assert_same_panel(other: Page, page: Page, selector: str) -> None:
    """Both pages show one panel with the same words, once both have their last answer (Gradio's own sign of waiting
    lies beside the panel, not in it)."""
    until_quiet(page)
    expect(other.locator(selector)).to_have_text(page.locator(selector).text_content() or "")
    assert other.locator(selector).inner_text() == page.locator(selector).inner_text()


def test_a_written_text_opens_the_same_with_its_settings_token_and_measure(reader: Page, page: Page) -> None:
    page.locator("#prompt textarea").fill("Tom wants")
    open_fold(page, "sampling")
    page.get_by_label("Seed: same seed, same text").fill("9")
    for slider, value in zip(page.locator("#sampling input[type='range']").all(), SAMPLING, strict=True):
        slider.fill(value)
    page.locator("#weight input[type='range']").fill("0.8")
    page.locator("#generate").click()
    wait_written(page)
    page.locator("#weight input[type='range']").fill("0.3")  # written with one weight, looked at with another
    texts = chips(page)
    choose(page, page.locator(".gs-strip .gs-chip").nth(2), texts[2])
    measure, fusion = pick(page, "measure", 1), pick(page, "fusion", 1)
    expect(page.locator(".gs-headline .gs-tok").first).to_have_text(texts[2])
    other = followed(reader, copied_link(page))
    wait_written(other)
    expect(other.locator(".gs-headline .gs-tok").first).to_have_text(texts[2])
    open_fold(other, "sampling")
    expect(other.get_by_label("Seed: same seed, same text")).to_have_value("9")
    assert [s.input_value() for s in other.locator("#sampling input[type='range']").all()] == list(SAMPLING)
    assert chips(other) == texts and other.locator("#prompt textarea").input_value() == "Tom wants"
    expect(other.locator(".gs-strip .gs-chip").nth(2)).to_have_attribute("aria-pressed", "true")
    assert (drop_down(other, "measure"), drop_down(other, "fusion")) == (measure, fusion)
    assert other.locator("#weight input[type='range']").input_value() == "0.3"
    assert_same_panel(other, page, "#experts .gs-panel")


def test_a_read_text_opens_in_its_tab_language_layer_and_cell(reader: Page, page: Page) -> None:
    read_text(page, "The cat and the dog")
    page.get_by_label("Русский", exact=True).click()
    expect(page.locator("#tab-layers-button")).to_have_text("Слои")
    open_tab(page, "layers")
    choose_cell(page, 4, 3)
    page.locator("#layers .gs-layer").fill("5")
    other = followed(reader, copied_link(page))
    expect(other.locator("#tab-layers-button")).to_have_attribute("aria-selected", "true")
    expect(other.locator("#tab-layers-button")).to_have_text("Слои")
    other.wait_for_function("() => document.querySelectorAll('.gs-strip .gs-chip').length === 5")
    assert_same_panel(other, page, "#depth .gs-panel")
    expect(other.locator("#layers .gs-layer")).to_have_value("5")
    page.get_by_label("English", exact=True).click()


def test_own_words_open_on_the_same_kind_of_map_and_a_set_of_curves_in_its_tab(reader: Page, page: Page) -> None:
    word_map(page)
    open_fold(page, "own-words")
    page.locator("#own-words textarea").fill("pets: cat dog bird fish\nкрасный синий белый чёрный")
    page.locator("#own-show").click()
    page.wait_for_function("() => document.querySelectorAll('#words [data-pick=word] option').length === 9")
    page.locator("#words [data-state='drawn']").wait_for()
    page.locator("#words [data-pick='mode']").select_option("dots")
    page.locator("#words [data-pick='colour']").select_option("language")
    page.locator("#words .gs-layer").fill("6")
    open_tab(page, "proof")
    chosen = pick(page, "proof-set", 4)
    other = followed(reader, copied_link(page))  # one link says both
    expect(other.locator("#tab-proof-button")).to_have_attribute("aria-selected", "true")
    expect(other.locator("#proof-set input")).to_have_value(chosen)
    open_tab(other, "words")
    other.wait_for_function("() => document.querySelectorAll('#words [data-pick=word] option').length === 9")
    other.locator("#words").scroll_into_view_if_needed()
    expect(other.locator("#words [data-pick='mode']")).to_have_value("dots")
    expect(other.locator("#words [data-pick='colour']")).to_have_value("language")
    expect(other.locator("#words .gs-layer")).to_have_value("6")


def test_a_translation_opens_with_a_shipped_set_of_words_its_kind_of_map_and_a_word(reader: Page, page: Page) -> None:
    page.locator("#prompt textarea").fill("I love my mother.")
    open_fold(page, "translation")
    page.locator("#target").get_by_label("中文", exact=True).check()
    page.evaluate("document.querySelector('.gs-strip').dataset.old = ''")  # the translation brings another one
    page.locator("#translate").click()
    wait_written(page)
    word_map(page)
    chosen = pick(page, "word-set", 6)  # few words, whose places in a UMAP are shipped
    until_quiet(page)
    page.locator("#umap").click()
    expect(page.locator("#words [data-pick='layout'] option")).to_have_count(2, timeout=60_000)
    page.locator("#words [data-pick='layout']").select_option("umap")
    page.locator("#words [data-pick='word']").select_option("3")
    other = followed(reader, copied_link(page))
    expect(other.locator("#words [data-pick='layout']")).to_have_value("umap", timeout=60_000)
    expect(other.locator("#words [data-pick='word']")).to_have_value("3")
    expect(other.locator("#word-set input")).to_have_value(chosen)
    wait_written(other)
    assert chips(other) == chips(page)
    open_fold(other, "translation")
    expect(other.locator("#target").get_by_label("中文", exact=True)).to_be_checked()


def test_the_box_has_a_code_and_a_frame_that_shows_the_tab_alone(browser: Browser, page: Page, bundled: str) -> None:
    open_tab(page, "read")
    address = copied_link(page)
    expect(page.locator("#link-shown svg.gs-qr")).to_be_visible()
    assert f"{address}&embed=1" in page.locator(".gs-snippet").input_value().replace("&amp;", "&")
    framed = browser.new_page()
    framed.route("**/assets/**.js", lambda route: None)  # Gradio's scripts, which put the page in place of this view
    framed.goto(f"{address}&embed=1", wait_until="commit")
    framed.wait_for_selector("#gs-first .gs-strip")
    assert not framed.locator("h1").first.is_visible(), "hidden from the first paint on"
    framed.unroute("**/assets/**.js")
    framed.goto(f"{address}&embed=1")
    framed.wait_for_selector("#glyphs .gs-panel")
    for hidden in ("#prompt", "#hero", "#generate", "#tabs > .tab-wrapper", ".gs-foot", "h1"):
        expect(framed.locator(hidden).first).to_be_hidden()
    assert "embed" not in (framed.locator(".gs-embed-open").get_attribute("href") or "embed")
    framed.goto(f"{bundled}?embed=1&tab=words")  # without a link's state
    framed.wait_for_selector("#words [data-state='drawn']")
    tops = "(all) => all.filter((b) => b.checkVisibility() && b.clientHeight).map((b) => b.id).filter(Boolean)"
    shown = framed.locator(".gradio-container .block").evaluate_all(tops)
    assert shown == ["words", "word-set", "own-words"], "the panel of this tab with its controls, and nothing else"
    framed.context.close()


def test_a_link_of_the_older_form_runs_nothing_and_a_broken_one_is_told(reader: Page, bundled: str) -> None:
    page = followed(reader, f"{bundled}?text=%3Cimg%20src%3Dx%20onerror%3D%22window.hurt%3D1%22%3E&seed=1&new_tokens=3")
    wait_written(page)
    assert page.locator("#prompt textarea").input_value().startswith("<img") and not page.evaluate("window.hurt")
    for query, told in (("text=Tom&temperature=NaN", "0"), ("s=broken&lang=ru", "Эту ссылку не удалось прочитать")):
        page.goto(f"{bundled}?{query}")
        expect(page.locator(".gs-status.gs-failed")).to_contain_text(told, timeout=60_000)
        expect(page.locator(".gs-chip").nth(4)).to_be_visible()
