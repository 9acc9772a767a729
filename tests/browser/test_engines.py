"""The page in other engines than Chromium: one story of each tab, in order, where Firefox or WebKit is installed."""

from collections.abc import Iterator

import pytest

from tests.support.engines import ARROW_RIGHT, ENGINES, MISSING, WebDriverPage

STRIP = ".gs-strip[data-state='done']"
CHIPS = f'[...document.querySelectorAll("{STRIP} .gs-chip .gs-tok")]'


@pytest.fixture(scope="module", params=ENGINES)
def page(request: pytest.FixtureRequest) -> Iterator[WebDriverPage]:
    """The shipped page with its opening text finished, in one engine after the other."""
    if MISSING[request.param]:
        pytest.skip(MISSING[request.param])
    address = request.getfixturevalue("bundled")  # only now: no server is started for tests that are skipped
    with ENGINES[request.param]() as page:
        page.open(f"{address}?lang=en")
        page.until_there(f"{STRIP} .gs-chip")
        yield page
        assert page.run("return failures") == []


def open_tab(page: WebDriverPage, name: str) -> None:
    page.click(f"#tab-{name}-button")
    page.until_there(f"#tab-{name} .gs-panel, #tab-{name} .gs-fold, #tab-{name} .gs-lesson-step")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the window"


def test_a_text_is_written_and_a_token_chosen(page: WebDriverPage) -> None:
    page.run("document.querySelector('.gs-strip').dataset.old = ''")  # the next text brings another one
    page.fill("#prompt textarea", "Tom wants a")
    page.click("#generate")
    page.until(
        "document.querySelector('.gs-status')?.textContent.match(/written/) && "
        f'document.querySelector("{STRIP}:not([data-old])")'
    )
    assert "".join(page.run(f"return {CHIPS}.map((t) => t.textContent)")).replace("␣", " ").strip().startswith("Tom")
    page.click(f"{STRIP} .gs-chip:nth-of-type(3)")
    page.until("document.querySelector('.gs-headline .gs-tok')?.textContent === arguments[0]", third_token(page))


def third_token(page: WebDriverPage) -> str:
    return page.text(f"{STRIP} .gs-chip:nth-of-type(3) .gs-tok")


def test_the_slider_walks_over_the_layers(page: WebDriverPage) -> None:
    open_tab(page, "layers")
    points = "[...document.querySelectorAll('#layers .gs-point')].map((p) => p.style.transform).join()"
    before = page.run(f"return {points}")
    page.press("#layers .gs-layer", ARROW_RIGHT)
    page.until(f"document.querySelector('#layers .gs-layer').value === '1' && {points} !== arguments[0]", before)
    page.until_there("#lens tbody tr")


def test_the_map_of_words_is_drawn(page: WebDriverPage) -> None:
    open_tab(page, "words")
    page.run("document.querySelector('#words').scrollIntoView()")
    page.until_there("#words [data-state='drawn']")
    page.until("document.querySelectorAll('#words .textpoint text').length > 20")


def test_a_state_is_moved(page: WebDriverPage) -> None:
    open_tab(page, "break")
    cell = "#patching .gs-map tbody tr:last-child td:nth-of-type(4)"
    page.until_there(cell)
    moved = page.text(cell).strip()
    page.click(cell)
    page.until("document.querySelector('#patch-cell h3')?.textContent.includes(`effect ${arguments[0]}`)", moved)


def test_the_curve_of_the_proof_is_drawn(page: WebDriverPage) -> None:
    open_tab(page, "proof")
    page.run("document.querySelector('#proof .gs-curve').scrollIntoView()")
    page.until("document.querySelectorAll('#proof .gs-curve .scatterlayer path.js-line').length > 1")


def test_a_question_of_the_lesson_is_answered(page: WebDriverPage) -> None:
    open_tab(page, "lesson")
    page.click(".gs-lesson-question[data-answered='no'] [data-option='0']")
    page.until_there(".gs-lesson-question[data-answered='yes'] .gs-lesson-told")
    page.until("document.querySelectorAll('.gs-lesson-options .gs-right').length >= 1")
