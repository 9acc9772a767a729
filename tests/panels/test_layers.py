"""The layers panel: points of every layer."""

import json

import numpy as np
import torch

from app.engine.engine import Engine
from app.panels.layers import layers_view
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import Reader

SAY = speaker("en")


def test_layers_panel_holds_every_layer_of_both_experts(engine: Engine, trace: Trace) -> None:
    reader = Reader(layers_view(engine, trace, 1, SAY))
    data = json.loads(reader.with_class("gs-layers-data")[0]["data-paths"])
    assert np.array(data["paths"]).shape == (2, 3, len(trace) - 1, 2)
    assert len(data["names"]) == 3 and all(len(s) == 3 for s in data["shown"])
    states = trace.hidden[0, 0, 1:].astype(float)
    sizes = np.linalg.svd(states - states.mean(0), compute_uv=False) ** 2
    assert SAY.percent(float(sizes[:2].sum() / sizes.sum())) in data["shown"][0][0]


def test_a_text_of_two_tokens_has_no_projection(engine: Engine) -> None:
    assert "at least three" in layers_view(engine, engine.look("кот"), 1, SAY)


def test_tokens_are_marked_by_the_expert_who_expected_them_more(
    engine: Engine, trace: Trace, rows: torch.Tensor
) -> None:
    logs = rows.log_softmax(-1)
    points = [a for a in Reader(layers_view(engine, trace, 1, SAY)).with_class("gs-point")][: len(trace) - 1]
    for point in points:
        i = int(point["data-index"])
        liked = float(logs[0, i - 1, trace.ids[i]] - logs[1, i - 1, trace.ids[i]])
        side = "fused" if abs(liked) < 0.1 else "first" if liked > 0 else "second"
        assert f"gs-by-{side}" in point["class"].split()
