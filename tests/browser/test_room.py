"""A class in real browsers: a teacher with the wall, three pupils with phones, one of whom is late."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.rooms.registry import RoomRegistry
from app.rooms.room import MAX_PUPILS
from app.wording.catalogue import say
from tests.support.browsing import SIZES, needs_browser, open_page
from tests.support.classroom import QUESTIONS
from tests.support.classroom_server import classroom

pytestmark = needs_browser

ERRORS: list[str] = []
"""Of the scripts of all pages."""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, RoomRegistry]]:
    with classroom() as found:
        yield found


def opened(browser: Browser, url: str, size: str, locale: str = "en-US", scheme: Any = "light") -> Page:
    """A page of a browser of its own."""
    width, height = SIZES[size]
    viewport: Any = {"width": width, "height": height}
    page = browser.new_context(viewport=viewport, locale=locale, color_scheme=scheme).new_page()
    page.on("pageerror", lambda error: ERRORS.append(f"{url}: {error}"))
    page.goto(url)
    return page


def within_its_width(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_class_from_the_code_to_the_score(browser: Browser, served: tuple[str, RoomRegistry]) -> None:
    url, rooms = served
    teacher = opened(browser, url, "desktop")
    teacher.locator("[data-do='open']").click()
    expect(teacher.locator(".gs-room-code")).to_have_text(re.compile("^[A-Z]{5}$"))
    code = teacher.locator(".gs-room-code").inner_text()
    assert rooms.find(code).language == "en"
    assert teacher.locator(".gs-room-qr path").count() and teacher.locator("[data-do='reveal']").is_hidden()

    link = f"{url}room/{code}"
    first, second = (opened(browser, link, "phone", scheme=scheme) for scheme in ("light", "dark"))
    third = opened(browser, f"{url}room", "phone", "ru-RU")
    third.locator("#typed").fill(code.lower())
    third.keyboard.press("Enter")
    expect(third.locator("#note")).to_have_text(say("room_wait_start", "ru"))
    expect(teacher.locator(".gs-room-pupils")).to_have_text("3 pupils are here")

    teacher.locator("[data-do='step']").click()
    expect(teacher.locator(".gs-room-prompt")).to_have_text(QUESTIONS[0].prompt)
    for page, option in ((first, 2), (second, 1), (third, 2)):
        page.locator("#options button").nth(option).click()
        expect(page.locator("#options [aria-pressed='true'] .words")).to_have_text(QUESTIONS[0].options[option])
        assert page.locator("#options .count").all_inner_texts() == [""] * 4, "nothing of the others"
        assert within_its_width(page)
    assert first.locator("#options .words").last.inner_text() == "<b>hen</b>"
    expect(teacher.locator(".gs-room-votes")).to_have_text("3 of 3 answered")
    expect(teacher.locator(".gs-room-bars output")).to_have_text(["0", "1", "2", "0"])
    second.locator("#options button").nth(3).focus()  # thinks better of it, with the keyboard
    second.keyboard.press("Enter")
    expect(teacher.locator(".gs-room-bars output").nth(3)).to_have_text("1")
    assert "✓" not in teacher.locator(".gs-room-bars").inner_text(), "not on the wall either"

    teacher.locator("[data-do='reveal']").click()
    expect(teacher.locator(".gs-room-right .gs-room-option")).to_have_text("cow")
    expect(first.locator("#note")).to_have_text(say("room_was_right"))
    expect(second.locator("#note")).to_have_text(say("room_was_wrong", letter="C"))
    expect(third.locator("#note")).to_have_text(say("room_was_right", "ru"))
    expect(first.locator("#options .count")).to_have_text(["0", "0", "2", "1"])
    expect(second.locator("#options .mark")).to_have_text(["A", "B", "✓", "✗"])
    expect(first.locator("#options button:disabled")).to_have_count(4)

    teacher.reload()  # the room stays with this browser
    teacher.locator("[data-do='step']").click()
    expect(first.locator("#options canvas")).to_have_count(2)
    first.reload()  # and the seat with the phone
    first.locator("#options button").first.click()
    expect(teacher.locator(".gs-room-votes")).to_have_text("1 of 3 answered")
    for size in SIZES.values():
        teacher.set_viewport_size({"width": size[0], "height": size[1]})
        assert within_its_width(teacher)
    teacher.locator("[data-do='reveal']").click()
    expect(first.locator("#score")).to_have_text("You got 2 of 2 right.")
    teacher.locator("[data-do='step']").click()
    expect(teacher.locator("[data-do='step']")).to_have_text(say("room_finish"))
    teacher.locator("[data-do='step']").click()
    expect(teacher.locator(".gs-room-results li")).to_have_count(2)
    expect(third.locator("#score")).to_have_text(say("room_score", "ru", right=1, count=2))
    teacher.locator("[data-do='close']").click()
    expect(teacher.locator("[data-do='open']")).to_be_visible()
    for page in (teacher, first, second, third):
        page.context.close()
    assert not ERRORS


def test_a_full_room_and_one_that_is_over_are_told(browser: Browser, served: tuple[str, RoomRegistry]) -> None:
    url, rooms = served
    room = rooms.open(QUESTIONS, "zh")
    pupil = opened(browser, f"{url}room/{room.code}", "phone", "zh-CN")
    expect(pupil.locator("#note")).to_have_text(say("room_wait_start", "zh"))
    for _ in range(MAX_PUPILS - 1):
        room.join()
    late = opened(browser, f"{url}room/{room.code}", "phone", "zh-CN")
    expect(late.locator("#error")).to_have_text(say("room_full", "zh", limit=MAX_PUPILS))
    del rooms._rooms[room.code]
    expect(pupil.locator("#error")).to_have_text(say("no_such_room", "zh"))
    expect(pupil.locator("#typed")).to_be_focused()
    for page in (pupil, late):
        page.context.close()
    assert not ERRORS


def test_in_the_page_itself_a_room_asks_what_the_model_answers(browser: Browser, bundled: str) -> None:
    teacher = open_page(browser, f"{bundled}?tab=lesson")
    teacher.locator("#room-panel [data-do='open']").click()
    expect(teacher.locator(".gs-room-code")).to_have_text(re.compile("^[A-Z]{5}$"), timeout=120_000)
    expect(teacher.locator(".gs-room-qr svg")).to_be_in_viewport(ratio=1)
    code = teacher.locator(".gs-room-code").inner_text()
    pupil = opened(browser, f"{bundled}/room/{code}", "phone")
    expect(teacher.locator(".gs-room-pupils")).to_have_text("1 pupil is here")
    teacher.locator("[data-do='step']").click()
    expect(pupil.locator("#options button").first).to_be_visible()
    assert pupil.locator("#prompt").inner_text() == teacher.locator(".gs-room-prompt").inner_text() != ""
    pupil.locator("#options button").nth(1).click()
    expect(teacher.locator(".gs-room-bars output").nth(1)).to_have_text("1")
    teacher.get_by_label("Русский", exact=True).click()  # the panel is drawn anew, the room stays
    expect(teacher.locator("#room-panel [data-do='reveal']")).to_have_text(say("room_reveal", "ru"))
    expect(teacher.locator(".gs-room-code")).to_have_text(code)
    expect(teacher.locator(".gs-room-bars output").nth(1)).to_have_text("1")
    teacher.locator("[data-do='reveal']").click()
    expect(pupil.locator("#options .wrong").first).to_be_visible()
    for page in (teacher, pupil):
        page.context.close()
    assert not ERRORS
