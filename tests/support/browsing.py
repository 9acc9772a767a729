"""A real browser on the page.  Where there is no Chromium, the tests that need one say so and skip."""

import shutil
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request
from playwright.sync_api import TimeoutError as TooLong

from app.web.tabs import TABS

_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first one that is there is taken: without its windows Chromium opens a page in two thirds of the time."""

CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: apt-get install chromium, or run .ci/run as root"
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": (1400, 900), "phone": (390, 844)}


def open_page(
    browser: Browser,
    url: str,
    size: str = "desktop",
    scheme: Any = "light",
    locale: str = "en-US",
    motion: Any = "reduce",
) -> Page:
    """A page with its opening text finished.  Unless a test is about motion there is none: frames cost a core here."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale=locale,
        reduced_motion=motion,
    )
    page = context.new_page()
    page.goto(url)
    until_opened(page)
    return page


def until_opened(page: Page) -> None:
    """Wait until the text that the page opens with is finished."""
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)


def open_tab(page: Page, name: str) -> None:
    """Open a tab, and wait until its panels are drawn."""
    if not page.locator(f"#tab-{name}").is_visible():
        button = page.locator(f"#tab-{name}-button")
        if not button.count():  # there is no room for it: Gradio has a menu
            page.locator("#tabs .overflow-menu > button").click()
            # Its buttons have nothing but a text, and an open tab is not among them; a hidden row has all tabs.
            measured = page.locator("#tabs > .tab-wrapper > [aria-hidden='true'] button").nth(list(TABS).index(name))
            text = (measured.text_content() or "").strip()
            button = page.locator("#tabs .overflow-dropdown").get_by_text(text, exact=True)
        button.click()
    page.wait_for_selector(f"#tab-{name} .gs-panel, #tab-{name} .gs-fold", timeout=60_000)


def open_fold(page: Page, name: str) -> None:
    """Unfold what is folded away under the prompt: examples, translation or sampling."""
    if not page.locator(f"#{name} button.open").count():
        page.locator(f"#{name} button").first.click()


def shown_text(page: Page) -> str:
    """The text of all chips."""
    return "".join(page.locator(".gs-strip .gs-chip .gs-tok").all_inner_texts()).replace("␣", " ").strip()


def read_text(page: Page, text: str) -> None:
    """Have a text read, unless it is the one on view, and wait until its chips stand there."""
    if shown_text(page) == text:
        return
    page.locator("#prompt textarea").fill(text)
    page.locator("#look").click()
    page.wait_for_function(
        "(text) => document.querySelector('.gs-status')?.textContent.match(/read/) && "
        "[...document.querySelectorAll('.gs-strip .gs-chip .gs-tok')].map((t) => t.textContent).join('')"
        ".replaceAll('␣', ' ').trim() === text",
        arg=text,
        timeout=60_000,
    )


def until_lens(page: Page) -> None:
    """Wait until the lens is that of the text whose chips are on view: a row a token and the start, of two experts."""
    tokens = page.locator(".gs-strip .gs-chip").count()
    page.wait_for_function(
        "(count) => document.querySelectorAll('#lens tbody tr').length === 2 * (count + 1)", arg=tokens
    )


QUIET_ROUNDS = 240
"""Half seconds in which a page must come to rest."""
EMPTY_ROUNDS = 40
"""Half seconds after which a stream of answers that is still open is taken for an empty one: Gradio's client opens one
for an event whose answer has just come by the stream before it, and the server then has nothing to end it with."""
BY_ITSELF = ("heartbeat", "gs/alive")
"""What the page asks as long as it is open."""


def until_quiet(page: Page) -> None:
    """Wait until the page has sent no request for a while and every one sent meanwhile is answered, so that what it
    fetches by itself after opening is there."""
    asked: list[str] = []
    answered: list[str] = []

    def count(request: Request) -> None:
        if not any(part in request.url for part in BY_ITSELF):
            asked.append(request.url)

    def uncount(request: Request) -> None:
        if request.url in asked:
            answered.append(request.url)

    listeners: tuple[tuple[Any, Callable[[Request], None]], ...] = (
        ("request", count),
        ("requestfinished", uncount),
        ("requestfailed", uncount),
    )
    for event, listener in listeners:
        page.on(event, listener)
    before, silent = -1, 0
    for _ in range(QUIET_ROUNDS):
        silent = silent + 1 if len(asked) == before else 0
        hanging = Counter(asked) - Counter(answered)
        if silent and not hanging:
            break
        if silent > EMPTY_ROUNDS and all("queue/data" in url for url in hanging):
            break
        before = len(asked)
        page.wait_for_timeout(500)
    else:
        raise AssertionError(f"never quiet: {dict(hanging)} are not answered; asked last: {asked[-6:]}")
    for event, listener in listeners:
        page.remove_listener(event, listener)


def asks_nothing(page: Page, act: Callable[[], object]) -> bool:
    """Whether the page does something without any request: tried thrice, for something else may be on its way."""
    asked: list[str] = []

    def count(request: Request) -> None:
        asked.append(request.url)

    page.on("request", count)
    counts = []
    for _ in range(3):
        asked.clear()
        act()
        page.wait_for_timeout(200)
        counts.append(len(asked))
    page.remove_listener("request", count)
    return 0 in counts


def write_on(page: Page, prompt: str) -> None:
    page.evaluate("document.querySelector('.gs-strip').dataset.old = ''")  # the next text brings another one
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#generate").click()
    wait_written(page)


def wait_written(page: Page) -> None:
    """Until the text is finished and its panels are drawn."""
    page.wait_for_function(
        "() => document.querySelector('.gs-status')?.textContent.match(/written/) && "
        "document.querySelector('.gs-strip:not([data-old])')?.dataset.state === 'done'",
        timeout=60_000,
    )


def choose(page: Page, chip: Locator, text: str) -> None:
    """Click a chip until the panels speak of its token, whose text is given: a click that meets the very moment in
    which the strip is drawn again goes to a chip that is no longer there."""
    shown = "(text) => document.querySelector('.gs-headline .gs-tok')?.textContent === text"
    for patience in (10_000, 30_000):
        chip.click()
        try:
            page.wait_for_function(shown, arg=text, timeout=patience)
        except TooLong:
            continue
        return
    raise AssertionError(f"the panels never spoke of {text!r}")


def copied_link(page: Page) -> str:
    """The address that the button for links gives, short enough to be sent."""
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


CONTRAST = """(selectors) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color, under) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (c) => c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const result = {};
  for (const selector of selectors) {
    const node = document.querySelector(selector);
    const layers = [];
    for (let n = node; n; n = n.parentElement) layers.unshift(getComputedStyle(n).backgroundColor);
    const ground = layers.reduce((under, color) => `rgb(${rgb(color, under).join(',')})`, '#fff');
    const [a, b] = [light(rgb(getComputedStyle(node).color, ground)), light(rgb(ground, ground))].sort((x, y) => y - x);
    result[selector] = (a + 0.05) / (b + 0.05);
  }
  return result;
}"""


def word_map(page: Page) -> None:
    """Open the words panel and wait until its maps are drawn."""
    open_tab(page, "words")
    page.wait_for_selector("#words .gs-panel", timeout=60_000)
    page.locator("#words").scroll_into_view_if_needed()
    page.wait_for_selector("#words [data-state='drawn']", timeout=30_000)


def places(page: Page, expert: int = 0) -> list[list[float]]:
    """Where the words of one map are, in the figure's own units."""
    found: list[list[float]] = page.evaluate(
        "(e) => { const d = document.querySelectorAll('.gs-figure')[e].data[1]; return [[...d.x], [...d.y]]; }", expert
    )
    return found
