"""What the server does beside decoding: reading a text, drawing panels, the word list; and the memory of each."""

import gc
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.engine.lens import Lens
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view, meanings
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.strip import strip_view
from app.panels.words import words_view
from app.probing.probe_suite import run_probes
from app.probing.word_cache import WordCache
from app.probing.word_list import all_words, preset
from app.probing.word_states import word_states
from app.wording.catalogue import speaker
from tests.bench.decode import stacked
from tests.bench.peers import plain_lens, plain_reading, stock_pair
from tests.bench.rows import PROMPT, SAMPLING, TOKENS, Row, median_seconds, resident_megabytes, seconds_by_turns


def reading_rows(engine: Engine) -> list[Row]:
    """Reading 16, 64 and 255 tokens on one thread, in processor time, beside two stock models that do the same plainly:
    what the page shows first; the lens at every layer and position as the panel draws it; and its five best."""
    torch.set_num_threads(1)
    stock, rows = stock_pair(stacked(engine)), []
    story = " ".join(word.text for word in all_words())
    for tokens in (16, 64, 255):
        text = engine.bundle.tokenizer.decode(engine.ids_of(story)[: tokens - 1])
        while len(engine.ids_of(text)) > tokens - 1:
            text = text[:-1]
        ids = torch.tensor([[engine.bundle.start, *engine.ids_of(text)]])

        def ours(top: int, text: str = text) -> Lens:
            return engine.lens(engine.look(text), top)

        def plain(top: int, ids: Tensor = ids) -> list[tuple[Tensor, Tensor]]:
            return plain_lens(stock, ids, top)

        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "pass + what the page shows first": (partial(engine.look, text), partial(plain_reading, stock, ids, 32)),
            "pass + trace + lens, all layers and positions, the best": (partial(ours, 1), partial(plain, 1)),
            "pass + trace + lens, all layers and positions, five best": (partial(ours, 5), partial(plain, 5)),
        }
        times = seconds_by_turns(*(work for pair in pairs.values() for work in pair))
        for what, mine, theirs in zip(pairs, times[::2], times[1::2], strict=True):
            rows.append(
                Row(f"{what}, {ids.shape[1]} tokens", f"{1000 * mine:.0f} ms", "two stock models, plainly",
                    f"{1000 * theirs:.0f} ms", f"{theirs / mine:.2f} x", "1.2 x")
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
    word_cache = WordCache(engine)
    word_cache.prepare(MINI)
    taken = time.perf_counter() - started
    own = tuple(replace(word, concept="x") for word in preset("en"))
    started = time.perf_counter()
    word_states(engine, own)
    read = time.perf_counter() - started
    started = time.perf_counter()
    run_probes(engine, word_cache.states(all_words()[:300]))
    probed = time.perf_counter() - started
    trace = engine.look(PROMPT)
    words = preset("mixed")
    html = words_view(word_cache, words, say)
    near = median_seconds(lambda: meanings(word_cache, trace, 3))
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
        "read the word list": lambda: (
            made.update(word_cache=WordCache(made["engine"])) or made["word_cache"].prepare(MINI)
        ),
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
