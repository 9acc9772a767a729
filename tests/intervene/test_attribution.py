"""Attribution against the network's own margins, in double precision, and against parts read out one by one."""

import copy

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.intervene.attribution import attribute
from app.intervene.interface import OpenedNetwork
from app.intervene.stacked import OpenedExperts
from app.network.experts import StackedExperts
from tests.intervene.plain import Recorder, plain

IDS = [2, 20, 11, 30, 17, 9]


@pytest.fixture(scope="module")
def double(tiny: Engine) -> StackedExperts:
    model = copy.deepcopy(tiny.model)
    assert isinstance(model, StackedExperts)
    return model.double()


def test_parts_add_up_to_the_margin(double: StackedExperts) -> None:
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
    opened = OpenedExperts(double, weights)
    found = attribute(opened, IDS, (4, 49))
    wanted = [float((row := plain(double, e, double.embedding[IDS])[-1])[4] - row[49]) for e in range(2)]
    assert found.parts.shape == (2, 7) == (2, len(found.names))
    assert np.allclose(found.margins, wanted, atol=1e-6)
    assert np.allclose(found.parts.sum(1), wanted, atol=1e-6)
    assert found.shares is not None and found.shares.sum() == pytest.approx(found.fused, abs=1e-9)
    assert found.fused == pytest.approx(0.3 * wanted[0] + 0.7 * wanted[1], abs=1e-6)
    assert (found.cancellation >= 1 - 1e-9).all()


def test_each_part_is_what_it_adds_at_the_final_scale(tiny: Engine, opened: OpenedNetwork) -> None:
    model = tiny.model
    assert isinstance(model, StackedExperts)
    found = attribute(opened, IDS, (4, 49))
    for expert in range(2):
        seen = Recorder()
        plain(model, expert, model.embedding[IDS], seen)
        last = seen.seen["state", 3][-1]
        head = model.head[expert] / (last.var(unbiased=False) + 1e-5).sqrt()
        for number, name in enumerate(found.names):
            part = seen.seen["state", 0] if name.kind == "embedding" else seen.seen[name.kind, name.layer]
            logits = (part[-1] - part[-1].mean()) @ head
            assert found.parts[expert, number] == pytest.approx(float(logits[4] - logits[49]), abs=1e-3)
            centred = logits - logits.mean()
            assert found.promoted[expert, number, 0] == int(centred.argmax())
            assert found.suppressed_by[expert, number, 0] == pytest.approx(float(centred.min()), abs=1e-3)
