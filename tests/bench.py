"""Speed of the demo on this machine beside its peers and its limits: `python -m tests.bench`.  One table.

Everything runs on the bundled model; run it on an otherwise idle machine.  Peers run on the same weights:
"ours in transformers" is our network behind transformers' `generate`, "two stock models" are transformers'
own GPT-NeoX twice, one after the other (see `tests.peers`).
"""

import gc
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the server sets them
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

import torch
from torch import Tensor

import app.engine as engine_module
from app.bank import word_states
from app.battery import run_battery
from app.bundle import MINI, load_bundle
from app.capture import under
from app.cores import grant_cores
from app.desk import Desk
from app.engine import Engine
from app.expert_views import disagreement_view, experts_view
from app.heap import keep_small
from app.layer_views import depth_view, layers_view, lens_view
from app.lexicon import Lexicon
from app.model import Output, StackedExperts
from app.sampling import Sampling
from app.texts import speaker
from app.views import glyph_view, strip_view
from app.word_views import meanings, words_view
from app.words import all_words, preset
from tests.peers import ours_in_transformers, plain_lens, stock_pair
from tests.server import serving


class Row(NamedTuple):
    """One line: what, our figure, beside whom, theirs, ours over theirs (or theirs over ours, in times: more
    is better for us), what we aim at."""

    what: str
    ours: str
    beside: str = ""
    theirs: str = ""
    ratio: str = ""
    aim: str = ""


PROMPT = "Жила-была девочка Маша"
TOKENS = 100
SAMPLING = Sampling(seed=1, new_tokens=TOKENS, temperature=1.0)
REPEATS = 5


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median wall time of a call, after one call that does not count."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def resident_megabytes(process: int, field: str = "VmRSS") -> float:
    """Resident memory of a process, from /proc; its peak with the field VmHWM."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


class NoTrace:
    """Stands in for the trace writer: what decoding costs without it, but for the fusion that is drawn from."""

    def __init__(self, weights: Tensor, *_: Any) -> None:
        self._weights = weights

    def add(self, ids: list[int], output: Output, seconds: float) -> Tensor:
        return under(output, self._weights)

    def finish(self, *_: Any) -> None: ...


@contextmanager
def traceless() -> Iterator[None]:
    """Runs of the engine record nothing."""
    kept = vars(engine_module)["TraceWriter"]
    vars(engine_module)["TraceWriter"] = NoTrace
    try:
        yield
    finally:
        vars(engine_module)["TraceWriter"] = kept


def rate(engine: Engine, prompt: str, sampling: Sampling) -> float:
    """Tokens a second of our sampled decode, from the first token on: reading the prompt is no decoding."""
    steps = engine.generate(prompt, sampling)
    next(steps)
    started = time.perf_counter()
    count = sum(step.id is not None for step in steps)
    return count / (time.perf_counter() - started)


def both_rates(
    engine: Engine, prompt: str = PROMPT, sampling: Sampling = SAMPLING, turns: int = 2 * REPEATS
) -> tuple[float, float]:
    """Median `rate` with and without the trace, by turns, so that a busy moment falls on both."""
    runs: list[tuple[float, float]] = []
    for _ in range(turns + 1):  # the first does not count
        traced = rate(engine, prompt, sampling)
        with traceless():
            runs.append((traced, rate(engine, prompt, sampling)))
    with_trace, plain = (statistics.median(rates) for rates in zip(*runs[1:], strict=True))
    return with_trace, plain


def rate_together(texts: int, threads: int) -> float:
    """Tokens a second of several texts at once, prompts and all; in a process of its own, as teams of threads that this
    one has would slow the desk's down."""
    script = f"from tests.bench import write_together; write_together({texts}, {threads})"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout)


def write_together(texts: int, threads: int) -> None:
    """Print the tokens a second of several texts written at once by the desk."""
    keep_small()
    grant_cores(threads)
    desk = Desk(Engine(load_bundle()))

    def run() -> float:
        started = time.perf_counter()
        orders = [desk.write(PROMPT, replace(SAMPLING, seed=seed)) for seed in range(texts)]
        count = sum(len(order.steps) for order in orders if order.done.wait(60))
        return count / (time.perf_counter() - started)

    run()
    print(statistics.median(run() for _ in range(3)))


def peer_rate(model: Any) -> float:
    """Tokens a second of transformers' sampled `generate`, from the first token on."""
    inputs = torch.tensor([[2, *Engine(load_bundle()).encode(PROMPT)]])
    options = {"do_sample": True, "temperature": 1.0, "top_k": 50, "top_p": 0.95, "pad_token_id": 0}
    all_of_them, first = (
        median_seconds(lambda n=n: model.generate(inputs, min_new_tokens=n, max_new_tokens=n, **options))  # type: ignore[misc]
        for n in (TOKENS, 1)
    )
    return (TOKENS - 1) / (all_of_them - first)


def stacked(engine: Engine) -> StackedExperts:
    """Our own network."""
    assert isinstance(engine.model, StackedExperts), "the bundled model is ours"
    return engine.model


def limits(engine: Engine) -> tuple[float, float]:
    """Tokens a second if a token cost nothing but reading every weight once, and nothing but the arithmetic."""
    weights = engine.model.trained
    block, square = torch.ones(weights), torch.ones(1024, 1024)
    reading = median_seconds(block.sum, 20)
    arithmetic = median_seconds(lambda: square @ square, 20) / (2 * 1024**3) * 2 * weights
    return 1 / reading, 1 / arithmetic


def decode_rows(engine: Engine) -> list[Row]:
    """Our decode on one and two threads, beside transformers on the same weights and beside the limits."""
    ours_there, stock = ours_in_transformers(), stock_pair(stacked(engine))
    rows = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        on = f", {threads} thread{'s' if threads > 1 else ''}"
        with torch.inference_mode():
            bandwidth, arithmetic = limits(engine)
        with_trace, plain = both_rates(engine)
        first = median_seconds(lambda: next(engine.generate(PROMPT, SAMPLING)))
        rows.append(Row("first token" + on, f"{1000 * first:.0f} ms", aim="under 150 ms"))
        for name, model, aim in (("two stock models", stock, "1.5 x"), ("ours in transformers", ours_there, "")):
            theirs = peer_rate(model)
            rows.append(
                Row(
                    "decode, tokens/s" + on,
                    f"{plain:.0f}",
                    f"{name}, generate",
                    f"{theirs:.0f}",
                    f"{plain / theirs:.2f} x",
                    aim,
                )
            )
        rows.append(
            Row("decode, tokens/s" + on, f"{plain:.0f}", "every weight read once", f"{bandwidth:.0f}",
                f"{100 * plain / bandwidth:.0f} %", "60 %")
        )  # fmt: skip
        rows.append(
            Row(
                "decode, tokens/s" + on,
                f"{plain:.0f}",
                "arithmetic alone",
                f"{arithmetic:.0f}",
                f"{100 * plain / arithmetic:.0f} %",
            )
        )
        rows.append(
            Row("decode with trace, tokens/s" + on, f"{with_trace:.0f}", "without trace", f"{plain:.0f}",
                f"{100 * (plain / with_trace - 1):+.0f} % time", "under 10 %")
        )  # fmt: skip
        for texts in (8, 30):
            together = rate_together(texts, threads)
            rows.append(
                Row(f"{texts} texts at once, with trace, tokens/s" + on, f"{together:.0f}", "one after the other",
                    f"{with_trace:.0f}", f"{together / with_trace:.2f} x")
            )  # fmt: skip
    return rows


def reading_rows(engine: Engine) -> list[Row]:
    """Reading 16, 64 and 256 tokens; lens and hidden states beside the plain way to them."""
    stock, rows = stock_pair(stacked(engine)), []
    story = " ".join(word.text for word in all_words())
    last = 0.0
    for tokens in (16, 64, 255):
        text = engine.bundle.tokenizer.decode(engine.ids_of(story)[: tokens - 1])
        while len(engine.ids_of(text)) > tokens - 1:
            text = text[:-1]
        ids = torch.tensor([[engine.bundle.start, *engine.ids_of(text)]])
        look = median_seconds(lambda text=text: engine.look(text))  # type: ignore[misc]
        grown = f"{look / last:.1f} x time" if last else ""
        rows.append(
            Row(
                f"look at {ids.shape[1]} tokens, trace included",
                f"{1000 * look:.0f} ms",
                "the shorter text" if last else "",
                f"{1000 * last:.0f} ms" if last else "",
                grown,
            )
        )
        last = look
        trace = engine.look(text)
        ours = median_seconds(lambda trace=trace: engine.lens(trace))  # type: ignore[misc]
        plain = median_seconds(lambda ids=ids: plain_lens(stock, ids, 5))  # type: ignore[misc]
        rows.append(
            Row(f"pass + lens of all layers, {ids.shape[1]} tokens", f"{1000 * (look + ours):.0f} ms",
                "two stock models, loop", f"{1000 * plain:.0f} ms", f"{plain / (look + ours):.2f} x")
        )  # fmt: skip
    return rows


def panel_rows(engine: Engine) -> list[Row]:
    """Drawing each panel, without the network: time, and what it weighs."""
    say = speaker("en")
    *_, last = engine.generate(PROMPT, SAMPLING)
    assert last.trace is not None
    trace, token = last.trace, int(last.trace.ids[3])
    drawings: dict[str, Callable[[], str]] = {
        "strip": lambda: strip_view(engine, trace, 3, say),
        "glyphs": lambda: glyph_view(engine, token, say),
        "experts (weight slider)": lambda: experts_view(engine, trace, 3, 0.35, say),
        "disagreement": lambda: disagreement_view(engine, trace, 3, say),
        "layers": lambda: layers_view(engine, trace, 3, say),
        "logit lens": lambda: lens_view(engine, trace, 3, say),
        "depth": lambda: depth_view(engine, trace, 3, say),
    }
    return [
        Row(
            f"panel: {name}, {len(trace)} tokens",
            f"{1000 * median_seconds(draw):.0f} ms",
            "payload",
            f"{len(draw()) / 1000:.0f} kB",
            aim="300 ms",
        )
        for name, draw in drawings.items()
    ]


def memory_rows() -> list[Row]:
    """Peak memory of each step, above what is held before it."""
    started, rows = resident_megabytes(os.getpid()), []
    made: dict[str, Any] = {}

    def write() -> None:
        list(made["engine"].generate(PROMPT, SAMPLING))

    steps: dict[str, Callable[[], object]] = {
        "load the model": lambda: made.update(engine=Engine(load_bundle())),
        "read the word list": lambda: made.update(lexicon=Lexicon(made["engine"])) or made["lexicon"].prepare(MINI),
        f"write {TOKENS} tokens": write,
        "look at 200 tokens": lambda: made.update(trace=made["engine"].look("мама и кот " * 50)),
        "draw layers and lens": lambda: [
            view(made["engine"], made["trace"], 3, speaker("en")) for view in (layers_view, lens_view)
        ],
    }
    for name, step in steps.items():
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
        before = resident_megabytes(os.getpid())
        step()
        peak = resident_megabytes(os.getpid(), "VmHWM")
        rows.append(Row(f"peak memory: {name}", f"{peak - before:.0f} MB", "held before", f"{before - started:.0f} MB"))
    return rows


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
"""Starts of the server whose median is shown; one before them finds the files cold and does not count."""


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
    from tests.browsing import CHROMIUM, QUIET, word_map, write_on

    if CHROMIUM is None:
        return [Row("browser", "no Chromium")]
    from playwright.sync_api import sync_playwright

    starts: list[tuple[float, float, float]] = []
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for _ in range(WARM_STARTS + 1):
            with serving() as (address, _, answered):
                starts.append(first_visit(chromium, address, answered)[1])
        chromium.close()
    answered, seen, shown = (statistics.median(seconds) for seconds in zip(*starts[1:], strict=True))
    with sync_playwright() as driver, serving() as (address, process, _):
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = first_visit(chromium, address, 0.0)[0]
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
        chromium.close()
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


def word_rows(engine: Engine) -> list[Row]:
    """The word list: taken from the folder, read anew, and drawn."""
    say = speaker("en")
    started = time.perf_counter()
    lexicon = Lexicon(engine)
    lexicon.prepare(MINI)
    taken = time.perf_counter() - started
    own = tuple(replace(word, concept="x") for word in preset("en"))
    started = time.perf_counter()
    word_states(engine, own)
    read = time.perf_counter() - started
    started = time.perf_counter()
    run_battery(engine, lexicon.states(all_words()[:300]))
    probed = time.perf_counter() - started
    trace = engine.look(PROMPT)
    words = preset("mixed")
    html = words_view(lexicon, words, say)
    near = median_seconds(lambda: meanings(lexicon, trace, 3))
    return [
        Row("word list from the folder", f"{taken:.2f} s"),
        Row(f"reading {len(own)} own words", f"{read:.1f} s"),
        Row("probes with controls, 300 words, all layers", f"{probed:.1f} s", aim="under 20 s"),
        Row("nearest words of a token, all layers", f"{1000 * near:.0f} ms"),
        Row(f"panel: {len(words)} words", f"{len(html) / 1000:.0f} kB"),
    ]


def main() -> None:
    if not (MINI / "model.safetensors").is_file():
        sys.exit("There is no bundled model in assets/mini: train one first (python -m app.train --help).")
    keep_small()  # as the server does
    engine = Engine(load_bundle())
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )
    print("| what | ours | beside | theirs | ratio | aim |\n|---|---|---|---|---|---|")
    parts: tuple[Callable[[], list[Row]], ...] = (
        lambda: decode_rows(engine), lambda: reading_rows(engine), lambda: panel_rows(engine),
        lambda: word_rows(engine), browser_rows, memory_rows,
    )  # fmt: skip
    for part in parts:
        for row in part():
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
