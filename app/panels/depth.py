"""The depth panel: one prediction, layer by layer."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.substrate.scripts import script_of
from app.trace.record import Floats, Trace
from viz.depth import Depth, Option, depth_panel
from viz.html import Say

OPTIONS = 8
"""Candidates to choose from: a row of them."""


def depth_view(
    engine: Engine,
    trace: Trace,
    selected: int,
    say: Say,
    cell: tuple[int, int] | None = None,
    pinned: int | None = None,
) -> str:
    """What was about to follow the token before the selected one, layer by layer.

    cell: (expert, layer) whose candidates are listed, by default the first expert's last layer.
    pinned: the token to follow, by default the selected one.
    """
    position = selected - 1
    logs = engine.read_position(trace, position)
    token_id = int(trace.ids[selected]) if pinned is None else pinned
    expert, layer = cell or (0, logs.shape[1] - 1)
    best = _likeliest(logs[expert, layer])
    bundle = engine.bundle
    groups = script_groups(bundle.substrate.tokens)
    chances = np.exp(logs)
    return depth_panel(
        Depth(
            experts=trace.experts,
            read=trace.texts[position] if position else say("start"),
            pinned=engine.text_of(token_id),
            probabilities=chances[:, :, token_id],
            ranks=(logs > logs[:, :, token_id, None]).sum(-1, dtype=np.int32) + 1,
            entropy=-(chances * logs).sum(-1) / np.float32(np.log(2)),
            divergence=(chances[:, -1:] * (logs[:, -1:] - logs)).sum(-1) / np.float32(np.log(2)),
            scripts=tuple(groups),
            masses=np.stack([chances[:, :, group].sum(-1) for group in groups.values()], -1),
            options=tuple(
                Option(int(i), engine.text_of(int(i)), bundle.substrate.pictures[i], float(chances[expert, layer, i]))
                for i in best
            ),
            expert=expert,
            layer=layer,
        ),
        say,
    )


def _likeliest(logs: Floats) -> NDArray[np.int64]:
    """Ids of the likeliest tokens by their log-probabilities (V,), of equals the first id first."""
    found = np.argpartition(-logs, OPTIONS)[:OPTIONS]
    best: NDArray[np.int64] = found[np.lexsort((found, -logs[found]))]
    return best


@lru_cache(maxsize=4)
def script_groups(tokens: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    """Ids of a vocabulary by script, in a fixed order; empty groups left out."""
    scripts = np.array([script_of(text) for text in tokens])
    names = ("latin", "cyrillic", "han", "other")
    return {name: np.flatnonzero(scripts == name) for name in names if (scripts == name).any()}
