"""Decoding: ours with and without the trace, on one and two threads, beside peers and limits."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import app.engine.engine as engine_module
from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.engine.queue import RequestQueue
from app.engine.sampling import Sampling
from app.engine.trace_writer import part_of, under
from app.network.experts import StackedExperts
from app.network.interface import Output
from app.system.environment import set_defaults
from app.system.memory import limit_retained_memory
from app.system.threads import set_network_threads
from tests.bench.peers import ours_in_transformers, stock_pair
from tests.bench.rows import PROMPT, REPEATS, SAMPLING, TOKENS, Row, median_seconds


class NoTrace:
    """Stands in for the trace writer: what decoding costs without it, but for the fusion that is drawn from."""

    def __init__(self, weights: Tensor, *_: Any) -> None:
        self._weights = weights

    def add(self, ids: list[int], output: Output, seconds: float) -> Tensor:
        return under(part_of(output, slice(-1, None)), self._weights)[:, -1]

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


def rate_together(texts: int, threads: int, folder: Path = MINI) -> float:
    """Tokens a second of several texts at once, prompts and all; in a process of its own, as teams of threads that this
    one has would slow the queue's down."""
    script = f"from tests.bench.decode import write_together; write_together({texts}, {threads}, {str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout)


def write_together(texts: int, threads: int, folder: str) -> None:
    """Print the tokens a second of several texts generated at once by the request queue, as a server would."""
    set_defaults()
    limit_retained_memory()
    set_network_threads(threads)
    requests = RequestQueue(Engine(load_bundle(Path(folder))))

    def run() -> float:
        started = time.perf_counter()
        orders = [requests.write(PROMPT, replace(SAMPLING, seed=seed)) for seed in range(texts)]
        count = sum(len(order.steps) for order in orders if order.done.wait(60))
        return count / (time.perf_counter() - started)

    run()
    print(statistics.median(run() for _ in range(3)))


@contextmanager
def busy() -> Iterator[None]:
    """Another process that would take a whole core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def crowded_rows() -> list[Row]:
    """The request queue beside another busy process, on one thread and on two: two must not be slower."""
    rows = []
    for threads in (1, 2):
        free = rate_together(1, threads)
        with busy():
            beside = rate_together(1, threads)
        on = f", {threads} thread{'s' if threads > 1 else ''}"
        rows.append(
            Row("a text beside a busy process, tokens/s" + on, f"{beside:.0f}", "alone", f"{free:.0f}",
                f"{beside / free:.2f} x", "not under one thread's")
        )  # fmt: skip
    return rows


def beside_rows(folder: Path) -> list[Row]:
    """Decoding with this bundle and with the one of another folder, by turns."""
    torch.set_num_threads(1)
    engines = Engine(load_bundle()), Engine(load_bundle(folder))
    runs = [[rate(engine, PROMPT, SAMPLING) for engine in engines] for _ in range(2 * REPEATS + 1)]
    ours, theirs = (statistics.median(rates) for rates in zip(*runs[1:], strict=True))
    what = "decode with trace, tokens/s, 1 thread"
    return [Row(what, f"{ours:.0f}", f"bundle in {folder}", f"{theirs:.0f}", f"{ours / theirs:.2f} x", "0.8 x")]


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
