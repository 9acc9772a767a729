"""What the save menus hold."""

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import saved

SAY = speaker("en")


def test_downloads_hold_what_is_drawn(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    """Each table against the model; every value has the shape of its axes (checked by Table itself)."""
    experts = saved(experts_view(engine, trace, 4, 0.5, SAY))["table"]
    best = rows[0, 3].softmax(-1).sort(descending=True)
    assert experts["index"] == {"source": ["RU", "fused", "ZH"], "rank": list(range(1, 9))}
    assert experts["values"]["id"][0] == best.indices[:8].tolist()
    assert experts["values"]["probability"][0] == pytest.approx(best.values[:8].tolist(), rel=1e-3)
    text = saved(disagreement_view(engine, trace, 1, SAY))["table"]["values"]
    logs = rows.log_softmax(-1)
    expected = [float(logs[1, t, trace.ids[t + 1]]) for t in range(len(trace) - 1)]
    assert text["log_prob_ZH"] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert text["text"] == list(trace.texts[1:])
    card = saved(glyph_view(engine, int(trace.ids[2]), SAY))
    assert card["rendered"] == engine.bundle.substrate.pictures[trace.ids[2]].astype(int).tolist()
    layers = saved(layers_view(engine, trace, 1, SAY))["table"]
    assert np.shape(layers["values"]["x"]) == (2, 3, len(trace) - 1)
    assert layers["values"]["text"][1][2] == list(trace.texts[1:])
    lens = saved(lens_view(engine, trace, 1, SAY))["table"]
    assert np.shape(lens["values"]["best"]) == (2, len(trace), 3)
    depth = saved(depth_view(engine, trace, 2, SAY))["table"]["values"]
    masses = sum(np.array(depth[name]) for name in depth if name.startswith("mass_"))
    assert np.allclose(masses, 1, atol=1e-3) and np.shape(depth["entropy"]) == (2, 3)
