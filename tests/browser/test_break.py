"""The tab "Try to break it" in a real browser, over the bundled model: a story of each, and own input."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import needs_browser, open_page

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Any:
    page, errors = open_page(browser, bundled), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_role("tab", name="Try to break it").click()
    page.wait_for_selector("#patching .gs-map", timeout=60_000)
    page.wait_for_selector("#drawing .gs-drawn", timeout=60_000)
    yield page
    assert errors == []
    page.context.close()


def test_a_state_is_moved(page: Any) -> None:
    assert page.locator("#patch-first input, #patch-first textarea").input_value() == "I drink a lot of"
    cell = page.locator("#patching .gs-map").nth(0).locator("tbody tr").last.locator("td").nth(3)
    cell.click()
    page.wait_for_function(
        "() => document.querySelector('#patch-cell h3')?.textContent.match(/^RU: .*after layer 3 moved: effect/)"
    )
    shown = re.findall(r"effect (-?[\d.]+)", page.locator("#patch-cell h3").first.inner_text())
    assert shown == [cell.inner_text()]
    assert page.locator("#patch-cell .gs-column").count() == 3
    cell.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#patch-cell h3').textContent.includes('after layer 4 moved')")


def test_ones_own_texts_are_moved_or_refused_with_a_reason(page: Any) -> None:
    second = page.locator("#patch-second input, #patch-second textarea")
    second.fill("I read a lot of old")
    page.locator("#patch-move").click()
    page.wait_for_selector("#patch-status .gs-failed")
    assert "moved only between texts with equally many" in page.locator("#patch-status").inner_text()
    second.fill("I write a lot of")
    page.locator("#patch-move").click()
    page.wait_for_function("() => document.querySelector('#patching .gs-both-texts')?.textContent.includes('write')")
    assert page.locator("#patch-status .gs-failed").count() == 0


def summary(page: Any) -> str:
    text: str = page.locator("#drawing .gs-summary").inner_text()
    return text


def flipped(page: Any) -> int:
    found = re.match(r"(\d+) of 1,024", summary(page))
    return int(found.group(1)) if found else 0


def until_flipped(page: Any, pattern: str) -> None:
    page.wait_for_function(
        "(p) => new RegExp(p).test(document.querySelector('#drawing .gs-summary')?.textContent ?? '')", arg=pattern
    )


def test_a_picture_is_morphed_drawn_and_undone(page: Any) -> None:
    page.locator("#editor").scroll_into_view_if_needed()
    assert "“喝”" in summary(page) and flipped(page) > 0
    slider, grid = page.locator("#editor .gs-morph"), page.locator("#editor .gs-grid")
    slider.fill("0")
    until_flipped(page, "as it is")
    slider.fill("1")
    until_flipped(page, "nearest picture is “开”")
    page.locator("#editor [data-tool=reset]").click()
    until_flipped(page, "as it is")
    frame = grid.bounding_box()
    page.mouse.move(frame["x"] + 4, frame["y"] + 4)
    page.mouse.down()
    page.mouse.move(frame["x"] + 4 + frame["width"] / 32 * 3, frame["y"] + 4, steps=12)
    page.mouse.up()
    until_flipped(page, "^4 of")
    page.locator("#editor [data-tool=undo]").click()
    until_flipped(page, "as it is")


def test_a_picture_is_drawn_by_keyboard(page: Any) -> None:
    page.locator("#editor [data-tool=reset]").click()
    page.locator("#editor .gs-grid").focus()
    for key in ("ArrowDown", "Space", "ArrowRight", "Space"):
        page.keyboard.press(key)
    until_flipped(page, "^2 of")
    assert re.match(r"Row \d+, column \d+: (ink|paper)", page.locator("#editor .gs-at").inner_text())


def test_any_character_is_drawn_in_any_token(page: Any) -> None:
    page.locator("#draw-text input, #draw-text textarea").fill("I drink")
    page.locator("#draw-use").click()
    page.wait_for_function("() => document.querySelector('#drawing .gs-summary').textContent.includes('drink')")
    page.locator("#editor [data-ask=type] input").fill("ö")
    page.locator("#editor [data-ask=type] button").click()
    until_flipped(page, "of 1,024")
    before = flipped(page)
    page.locator("#editor [data-shift=left]").click()
    page.wait_for_function(
        "(n) => !document.querySelector('#drawing .gs-summary').textContent.startsWith(n)", arg=f"{before} of"
    )
    page.locator("#editor [data-ask=target] input").fill("")
    page.locator("#editor [data-ask=target] button").click()
    page.wait_for_selector("#draw-status .gs-failed")


def test_a_margin_is_split_into_parts(page: Any) -> None:
    page.locator("#attribute-text input, #attribute-text textarea").fill("他喝了一")
    page.locator("#attribute-split").click()
    page.wait_for_function("() => document.querySelector('#attribution .gs-attributed')?.textContent.includes('喝')")
    rows = page.locator("#attribution tbody tr")
    totals = page.locator("#attribution tfoot td").all_inner_texts()
    for column, total in enumerate(totals):
        parts = [float(row.locator("td").nth(column).inner_text()) for row in rows.all()]
        assert abs(sum(parts) - float(total)) < 0.01
    rows.last.locator("summary").click()
    assert rows.last.locator("dd").first.is_visible()
