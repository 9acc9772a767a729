"""What a page sends and how soon it answers, in a real browser, on a server that is warm."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.web.tabs import TABS
from tests.bench.relay import relayed
from tests.bench.rows import PROMPT, Row
from tests.support.browsing import open_tab, until_quiet, word_map, write_on

CLICKED = """([index, panels]) => new Promise((done) => {
  const texts = () => panels.map((name) => document.querySelector(name).textContent);
  const before = texts();
  const started = performance.now();
  document.querySelector(`.gs-chip[data-index="${index}"]`).click();
  const changed = () => texts().every((text, i) => text !== before[i]);
  const look = () => (changed() ? done(performance.now() - started) : setTimeout(look, 2));
  look();
})"""
"""Milliseconds from a click on a chip until these panels of the open tab show another token."""

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

OPENED = """(name) => new Promise((done) => {
  const seen = (node) => node.offsetParent && node.getBoundingClientRect().top < innerHeight;
  const waits = (node) => seen(node) && node.dataset.state !== 'drawn';
  const figures = () => [...document.querySelectorAll(`#tab-${name} :is(.gs-picker, .gs-words-data)`)];
  const there = () => document.querySelector(`#tab-${name} .gs-panel, #tab-${name} .gs-fold`)?.offsetParent;
  const button = document.querySelector(`#tab-${name}-button`);
  button.scrollIntoView({ block: 'center' }); // where it is when somebody presses it
  const started = performance.now();
  button.click();
  let shown;
  const look = () => {
    if (there()) shown ??= performance.now() - started;
    if (shown && !figures().some(waits)) done([shown, figures().length && performance.now() - started]);
    else setTimeout(look, 2);
  };
  look();
})"""
"""Milliseconds from a press on a tab that was not drawn yet until its first panel is there, and until Plotly has drawn
all figures on view, 0 where it draws none there."""

PAINTED = """() => {
  const look = () => {
    if (document.querySelectorAll('#gs-first .gs-hero-tile').length < 24) requestAnimationFrame(look);
    else requestAnimationFrame(() => { window.painted ??= performance.now(); });
  };
  requestAnimationFrame(look);
}"""
"""Notes the milliseconds from the navigation to the first frame with all tiles of the moving picture."""

ANSWERS = "#strip .gs-strip[data-state='done'] .gs-chip"
"""There once the page takes a click."""

VISITS = 5
"""New visitors to a warm server, whose median is shown."""


@contextmanager
def received(page: Any, unpacked: bool = False) -> Iterator[Callable[[], float]]:
    """Counts the bytes that come over the network, or what they are unpacked; `count()` gives those of so far."""
    session = page.context.new_cdp_session(page)
    under_way, whole = (dict[str, float]() for _ in range(2))  # by request; unpacked, packed with headers
    inline = set[str]()  # pictures that came with the page, or in an answer, and are counted there

    def note(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("data:"):
            inline.add(event["requestId"])

    def add(event: dict[str, Any]) -> None:
        if event["requestId"] in inline:
            return
        under_way[event["requestId"]] = under_way.get(event["requestId"], 0) + event["dataLength"]

    def end(event: dict[str, Any]) -> None:
        if event["requestId"] not in inline:
            whole[event["requestId"]] = event["encodedDataLength"]

    def count() -> float:
        """A stream that the page ends itself tells no packed size, and counts as it is read."""
        if unpacked:
            return sum(under_way.values())
        return sum(whole.get(name) or under_way.get(name, 0) for name in {**under_way, **whole})

    session.send("Network.enable")
    session.on("Network.requestWillBeSent", note)
    session.on("Network.dataReceived", add)
    session.on("Network.loadingFinished", end)
    yield count
    session.detach()


def new_visitor(chromium: Any, address: str) -> tuple[Any, float, float, float]:
    """A new visitor's page; milliseconds to the first frame with the moving picture, seconds to a page that answers,
    and bytes that came until the page asked for nothing more."""
    page = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="en-US").new_page()
    page.add_init_script(f"({PAINTED})()")
    with received(page) as count:
        started = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(ANSWERS, timeout=60_000)
        answers = time.perf_counter() - started
        until_quiet(page)
        return page, float(page.evaluate("window.painted")), answers, count()


def visitor_rows(chromium: Any, address: str) -> list[Row]:
    """What new visitors to a warm server meet."""
    met = []
    for _ in range(VISITS):
        page, *figures = new_visitor(chromium, address)
        met.append(figures)
        page.context.close()
    painted, answers, weight = (statistics.median(column) for column in zip(*met, strict=True))
    return [
        Row("first paint with the moving picture, server warm", f"{painted / 1000:.2f} s", aim="under 0.6 s"),
        Row("page answers, server warm", f"{answers:.1f} s", aim="under 2 s"),
        Row("first view: transferred", f"{weight / 1e6:.2f} MB", aim="under 1.2 MB"),
    ]


def all_tabs(chromium: Any, address: str) -> tuple[dict[str, tuple[float, float, float]], float]:
    """Each tab of a new page, opened for the first time: the milliseconds of `OPENED` (0 for the tab that is open from
    the beginning) and the height of the page then, in pixels; and the bytes that all of them weigh."""
    page = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="en-US").new_page()
    met = {}
    with received(page) as count:
        page.goto(address)
        page.wait_for_selector(ANSWERS, timeout=60_000)
        until_quiet(page)
        for name in TABS:
            shown, drawn = page.evaluate(OPENED, name) if name != "read" else (0, 0)
            until_quiet(page)
            met[name] = shown, drawn, page.evaluate("document.documentElement.scrollHeight")
        weight = count()
    page.context.close()
    return met, weight


def tab_rows(chromium: Any, address: str) -> list[Row]:
    """How long a hidden tab takes to be drawn, how high the page is then, and what all of them weigh."""
    visits = [all_tabs(chromium, address) for _ in range(VISITS)]
    rows = []
    for name in TABS:
        columns = zip(*(met[name] for met, _ in visits), strict=True)
        shown, drawn, height = map(statistics.median, columns)
        if shown:
            rows.append(Row(f"hidden tab drawn: {name}", f"{shown:.0f} ms", aim="under 300 ms"))
        if drawn:
            what = f"hidden tab drawn, with Plotly's figures: {name}"
            rows.append(Row(what, f"{drawn:.0f} ms", aim="under 300 ms"))
        rows.append(Row(f"height of tab {name} at 1400", f"{height:.0f} px", aim="at most 2700 px"))
    weight = statistics.median(weight for _, weight in visits)
    return [*rows, Row("page, all tabs: transferred", f"{weight / 1e6:.2f} MB", aim="under 2 MB")]


def text_row(chromium: Any, address: str) -> Row:
    """What a text sends: the bytes on the line, packed and with headers, and those that the page reads."""
    with relayed(address) as (relay, sent):
        page = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="en-US").new_page()
        page.goto(relay)
        page.wait_for_selector(ANSWERS, timeout=60_000)
        with received(page, unpacked=True) as read:
            until_quiet(page)
            before = sent(), read()
            write_on(page, PROMPT)
            page.wait_for_timeout(300)
            kilobytes = [
                f"{(count - earlier) / 1000:.0f} kB" for count, earlier in zip((sent(), read()), before, strict=True)
            ]
        what = f"a text of {page.locator('.gs-chip').count()} tokens: sent"
        page.context.close()
    return Row(what, kilobytes[0], "as the page reads it", kilobytes[1], aim="under 120 kB")


def used_rows(page: Any) -> list[Row]:
    """What pressing, clicking and sliding takes on an open page."""
    write_on(page, PROMPT)
    chips = page.locator(".gs-chip").count()
    read = [page.evaluate(CLICKED, [i, ["#glyphs .gs-headline", "#experts .gs-lead"]]) for i in (3, 5, 8, 4, 9, 6)]
    weights = [page.evaluate(WEIGHED, value) for value in (0.2, 0.8, 0.35, 0.6, 0.9)]
    open_tab(page, "layers")
    until_quiet(page)
    depths = [page.evaluate(CLICKED, [i, ["#depth"]]) for i in (3, 5, 8, 4, 9)]
    layers = [page.evaluate(LAYERED, ["#layers", value]) for value in (1, 2, 3, 4, 5)]
    word_map(page)
    until_quiet(page)
    words = [page.evaluate(LAYERED, ["#words", value]) for value in (1, 2, 3, 4, 5)]
    named = {
        f"click on a token, tab read ({chips} tokens)": read,
        f"click on a token, tab layers ({chips} tokens)": depths,
        "weight slider": weights,
        "layer slider, tokens": layers,
        "layer slider, words": words,
    }
    return [Row(name, f"{statistics.median(times):.0f} ms", aim="under 300 ms") for name, times in named.items()]
