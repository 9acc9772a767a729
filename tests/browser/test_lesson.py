"""The lesson in a browser: walked from the first guess to the result, in the bundled model."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.wording.catalogue import LANGUAGES, say
from tests.support.browsing import needs_browser, open_page

pytestmark = needs_browser

LOCALES = {"en": "en-US", "ru": "ru-RU", "zh": "zh-CN"}


def open_lesson(browser: Browser, url: str, language: str, **options: Any) -> Page:
    page = open_page(browser, f"{url}/?lang={language}&tab=lesson", locale=LOCALES[language], **options)
    page.wait_for_selector("#lesson .gs-lesson-step", timeout=60_000)
    return page


def answer_step(page: Page) -> None:
    """Answer the questions of the step on view by their first option; no answer is in the page before."""
    while page.locator(".gs-lesson-question[data-answered='no']").count():
        open_question = page.locator(".gs-lesson-question[data-answered='no']")
        expect(open_question).to_have_count(1)
        assert not open_question.locator(".gs-lesson-told, .gs-right, .gs-lesson-chart").count()
        assert not page.locator(".gs-lesson-learned").count()
        name = open_question.get_attribute("data-question")
        open_question.locator("[data-option='0']").click()
        answered = page.locator(f".gs-lesson-question[data-question='{name}'][data-answered='yes']")
        expect(answered.locator(".gs-lesson-told")).to_be_visible(timeout=30_000)
        expect(answered.locator("[data-option].gs-right")).to_have_count(1)
    expect(page.locator(".gs-lesson-learned")).to_be_visible()


def test_the_lesson_from_the_first_guess_to_the_result(browser: Browser, bundled: str) -> None:
    page = open_lesson(browser, bundled, "en")
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    right = 0
    for at in range(8):
        expect(page.locator(f".gs-lesson[data-at='{at}'] .gs-lesson-step")).to_be_visible(timeout=60_000)
        answer_step(page)
        right += page.locator(".gs-lesson-options [aria-pressed='true'].gs-right").count()
        if at < 7:
            page.locator("[data-next]").click()
    page.locator("[data-goto='3']").click()  # back to a text, to read it on the page
    link = page.locator(".gs-lesson[data-at='3'] a[data-text]")
    expect(link).to_be_visible()
    text = str(link.get_attribute("data-text"))
    link.click()
    expect(page.locator("#experts .gs-panel")).to_be_visible(timeout=60_000)
    assert page.locator("#prompt textarea").input_value() == text
    page.locator("#tab-lesson-button").click()
    expect(page.locator(".gs-lesson[data-at='3'] .gs-lesson-told")).to_be_visible()
    page.locator("[data-goto='8']").click()
    expect(page.locator(".gs-lesson-score")).to_have_text(say("lesson_score", right=right, count=9), timeout=60_000)
    assert page.locator(".gs-lesson-end li").count() == 5
    page.emulate_media(media="print")
    for hidden in (".gs-lesson-foot", ".gs-lesson nav", "#tabs > .tab-wrapper"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".gs-lesson-end li").first).to_be_visible()
    page.emulate_media(media="screen")
    with page.expect_popup() as opened:
        page.locator(".gs-lesson-sheets a").nth(1).click()
    sheet = opened.value
    assert sheet.locator("li").count() == 9 and sheet.locator(".right").count() == 9
    page.locator("[data-again]").click()
    expect(page.locator(".gs-lesson[data-at='0'] .gs-lesson-question[data-answered='no']")).to_be_visible()
    assert not failures
    page.context.close()


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_the_lesson_in_the_other_languages(browser: Browser, bundled: str, language: str) -> None:
    """On a phone: a step fits its width, and its answer comes in the same language; sheets fit a page."""
    page = open_lesson(browser, bundled, language, size="phone", scheme="dark")
    expect(page.locator(".gs-lesson h3")).to_have_text(say("lesson_kinds_title", language))
    answer_step(page)
    verdicts = {say("lesson_right", language), say("lesson_wrong", language)}
    assert page.locator(".gs-lesson-told b").first.inner_text() in verdicts
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for answers in (0, 1):
        page.goto(f"{bundled}/lesson/sheet?lang={language}&answers={answers}")
        page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots an inch
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.body.scrollHeight") <= 1123
    page.context.close()
