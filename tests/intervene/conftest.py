"""The tiny engine, made once."""

import pytest

from app.engine.engine import Engine
from app.intervene.interface import OpenedNetwork
from app.intervene.runs import open_network
from tests.intervene.tiny import tiny_engine


@pytest.fixture(scope="session")
def tiny() -> Engine:
    return tiny_engine()


@pytest.fixture(scope="session")
def opened(tiny: Engine) -> OpenedNetwork:
    return open_network(tiny)
