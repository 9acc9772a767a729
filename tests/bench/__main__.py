"""The whole table, or some of its parts: `python -m tests.bench decode browser`."""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.system.memory import limit_retained_memory
from tests.bench.browser import browser_rows
from tests.bench.causal import causal_rows
from tests.bench.decode import beside_rows, crowded_rows, decode_rows
from tests.bench.load import load_rows
from tests.bench.rows import Row
from tests.bench.work import memory_rows, panel_rows, reading_rows, word_rows

PARTS: dict[str, Callable[[Engine], list[Row]]] = {
    "decode": decode_rows,
    "crowded": lambda engine: crowded_rows(),
    "reading": reading_rows,
    "panels": panel_rows,
    "words": word_rows,
    "causal": causal_rows,
    "browser": lambda engine: browser_rows(),
    "load": lambda engine: load_rows(),
    "memory": lambda engine: memory_rows(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all by default")
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="decode with the bundle of this folder too")
    options = parser.parse_args()
    if not (MINI / "model.safetensors").is_file():
        sys.exit("There is no bundled model in assets/mini: train one first (python -m app.training --help).")
    limit_retained_memory()  # as the server does
    engine = Engine(load_bundle())
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )
    print("| what | ours | beside | theirs | ratio | aim |\n|---|---|---|---|---|---|")
    parts = [PARTS[name] for name in options.parts or PARTS]
    if options.beside:
        parts.insert(0, lambda engine: beside_rows(options.beside))
    for part in parts:
        for row in part(engine):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
