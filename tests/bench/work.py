"""What the server does beside decoding: reading a text, drawing panels, the word list; and the memory of each."""

import gc
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view, meanings
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.strip import strip_view
from app.panels.words import words_view
from app.probing.probe_suite import run_battery
from app.probing.word_cache import WordCache
from app.probing.word_list import all_words, preset
from app.probing.word_states import word_states
from app.wording.catalogue import speaker
from tests.bench.decode import stacked
from tests.bench.peers import plain_lens, stock_pair
from tests.bench.rows import PROMPT, SAMPLING, TOKENS, Row, median_seconds, resident_megabytes


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


def word_rows(engine: Engine) -> list[Row]:
    """The word list: taken from the folder, read anew, and drawn."""
    say = speaker("en")
    started = time.perf_counter()
    lexicon = WordCache(engine)
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


def memory_rows() -> list[Row]:
    """Peak memory of each step, above what is held before it."""
    started, rows = resident_megabytes(os.getpid()), []
    made: dict[str, Any] = {}

    def write() -> None:
        list(made["engine"].generate(PROMPT, SAMPLING))

    steps: dict[str, Callable[[], object]] = {
        "load the model": lambda: made.update(engine=Engine(load_bundle())),
        "read the word list": lambda: made.update(lexicon=WordCache(made["engine"])) or made["lexicon"].prepare(MINI),
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
