"""Fixtures: two toy experts really trained on a few kB of text, once a test run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import pytest
import torch

from app.checkpoint.bundle import load_bundle
from app.engine.engine import Engine
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.training import commands as train
from tests.support.server import serving

TESTS = Path(__file__).parent
TEXT = TESTS / "support" / "text"
SHARED = TESTS.parent.parent / "shared"
TOY_SHAPE = ["--layers", "2", "--heads", "4", "--context", "48"]


SLOW = {"browser", "server", "training", "foreign"}
"""Folders of tests that `make quick` leaves out, but for those marked `quick`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in SLOW and item.get_closest_marker("quick") is None:
            item.add_marker("slow")
    # Playwright keeps an event loop on this thread from its first test on; `asyncio.run` needs a thread without one.
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


def train_toy(work: Path, *arguments: str) -> None:
    train.main(["--work", str(work), "--threads", "1", *arguments])


@pytest.fixture(scope="session")
def toy_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder in which the whole chain ran: prepare, two experts, evaluate."""
    work = tmp_path_factory.mktemp("toy")
    train_toy(work, "prepare", "--text", str(TEXT), "--size", "512", "--width", "64")
    train_toy(work, "expert", "ru", "--mix", "ru=0.6,en=0.3,zh=0.1", "--tokens", "32000", *TOY_SHAPE)
    train_toy(work, "expert", "zh", "--mix", "zh=0.6,en=0.3,ru=0.1", "--tokens", "32000", *TOY_SHAPE)
    train_toy(work, "evaluate")
    return work


@pytest.fixture(scope="session")
def toy_bundle(toy_work: Path) -> Path:
    """The checkpoint folder of the two toy experts."""
    train_toy(toy_work, "bundle", "--to", str(toy_work / "bundle"))
    return toy_work / "bundle"


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
def address(toy_bundle: Path) -> Iterator[str]:
    """The page over the toy experts."""
    with serving(toy_bundle) as (url, _, _):
        yield url


@pytest.fixture(scope="session")
def bundled() -> Iterator[str]:
    """The page as it ships, over the bundled model."""
    with serving() as (url, _, _):
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.support.browsing import CHROMIUM, QUIET

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()
