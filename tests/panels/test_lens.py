"""The logit lens: cells, and the window of a large model."""

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.panels import lens as lens_module
from app.panels.lens import lens_view
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import Reader, saved

SAY = speaker("en")


def test_the_lens_of_a_large_model_reads_the_part_with_the_chosen_token(
    engine: Engine, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    experts, layers, _, width = trace.hidden.shape
    whole_lens = engine.lens(trace, top=1)
    monkeypatch.setattr(lens_module, "LENS_WORK", 4 * experts * layers * width * engine.model.shape.vocabulary)
    for selected in range(1, len(trace)):
        window = lens_module.lens_window(engine, trace, selected)
        assert selected - 1 in window and len(window) <= 4 and window.stop <= len(trace)
        part = engine.lens(trace, top=1, positions=window)
        assert np.array_equal(part.ids, whole_lens.ids[:, :, window.start : window.stop])
    html = lens_view(engine, trace, 6, SAY)
    table = saved(html)["table"]
    assert list(table["index"]["position"]) == [4, 5, 6, 7]
    assert np.shape(table["values"]["best"]) == (2, 4, 3)
    assert "<tr data-index='6' aria-selected='true'>" in html and "data-index='2'" not in html
    assert f"of positions 0 to {len(trace) - 1}, only those from 4 to 7" in html


def test_lens_cells_show_the_best_token_of_each_layer(engine: Engine, trace: Trace) -> None:
    html = lens_view(engine, trace, 1, SAY)
    cells = [float(a["style"].split(":")[1]) for tag, a in Reader(html).tags if tag == "td"]
    per_expert = len(trace) * 3
    assert len(cells) == 2 * per_expert
    states = torch.from_numpy(trace.hidden[1, 1, 4]).float()
    normed = (states - states.mean()) / torch.sqrt(states.var(unbiased=False) + 1e-5)
    expected = (normed @ engine.model.head[1]).softmax(-1).max()  # type: ignore[attr-defined]
    assert cells[per_expert + 4 * 3 + 1] == pytest.approx(float(expected), abs=2e-3)
