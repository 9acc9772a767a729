"""The whole table."""

import os
import platform
import sys
from collections.abc import Callable

import torch

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.system.memory import limit_retained_memory
from tests.bench.browser import browser_rows
from tests.bench.decode import decode_rows
from tests.bench.rows import Row
from tests.bench.work import memory_rows, panel_rows, reading_rows, word_rows


def main() -> None:
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
    parts: tuple[Callable[[], list[Row]], ...] = (
        lambda: decode_rows(engine), lambda: reading_rows(engine), lambda: panel_rows(engine),
        lambda: word_rows(engine), browser_rows, memory_rows,
    )  # fmt: skip
    for part in parts:
        for row in part():
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
