"""One text, read by the toy experts: what the panels of a text are drawn from."""

import pytest
import torch

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.network.interface import Output
from app.trace.record import Trace


@pytest.fixture(scope="module")
def trace(engine: Engine) -> Trace:
    *_, last = engine.generate("Мама видит", Sampling(seed=2, new_tokens=12, temperature=1.1))
    assert last.trace is not None
    return last.trace


@pytest.fixture(scope="module")
def rows(engine: Engine, trace: Trace) -> torch.Tensor:
    with torch.inference_mode():
        output: Output = engine.model(torch.tensor([trace.ids.tolist()]))
        return output.logits[:, 0].double()
