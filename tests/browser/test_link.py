"""Links in a real browser: what is copied opens the page as it was, and anything else is a sentence."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import (
    SIZES,
    choose,
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


def copied_link(page: Page) -> str:
    """The address that the button gives."""
    old = page.locator("#link-shown .gs-link").all_inner_texts()
    page.locator("#link").click()
    page.wait_for_function(
        "(old) => { const now = document.querySelector('#link-shown .gs-link')?.textContent; "
        "return now && now !== old; }",
        arg=old[0] if old else "",
    )
    address = page.locator("#link-shown .gs-link").get_attribute("href")
    assert address is not None and len(address) < 1_500
    return address


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


def test_instruments_open_with_the_same_figures(browser: Browser, page: Page) -> None:
    """The second story in its other direction with another cell, and a picture drawn on; both folds open."""
    open_tab(page, "break")
    page.locator("#patching .gs-map td[data-layer]").first.wait_for(timeout=60_000)
    page.locator("#fold-patching .gs-examples button").nth(1).click()
    page.wait_for_function(
        "() => !document.querySelector('#patch-first input, #patch-first textarea').value.match(/^I /)"
    )
    before = page.locator("#patching .gs-both-texts").inner_text()
    page.locator("#patch-direction input").nth(1).check()
    expect(page.locator("#patching .gs-both-texts")).not_to_have_text(before, use_inner_text=True)
    page.locator("#patching .gs-map").last.locator("tbody tr").last.locator("td[data-layer='2']").click()
    expect(page.locator("#patch-cell h3").first).to_contain_text("after layer 2 moved")
    open_fold(page, "fold-drawing")
    page.locator("#drawing .gs-drawn").first.wait_for(timeout=60_000)
    page.locator("#editor [data-tool=reset]").click()
    page.locator("#editor .gs-grid").press("Space")
    expect(page.locator("#drawing .gs-summary")).to_contain_text("1 of 1,024 pixels")
    other = open_page(browser, copied_link(page))
    other.locator("#drawing .gs-drawn").first.wait_for(timeout=60_000)
    for panel in ("#patching .gs-panel", "#patch-cell", "#drawing .gs-panel"):
        assert_same_panel(other, page, panel)
    shown = """() => [...document.querySelectorAll('.gs-fold > button.open')].map((b) => b.parentElement.id).concat(
        [...document.querySelectorAll('#fold-patching input, #fold-patching textarea')].map((i) => i.value + i.checked),
        JSON.stringify(document.querySelector("#patching td[aria-pressed='true']").dataset),
        document.querySelector('#editor .gs-editor').dataset.now)"""
    assert other.evaluate(shown) == page.evaluate(shown)
    other.context.close()


def test_the_box_has_a_code_and_a_frame_that_shows_the_tab_alone(browser: Browser, page: Page, bundled: str) -> None:
    open_tab(page, "read")
    address = copied_link(page)
    expect(page.locator("#link-shown svg.gs-qr")).to_be_visible()
    assert f"{address}&embed=1" in page.locator(".gs-snippet").input_value().replace("&amp;", "&")
    framed = browser.new_page()
    framed.goto(f"{address}&embed=1", wait_until="commit")
    framed.wait_for_selector("#gs-first .gs-strip")
    assert not framed.locator("h1").first.is_visible(), "hidden from the first paint on"
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
