"""Fixtures: two toy experts really trained on a few kB of text, once a test run.

`make test` runs the tests in two processes (pytest-xdist), whole files in each: what a file's fixtures start serves
that file.  What is costly and only read is made once for both (`made_once`); servers and browsers are a process's own.
"""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported; the other process has the other core
    os.environ["OMP_NUM_THREADS"] = "1"
# A checkpoint's own code is copied to one place by its folder's name: two processes would write over each other there.
os.environ["HF_MODULES_CACHE"] = tempfile.mkdtemp(prefix="modules")

import pytest
import torch
from filelock import FileLock

from app.checkpoint.bundle import load_bundle
from app.engine.engine import Engine
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.training import commands as train
from tests.support.server import ENDLESS_UMAP, LONELY, serving

atexit.register(shutil.rmtree, os.environ["HF_MODULES_CACHE"], ignore_errors=True)
TESTS = Path(__file__).parent
TEXT = TESTS / "support" / "text"
SHARED = TESTS.parent.parent / "shared"
TOY_SHAPE = ["--layers", "2", "--heads", "4", "--context", "48"]


SLOW = ["browser", "server", "foreign", "training"]
"""Folders of tests that `make quick` leaves out, but for those marked `quick`; the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(TESTS).parts[0]

    for item in items:
        if folder(item) in SLOW and item.get_closest_marker("quick") is None:
            item.add_marker("slow")
    # Files are dealt out in this order: with short ones at the end, two processes end at nearly the same time.
    slow_files = {item.path for item in items if item.get_closest_marker("slow")}

    def rank(item: pytest.Item) -> int:
        return SLOW.index(folder(item)) if folder(item) in SLOW else len(SLOW) + (item.path not in slow_files)

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def no_running_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright's event loop counts as running on this thread from its first use on, also while it waits between
    calls, and `asyncio.run` refuses such a thread: tests without a browser find it as if there were none."""
    running = asyncio._get_running_loop()
    if "browser" not in request.fixturenames:
        asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(autouse=True)
def no_page_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails does not come to close its page, and one on which something moves keeps a core busy until the
    run ends: such pages are closed here.  Those of a file's own fixtures, opened before the test, stay."""
    if "browser" not in request.fixturenames:
        yield
        return
    browser = request.getfixturevalue("browser")
    kept = list(browser.contexts)
    yield
    for context in browser.contexts:
        if context not in kept:
            context.close()


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder of the whole test run: the first process that asks has it filled, others wait for it."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(base / f"{name}.lock"):
        if not (base / f"{name}.made").exists():
            (base / name).mkdir()
            make(base / name)
            (base / f"{name}.made").touch()
    return base / name


def train_toy(work: Path, *arguments: str) -> None:
    train.main(["--work", str(work), "--threads", "1", *arguments])


@pytest.fixture(scope="session")
def toy_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder in which the whole chain ran: prepare, two experts, evaluate."""

    def make(work: Path) -> None:
        train_toy(work, "prepare", "--text", str(TEXT), "--size", "512", "--width", "64")
        train_toy(work, "expert", "ru", "--mix", "ru=0.6,en=0.3,zh=0.1", "--tokens", "32000", *TOY_SHAPE)
        train_toy(work, "expert", "zh", "--mix", "zh=0.6,en=0.3,ru=0.1", "--tokens", "32000", *TOY_SHAPE)
        train_toy(work, "evaluate")

    return made_once(tmp_path_factory, "toy", make)


@pytest.fixture(scope="session")
def toy_bundle(toy_work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint folder of the two toy experts."""
    return (
        made_once(
            tmp_path_factory, "toy_bundle", lambda folder: train_toy(toy_work, "bundle", "--to", str(folder / "bundle"))
        )
        / "bundle"
    )


@pytest.fixture(scope="session")
def engine(toy_bundle: Path) -> Engine:
    return Engine(load_bundle(toy_bundle))


@pytest.fixture
def model() -> StackedExperts:
    """A tiny network with seeded random weights, large enough to tell positions apart."""
    network = StackedExperts(Shape(vocabulary=50, width=16, layers=3, heads=2, experts=2, context=24))
    generator = torch.Generator().manual_seed(0)
    network.initialise(generator)
    for weight in network.parameters():
        weight.data.mul_(8)
    network.embedding.normal_(generator=generator)
    return network


@pytest.fixture(scope="session")
def asked_hosts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the toy experts' server notes what other hosts it asked; there is none if it asked nobody."""
    folder = tmp_path_factory.mktemp("lonely")
    (folder / "sitecustomize.py").write_text(LONELY, encoding="utf-8")
    (folder / "umap.py").write_text(ENDLESS_UMAP, encoding="utf-8")
    return folder / "asked"


@pytest.fixture(scope="session")
def address(toy_bundle: Path, asked_hosts: Path) -> Iterator[str]:
    """The page over the toy experts, by a server that can reach no other host."""
    with serving(toy_bundle, {"PYTHONPATH": str(asked_hosts.parent), "ASKED": str(asked_hosts)}) as (url, _, _):
        yield url


@pytest.fixture(scope="session")
def bundled() -> Iterator[str]:
    """The page as it ships, over the bundled model."""
    with serving() as (url, _, _):
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    from tests.support.browsing import CHROMIUM, QUIET

    expect.set_options(timeout=30_000)  # as all other waits; its own five seconds are short beside another process
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()
