"""From the start of the server to what a visitor waits for, in a real browser."""

import statistics
import time
from typing import Any

from tests.bench.page import ANSWERS, tab_rows, text_row, used_rows, visitor_rows
from tests.bench.rows import Row, resident_megabytes
from tests.support.browsing import CHROMIUM, QUIET
from tests.support.server import serving

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
    page.wait_for_selector(ANSWERS, timeout=60_000)
    return page, (answered, seen, time.perf_counter() - started)


def browser_rows() -> list[Row]:
    """What a visitor waits for, in a real browser on this machine; nothing without Chromium."""
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
            used = used_rows(page)
            page.context.close()
            rows = [*visitor_rows(chromium, address), *tab_rows(chromium, address), text_row(chromium, address)]
    answered, seen, shown = (statistics.median(seconds) for seconds in zip(*starts[1:], last, strict=True))
    return [
        Row("process start to first HTTP 200", f"{answered:.1f} s"),
        Row("process start to the opening text on view", f"{seen:.1f} s", aim="under 4.5 s"),
        Row("process start to a page that answers", f"{shown:.1f} s"),
        Row("server at rest", f"{memory:.0f} MB", aim="under 900 MB"),
        *rows,
        *used,
    ]
