"""The lesson in a browser: walked from the first guess to the result in every language, over the bundled model."""

import pytest
from playwright.sync_api import Browser, Page, expect

from app.lesson.lesson import STEPS
from app.wording.catalogue import LANGUAGES, say
from tests.support.browsing import needs_browser, open_page

pytestmark = needs_browser

LOCALES = {"en": "en-US", "ru": "ru-RU", "zh": "zh-CN"}
QUESTIONS = 9
"""The first step has two, the others one each."""


def open_lesson(browser: Browser, url: str, language: str, failures: list[str]) -> Page:
    """English on a screen; the others on a phone in the dark.  failures: gets the errors of the page's scripts."""
    size, scheme = ("desktop", "light") if language == "en" else ("phone", "dark")
    page = open_page(browser, f"{url}/?lang={language}&tab=lesson", size, scheme, LOCALES[language])
    page.on("pageerror", lambda error: failures.append(str(error)))
    return page


def answer_step(page: Page, language: str) -> int:
    """Answer the questions of the step on view by their first option, and count those that were right; no answer is in
    the page before."""
    right = 0
    while page.locator(".gs-lesson-question[data-answered='no']").count():
        open_question = page.locator(".gs-lesson-question[data-answered='no']")
        expect(open_question).to_have_count(1)
        assert not open_question.locator(".gs-lesson-told, .gs-right, .gs-lesson-chart").count()
        assert not page.locator(".gs-lesson-learned").count()
        name = open_question.get_attribute("data-question")
        open_question.locator("[data-option='0']").click()
        answered = page.locator(f".gs-lesson-question[data-question='{name}'][data-answered='yes']")
        expect(answered.locator(".gs-lesson-told")).to_be_visible()
        expect(answered.locator("[data-option].gs-right")).to_have_count(1)
        guessed = answered.locator("[data-option='0'].gs-right").count()
        verdict = say("lesson_right" if guessed else "lesson_wrong", language)
        expect(answered.locator(".gs-lesson-told b").first).to_have_text(verdict)
        right += guessed
    expect(page.locator(".gs-lesson-learned")).to_be_visible()
    return right


def walk(page: Page, language: str) -> int:
    """From the first step to the result; how many answers were right."""
    right = 0
    for at, key in enumerate(STEPS):
        step = page.locator(f".gs-lesson[data-at='{at}'] .gs-lesson-step[data-step='{key}']")
        expect(step).to_be_visible(timeout=60_000)  # what it asks may have to be computed first
        expect(step.locator("h3")).to_have_text(say(f"lesson_{key}_title", language))
        right += answer_step(page, language)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{key} is too wide"
        page.locator("[data-next]").click()
    expect_score(page, language, right)
    return right


def expect_score(page: Page, language: str, right: int) -> None:
    score = say("lesson_score", language, right=right, count=QUESTIONS)
    expect(page.locator(".gs-lesson-score")).to_have_text(score, timeout=60_000)
    expect(page.locator(".gs-lesson-end li")).to_have_count(5)
    assert page.locator(".gs-lesson nav .gs-open").all_inner_texts() == ["★"]  # every step has its mark


def test_the_lesson_from_the_first_guess_to_the_result(browser: Browser, bundled: str) -> None:
    failures: list[str] = []
    page = open_lesson(browser, bundled, "en", failures)
    right = walk(page, "en")
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
    expect_score(page, "en", right)
    page.emulate_media(media="print")
    for hidden in (".gs-lesson-foot", ".gs-lesson nav", "#tabs > .tab-wrapper", "#look", "#room [data-do='open']"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".gs-lesson-end li").first).to_be_visible()
    page.emulate_media(media="screen")
    with page.expect_popup() as opened:
        page.locator(".gs-lesson-sheets a").nth(1).click()
    sheet = opened.value
    assert sheet.locator("li").count() == QUESTIONS and sheet.locator(".right").count() == QUESTIONS
    page.locator("[data-again]").click()
    expect(page.locator(".gs-lesson[data-at='0'] .gs-lesson-question[data-answered='no']")).to_be_visible()
    assert not failures
    page.context.close()


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_the_lesson_in_the_other_languages(browser: Browser, bundled: str, language: str) -> None:
    """On a phone: every step fits its width and is answered in its language; sheets fit a page."""
    failures: list[str] = []
    page = open_lesson(browser, bundled, language, failures)
    walk(page, language)
    assert not failures
    for answers in (0, 1):
        page.goto(f"{bundled}/lesson/sheet?lang={language}&answers={answers}")
        page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots an inch
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.body.scrollHeight") <= 1123
    page.context.close()
