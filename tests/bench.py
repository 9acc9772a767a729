"""Speed of the demo on this machine: `python -m tests.bench`.  Prints one table.

Everything runs on the bundled model; run it on an otherwise idle machine.
"""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from app.bank import word_states
from app.battery import run_battery
from app.bundle import MINI, load_bundle
from app.engine import Engine
from app.expert_views import disagreement_view, experts_view
from app.layer_views import layers_view, lens_view
from app.lexicon import Lexicon
from app.sampling import Sampling
from app.texts import speaker
from app.views import glyph_view, strip_view
from app.word_views import meanings, words_view
from app.words import all_words, preset
from tests.server import serving

PROMPT = "Жила-была девочка Маша"
TOKENS = 100
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


def resident_megabytes(process: int) -> float:
    """Resident memory of a process, from /proc."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def server_rows() -> list[tuple[str, str, str]]:
    """Start-up and memory of the real server, started twice so that files are warm."""
    with serving():
        pass
    with serving() as (_, process, seconds):
        time.sleep(6)  # the opening example is made in the background
        memory = resident_megabytes(process.pid)
    return [
        ("start to first HTTP 200", f"{seconds:.1f} s", "under 8 s"),
        ("memory at rest", f"{memory:.0f} MB", "under 900 MB"),
    ]


def decode_rows(engine: Engine) -> list[tuple[str, str, str]]:
    """Our traced decode on one and two threads, beside transformers' generate on the same weights."""
    sampling = Sampling(seed=1, new_tokens=TOKENS, temperature=1.0)

    def first_token() -> None:
        steps = engine.generate(PROMPT, sampling)
        next(steps)
        steps.close()  # type: ignore[attr-defined]

    rate = 0.0

    def whole() -> None:
        nonlocal rate
        started = time.perf_counter()
        written = sum(step.id is not None for step in engine.generate(PROMPT, sampling))
        rate = written / (time.perf_counter() - started)

    rows, rates = [], {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        first = median_seconds(first_token)
        measured = []
        for _ in range(REPEATS):
            whole()
            measured.append(rate)
        rates[threads] = statistics.median(measured)
        rows.append((f"first token, {threads} thread(s)", f"{1000 * first:.0f} ms", "under 150 ms"))
        rows.append((f"decode with trace, {threads} thread(s)", f"{rates[threads]:.0f} tokens/s", "over 150"))
    theirs = transformers_rate()
    rows.append(("transformers' generate, 2 threads", f"{theirs:.0f} tokens/s", ""))
    rows.append(("decode with trace / transformers' generate", f"{rates[2] / theirs:.2f} x", "over 1"))
    return rows


def transformers_rate() -> float:
    """Tokens a second of transformers' own generate with its cache, same weights, no trace."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    import app.causal_lm  # noqa: F401  registers the model class

    model = AutoModelForCausalLM.from_pretrained(MINI)
    inputs = AutoTokenizer.from_pretrained(MINI)(PROMPT, return_tensors="pt")
    torch.manual_seed(1)

    def run() -> None:
        model.generate(
            **inputs,
            min_new_tokens=TOKENS,
            max_new_tokens=TOKENS,
            do_sample=True,
            temperature=1.0,
            top_k=50,
            top_p=0.95,
        )

    return TOKENS / median_seconds(run)


def panel_rows(engine: Engine) -> list[tuple[str, str, str]]:
    """Reading a text and drawing each panel, without the network."""
    say = speaker("en")
    *_, last = engine.generate(PROMPT, Sampling(new_tokens=TOKENS, seed=1, temperature=1.0))
    assert last.trace is not None
    trace, token = last.trace, int(last.trace.ids[3])
    drawings: dict[str, Callable[[], str]] = {
        "strip": lambda: strip_view(engine, trace, 3, say),
        "glyphs": lambda: glyph_view(engine, token, say),
        "experts (weight slider)": lambda: experts_view(engine, trace, 3, 0.35, say),
        "disagreement": lambda: disagreement_view(engine, trace, 3, say),
        "layers": lambda: layers_view(engine, trace, 3, say),
        "logit lens": lambda: lens_view(engine, trace, 3, say),
    }
    rows = [(f"look at {len(trace)} tokens", f"{1000 * median_seconds(lambda: engine.look(trace.text)):.0f} ms", "")]
    for name, draw in drawings.items():
        rows.append((f"panel: {name}", f"{1000 * median_seconds(draw):.1f} ms, {len(draw()) / 1000:.0f} kB", "300 ms"))
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


def browser_rows() -> list[tuple[str, str, str]]:
    """What a visitor waits for, in a real browser on this machine; nothing without Chromium."""
    from tests.browsing import CHROMIUM, QUIET, open_page, word_map, write_on

    if CHROMIUM is None:
        return [("browser", "no Chromium", "")]
    from playwright.sync_api import sync_playwright

    with serving() as (address, _, _), sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        started = time.perf_counter()
        page = open_page(chromium, address)
        shown = time.perf_counter() - started
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
        ("page open with a finished text", f"{shown:.1f} s", ""),
        (f"click on a token, all panels ({count} tokens)", f"{medians[0]:.0f} ms", "under 300 ms"),
        ("weight slider", f"{medians[1]:.0f} ms", "under 100 ms"),
        ("layer slider, tokens", f"{medians[2]:.0f} ms", "under 100 ms"),
        ("layer slider, words", f"{medians[3]:.0f} ms", "under 100 ms"),
    ]


def word_rows(engine: Engine) -> list[tuple[str, str, str]]:
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
        ("word list from the folder", f"{taken:.2f} s", ""),
        (f"reading {len(own)} own words", f"{read:.1f} s", ""),
        ("probes with controls, 300 words, all layers", f"{probed:.1f} s", "under 20 s"),
        ("nearest words of a token, all layers", f"{1000 * near:.0f} ms", ""),
        (f"panel: {len(words)} words", f"{len(html) / 1000:.0f} kB", ""),
    ]


def main() -> None:
    if not (MINI / "model.safetensors").is_file():
        sys.exit("There is no bundled model in assets/mini: train one first (python -m app.train --help).")
    engine = Engine(load_bundle())
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )
    print(f"{'what':44} {'measured':>20}  aim")
    for rows in (server_rows(), decode_rows(engine), panel_rows(engine), word_rows(engine), browser_rows()):
        for name, value, aim in rows:
            print(f"{name:44} {value:>20}  {aim}")


if __name__ == "__main__":
    main()
