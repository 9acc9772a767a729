"""A real browser on the page.  Where there is no Chromium, the tests that need one say so and skip."""

import shutil
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from app.web.tabs import TABS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
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


def open_page(browser: Browser, url: str, size: str = "desktop", scheme: Any = "light", locale: str = "en-US") -> Page:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale=locale,
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    return page


def open_tab(page: Page, name: str) -> None:
    """Open a tab, and wait until its panels are drawn."""
    if not page.locator(f"#tab-{name}").is_visible():
        button = page.locator(f"#tab-{name}-button")
        if not button.count():  # there is no room for it: Gradio has a menu
            page.locator("#tabs .overflow-menu > button").click()
            hidden = page.locator("#tabs .overflow-dropdown button")
            button = hidden.nth(hidden.count() - len(TABS) + list(TABS).index(name))
        button.click()
    page.wait_for_selector(f"#tab-{name} .gs-panel, #tab-{name} .gs-lab", timeout=60_000)


def open_fold(page: Page, name: str) -> None:
    """Unfold what is folded away under the prompt: examples, translation or sampling."""
    if not page.locator(f"#{name} button.open").count():
        page.locator(f"#{name} button").first.click()


def write_on(page: Page, prompt: str) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#generate").click()
    wait_written(page)


def wait_written(page: Page) -> None:
    """Until the text is finished and its panels are drawn."""
    page.wait_for_function(
        "() => document.querySelector('.gs-status')?.textContent.match(/written/) && "
        "document.querySelector('.gs-strip').dataset.state === 'done'",
        timeout=60_000,
    )


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
