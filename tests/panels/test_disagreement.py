"""The disagreement panel: bars and ranked positions."""

import re

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.panels.disagreement import disagreement_view
from app.panels.strip import most_disputed
from app.substrate.scripts import script_of
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import Reader

SAY = speaker("en")


def test_disagreement_bars_are_scaled_to_the_peak(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    p = rows.softmax(-1).numpy()
    apart = -np.log(np.sqrt(p[0] * p[1]).sum(-1))[:-1]
    html = disagreement_view(engine, trace, 1, SAY)
    heights = [float(x) for x in re.findall(r"--height:([\d.]+)", html)]
    assert heights == pytest.approx((apart / apart.max()).tolist(), abs=2e-3)
    assert f"{apart.max():.2f} nats" in html
    lettered = [i for i in range(trace.prompt, len(trace)) if script_of(trace.texts[i]) != "other"]
    assert most_disputed(trace) == max(lettered, key=lambda i: apart[i - 1])


def test_disputed_positions_are_ranked(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    p = rows.softmax(-1).numpy()
    apart = -np.log(np.sqrt(p[0] * p[1]).sum(-1))[:-1]
    buttons = Reader(disagreement_view(engine, trace, 1, SAY)).with_class("gs-disputed")
    shown = [int(button["data-index"]) for button in buttons]
    assert shown == (np.argsort(-apart, kind="stable")[:6] + 1).tolist()
