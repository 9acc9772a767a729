"""The tab "Try to break it" in a real browser, over the bundled model: a story of each, and own input."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.support.browsing import SIZES, needs_browser, open_fold, open_page, open_tab, until_quiet

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(browser: Browser, bundled: str) -> Any:
    page, errors = open_page(browser, bundled), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_role("tab", name="Try to break it").click()
    page.wait_for_selector("#patching .gs-map", timeout=60_000)
    for fold in page.locator(".gs-fold > button:not(.open)").all()[::-1]:
        fold.click()
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


def test_answers_are_chosen_by_mouse_and_by_keyboard(page: Any) -> None:
    """Of both instruments that compare two tokens; the keyboard keeps its place, and lists follow."""
    for panel, field in (("#patching", "#patch"), ("#attribution", "#attribute")):
        first, second = (page.locator(f"{panel} .gs-answer-row").nth(row) for row in (0, 1))
        assert first.locator("[aria-pressed=true]").count() == second.locator("[aria-pressed=true]").count() == 1
        chosen = first.locator("[aria-pressed=false]").nth(2)
        token = chosen.locator(".gs-tok").inner_text()
        chosen.click()
        shown = "([field, token]) => document.querySelector(field + ' input').value === token"
        page.wait_for_function(shown, arg=[f"{field}-answer", token])
        expect(first.locator("[aria-pressed=true] .gs-tok")).to_have_text(token)
        chosen = second.locator("[aria-pressed=false]").nth(1)
        token = chosen.locator(".gs-tok").inner_text()
        chosen.focus()
        page.keyboard.press("Enter")
        page.wait_for_function(shown, arg=[f"{field}-rival", token])
        kept = f"{panel} [data-answer='1'][aria-pressed=true]"
        page.wait_for_function("(kept) => document.activeElement.matches(kept)", arg=kept)
        expect(page.locator(f"{panel} .gs-summary")).to_contain_text(token)


def test_ones_own_texts_are_moved_or_refused_with_a_reason(page: Any) -> None:
    second = page.locator("#patch-second input, #patch-second textarea")
    second.fill("I read a lot of old")
    page.locator("#patch-move").click()
    page.wait_for_selector("#patch-status .gs-failed")
    assert "moved only between texts with the same number of tokens" in page.locator("#patch-status").inner_text()
    second.fill("I write a lot of")  # as pasting does, of which Gradio tells nothing
    page.locator("#patch-move").click()
    page.wait_for_function("() => document.querySelector('#patching .gs-both-texts')?.textContent.includes('write')")
    typed = page.locator("#patch-answer input")
    typed.fill(" tea")
    typed.press("Enter")
    page.wait_for_function("() => document.querySelector('#patching .gs-map p')?.textContent.startsWith('“␣tea” over')")
    expect(page.locator("#patch-status .gs-failed")).to_have_count(0)


def summary(page: Any) -> str:
    text: str = page.locator("#drawing .gs-summary").inner_text()
    return text


def flipped(page: Any) -> int:
    found = re.match(r"([\d,]+) of 1,024", summary(page))
    return int(found.group(1).replace(",", "")) if found else 0


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


def test_tools_do_what_they_say_and_are_undone(page: Any) -> None:
    """How many pixels each changes, against the picture moved, inked and turned over in NumPy."""
    tool = "#editor [data-tool={}]".format
    page.locator(tool("reset")).click()
    until_flipped(page, "as it is")
    bits = page.locator("#editor .gs-editor").get_attribute("data-own")
    own = np.array([int(bit) for bit in bits]).reshape(32, 32)
    framed = np.pad(own, 1)
    up = framed[2:, 1:-1]
    thick = own | framed[:-2, 1:-1] | up | framed[1:-1, :-2] | framed[1:-1, 2:]
    for press, picture in ((tool("invert"), 1 - own), (tool("thicken"), thick), ("#editor [data-shift=up]", up)):
        page.locator(press).click()
        until_flipped(page, f"^{int((picture != own).sum()):,} of")
        page.locator(tool("undo")).click()
        until_flipped(page, "as it is")
    page.locator("#editor .gs-noise").fill("64")
    until_flipped(page, "^64 of")
    page.locator(tool("reset")).click()
    until_flipped(page, "as it is")


def test_a_picture_is_drawn_by_finger(browser: Browser, bundled: str) -> None:
    """On a telephone: a quick finger leaves no gaps, a second one draws nothing, and the page stays where it is."""
    width, height = SIZES["phone"]
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(bundled)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    open_tab(page, "break")
    open_fold(page, "fold-drawing")
    page.wait_for_selector("#drawing .gs-drawn", timeout=60_000)
    until_quiet(page)  # nothing moves the grid any more
    page.locator("#editor [data-tool=reset]").tap()
    until_flipped(page, "as it is")
    grid, protocol = page.locator("#editor .gs-grid"), context.new_cdp_session(page)
    grid.scroll_into_view_if_needed()
    frame, before = grid.bounding_box(), page.evaluate("scrollY")
    assert frame is not None

    def touch(kind: str, *cells: tuple[float, float]) -> None:
        at = [
            (frame["x"] + (x + 0.5) * frame["width"] / 32, frame["y"] + (y + 0.5) * frame["width"] / 32)
            for x, y in cells
        ]
        points = [{"x": x, "y": y} for x, y in at]
        protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0, 0))
    touch("touchMove", (0, 15))
    touch("touchMove", (0, 30))
    touch("touchStart", (0, 30), (9, 9))
    touch("touchMove", (0, 31), (12, 9))
    touch("touchEnd")
    until_flipped(page, "^32 of")
    assert page.evaluate("[scrollY, visualViewport.scale]") == [before, 1]
    touch("touchStart", (3, -2))
    for step in range(1, 9):
        touch("touchMove", (3, -2 - 2 * step))
    touch("touchEnd")
    page.wait_for_function("(y) => scrollY > y", arg=before)  # beside the grid the finger moves the page
    assert flipped(page) == 32
    context.close()


def test_a_drawing_stays_in_another_language(page: Any) -> None:
    """With its sliders and what can be undone."""
    page.locator("#editor [data-tool=reset]").click()
    page.locator("#editor .gs-noise").fill("32")
    until_flipped(page, "^32 of")
    page.locator("#editor .gs-grid").focus()
    page.keyboard.press("Space")
    until_flipped(page, "^3[13] of")
    drawn = page.locator("#editor .gs-editor").get_attribute("data-now")
    page.get_by_label("Русский", exact=True).check()
    until_flipped(page, "^Измен[а-яё]+ 3[13] из 1024")
    assert page.locator("#editor .gs-editor").get_attribute("data-now") == drawn
    assert page.locator("#editor .gs-noise").input_value() == "32"
    page.get_by_label("English", exact=True).check()
    until_flipped(page, "^3[13] of")
    page.locator("#editor [data-tool=undo]").click()
    until_flipped(page, "^32 of")
    page.locator("#editor [data-tool=reset]").click()
    until_flipped(page, "as it is")


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


def test_fewest_pixels_a_shared_slider_and_a_word_of_another_language(page: Any) -> None:
    """The instruments that take no typing: each shows something finished, and a press changes it."""
    page.locator("#draw-fewest").click()
    page.wait_for_selector("#flips .gs-flips", timeout=30_000)
    said = page.locator("#flips .gs-summary").inner_text()
    count = int(re.match(r"(\d+) of 1,024|Not changed: after (\d+)", said).group(1))  # type: ignore[union-attr]
    until_flipped(page, f"^{count} of")
    marks = page.locator("#flips figure").nth(1).locator(".gs-lost, .gs-added").count()
    assert marks == page.locator("#flips figure").nth(2).locator(".gs-lost, .gs-added").count() == count
    page.locator("#editor [data-tool=undo]").click()
    page.wait_for_function(
        "(n) => !document.querySelector('#drawing .gs-summary').textContent.startsWith(n)", arg=f"{count} of"
    )
    slider = page.locator("#comparison .gs-layer")
    bars = '() => document.querySelectorAll(\'#comparison .gs-apart:not([style*=": 0;"]):not([style*=":0"])\').length'
    slider.fill("0")
    before = page.evaluate(bars)
    slider.fill("5")
    assert page.evaluate(bars) > before and page.locator("#comparison th.gs-here").first.inner_text() == "5"
    page.wait_for_selector("#exchange .gs-gains", timeout=60_000)
    page.locator("#exchange-unrelated input, #exchange-unrelated textarea").fill("дом")
    page.locator("#exchange-move").click()
    page.wait_for_function("() => document.querySelector('#exchange .gs-effects')?.textContent.includes('дом')")
    until_quiet(page)
    page.locator("#exchange-word input, #exchange-word textarea").fill("catfish")
    page.locator("#exchange-move").click()
    page.wait_for_selector("#exchange-status .gs-failed")
    story = page.locator("#findings [data-pin='0']")
    story.click()
    page.wait_for_function(
        "(t) => document.querySelector('#patching .gs-both-texts')?.textContent.includes(t)", arg="Маша"
    )


def silenced_parts(page: Any) -> list[str]:
    names: list[str] = page.locator("#silencing .gs-silenced [data-kind]").all_inner_texts()
    return names


def test_a_head_is_looked_at_and_parts_are_silenced(page: Any) -> None:
    page.wait_for_selector("#silencing .gs-columns", timeout=60_000)
    arcs = page.locator("#attention .gs-arcs")
    arcs.scroll_into_view_if_needed()
    first = page.locator("#attention .gs-first-heads tbody button").first.inner_text()
    assert silenced_parts(page) == [f"{first} ×"] and arcs.locator("path").count() >= 1
    assert "As many parts at random" in page.locator("#silencing .gs-summary").inner_text()
    page.locator("#attention-text input, #attention-text textarea").fill("There are many books in the")
    page.locator("#attention-show").click()
    page.wait_for_function("() => document.querySelectorAll('#attention .gs-arc-row button').length === 8")
    chip = arcs.locator("button").nth(3)
    chip.hover()  # its arcs are seen without a press
    assert arcs.locator("button i").nth(4).inner_text() == ""
    shares = [int(share.rstrip("%")) for share in arcs.locator("button i").all_inner_texts() if share]
    assert 95 <= sum(shares) <= 102
    head = page.locator("#attention .gs-head-grid").nth(1).locator("tbody tr").nth(1).locator("button").nth(2)
    head.click()
    page.wait_for_function("() => document.querySelector('#attention h3').textContent.startsWith('ZH head 2.2')")
    assert silenced_parts(page) == ["ZH head 2.2 ×"]  # what is on view is silenced until something is chosen
    page.locator("#silencing .gs-palette").first.get_by_role("button", name="RU block 1", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('#silencing .gs-silenced [data-kind]').length === 2")
    assert silenced_parts(page) == ["ZH head 2.2 ×", "RU block 1 ×"]
    page.locator("#silencing [data-clear]").click()
    page.wait_for_function("() => document.querySelectorAll('#silencing .gs-silenced [data-kind]').length === 1")
    page.locator("#attention-pair").click()
    page.wait_for_function(
        "() => document.querySelector('#attention .gs-first-heads')?.textContent.includes('patched')"
    )


def test_the_laboratory_compares_pictures(page: Any) -> None:
    page.get_by_role("button", name="己 · 已", exact=True).click()
    page.wait_for_function("() => document.querySelector('.gs-lab .gs-summary')?.textContent.includes('己')")
    assert re.search(r"differ in \d+ of 1,024 pixels", page.locator(".gs-lab .gs-summary").inner_text())
