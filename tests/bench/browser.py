"""What a visitor waits for, in a real browser."""

import statistics
import time
from typing import Any

from tests.bench.rows import PROMPT, Row, resident_megabytes
from tests.support.server import serving

CLICKED = """(index) => new Promise((done) => {
  const panels = ['#glyphs .gs-headline', '#experts .gs-lead', '#depth h2'];
  const texts = () => panels.map((name) => document.querySelector(name).textContent);
  const before = texts();
  const started = performance.now();
  document.querySelector(`.gs-chip[data-index="${index}"]`).click();
  const changed = () => texts().every((text, i) => text !== before[i]);
  const look = () => (changed() ? done(performance.now() - started) : setTimeout(look, 2));
  look();
})"""
"""Milliseconds from a click on a chip until every panel about the selected token shows another one."""

WEIGHED = """(value) => new Promise((done) => {
  const summary = () => document.querySelector('#experts .gs-summary').textContent;
  const before = summary();
  const started = performance.now();
  const slider = document.querySelector("#weight input[type='range']");
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  const look = () => (summary() !== before ? done(performance.now() - started) : setTimeout(look, 2));
  look();
})"""
"""Milliseconds from a move of the weight slider until the experts panel is re-scored."""

LAYERED = """([panel, value]) => new Promise((done) => {
  const slider = document.querySelector(`${panel} .gs-layer`);
  const started = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""
"""Milliseconds from a move of a layer slider until the next frame, in which the points set off."""


WARM_STARTS = 3
"""Starts of the server whose median is shown; one before them finds the files cold and does not count, and what else a
visitor waits for is measured on the last."""


def first_visit(chromium: Any, address: str, answered: float) -> tuple[Any, tuple[float, float, float]]:
    """A page of a server that answered some seconds after its start; and the seconds from its start to that, to the
    opening text on view, to a page that answers."""
    started = time.perf_counter() - answered
    page = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="en-US").new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#gs-first .gs-chip")
    seen = time.perf_counter() - started
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    return page, (answered, seen, time.perf_counter() - started)


def browser_rows() -> list[Row]:
    """What a visitor waits for, in a real browser on this machine; nothing without Chromium."""
    from tests.support.browsing import CHROMIUM, QUIET, word_map, write_on

    if CHROMIUM is None:
        return [Row("browser", "no Chromium")]
    from playwright.sync_api import sync_playwright

    starts: list[tuple[float, float, float]] = []
    with sync_playwright() as driver, driver.chromium.launch(executable_path=CHROMIUM, args=QUIET) as chromium:
        for _ in range(WARM_STARTS):  # the first does not count
            with serving() as (address, _, answered):
                starts.append(first_visit(chromium, address, answered)[1])
        with serving() as (address, process, answered):
            page, last = first_visit(chromium, address, answered)
            time.sleep(6)  # the word list is read in the background
            memory = resident_megabytes(process.pid)
            again, weight = weighed_page(chromium, address)
            write_on(page, PROMPT)
            count = page.locator(".gs-chip").count()
            clicks = [page.evaluate(CLICKED, index) for index in (3, 5, 8, 4, 9, 6)]
            weights = [page.evaluate(WEIGHED, value) for value in (0.2, 0.8, 0.35, 0.6, 0.9)]
            word_map(page)
            page.wait_for_timeout(500)
            layers = [page.evaluate(LAYERED, ["#layers", value]) for value in (1, 2, 3, 4, 5)]
            words = [page.evaluate(LAYERED, ["#words", value]) for value in (1, 2, 3, 4, 5)]
    answered, seen, shown = (statistics.median(seconds) for seconds in zip(*starts[1:], last, strict=True))
    medians = [statistics.median(times) for times in (clicks, weights, layers, words)]
    return [
        Row("process start to first HTTP 200", f"{answered:.1f} s"),
        Row("process start to the opening text on view", f"{seen:.1f} s", aim="under 5 s"),
        Row("process start to a page that answers", f"{shown:.1f} s"),
        Row("page open with a finished text, server warm", f"{again:.1f} s"),
        Row("page, all panels: transferred", f"{weight / 1e6:.2f} MB", aim="under 2 MB"),
        Row("server at rest", f"{memory:.0f} MB", aim="under 900 MB"),
        Row(f"click on a token, all panels ({count} tokens)", f"{medians[0]:.0f} ms", aim="under 300 ms"),
        Row("weight slider", f"{medians[1]:.0f} ms", aim="under 300 ms"),
        Row("layer slider, tokens", f"{medians[2]:.0f} ms", aim="under 300 ms"),
        Row("layer slider, words", f"{medians[3]:.0f} ms", aim="under 300 ms"),
    ]


def weighed_page(chromium: Any, address: str) -> tuple[float, float]:
    """Seconds to the finished text of a new visitor, and bytes that came until the last panel stood."""
    page = chromium.new_context(locale="en-US").new_page()
    session, sizes = page.context.new_cdp_session(page), []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.on(
        "Network.dataReceived",
        lambda event: streams.__setitem__(
            event["requestId"], streams.get(event["requestId"], 0) + max(event["encodedDataLength"], 0)
        ),
    )
    streams: dict[str, float] = {}
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    shown = time.perf_counter() - started
    page.wait_for_selector("#proof .gs-panel", timeout=60_000)
    page.wait_for_timeout(1500)
    page.context.close()
    return shown, max(sum(sizes), sum(streams.values()))
