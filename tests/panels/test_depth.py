"""One prediction by depth, against the network itself."""

import numpy as np
import torch

from app.engine.engine import Engine
from app.panels.depth import depth_view, script_groups
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import Reader

SAY = speaker("en")


def test_depth_follows_a_token_through_the_layers(engine: Engine, trace: Trace) -> None:
    """Against a plain read-out of the stored states in double precision."""
    selected, pinned = 5, int(trace.candidates[4, 0, 1])
    html = depth_view(engine, trace, selected, SAY, cell=(1, 1), pinned=pinned)
    states = torch.from_numpy(trace.hidden[:, :, selected - 1]).double()
    normed = (states - states.mean(-1, keepdim=True)) / torch.sqrt(states.var(-1, unbiased=False, keepdim=True) + 1e-5)
    p = (normed @ engine.model.head.double()).softmax(-1)  # type: ignore[attr-defined]
    shown = [a["data-pin"] for _, a in Reader(html).tags if "data-pin" in a]
    assert [int(i) for i in shown] == p[1, 1].sort(descending=True).indices[:8].tolist()
    best = p[1, 1].max()
    assert SAY.percent(float(best)) in html
    entropy = -(p * p.log2()).sum(-1)
    divergence = (p[:, -1:] * (p[:, -1:].log2() - p.log2())).sum(-1)
    chance = p[:, :, pinned]
    ranks = (p > chance[..., None]).sum(-1) + 1
    lines = [a["aria-label"] for tag, a in Reader(html).tags if tag == "svg" and "aria-label" in a]
    for line, expected in (
        (lines[0], [SAY.percent(float(chance[e, layer])) for e in (0, 1) for layer in (0, -1)]),
        (lines[1], [f"{int(ranks[e, layer])}" for e in (0, 1) for layer in (0, -1)]),
        (lines[2], [f"{float(entropy[e, layer]):.1f}" for e in (0, 1) for layer in (0, -1)]),
        (lines[3], [f"{abs(float(divergence[e, layer])):.1f}" for e in (0, 1) for layer in (0, -1)]),
    ):
        ends = line.rsplit(": ", 1)[1].replace("-0.0", "0.0")
        assert ends == f"{expected[0]} → {expected[1]} · {expected[2]} → {expected[3]}"


def test_script_masses_add_up(engine: Engine, trace: Trace) -> None:
    html = depth_view(engine, trace, 3, SAY)
    cells = [float(a["style"].split(":")[1]) for tag, a in Reader(html).tags if tag == "td"]
    table = np.array(cells).reshape(2, -1, 3)
    assert np.allclose(table.sum(1), 1, atol=3e-3)
    groups = script_groups(engine.bundle.substrate.tokens)
    assert sum(map(len, groups.values())) == len(engine.bundle.substrate.tokens)
