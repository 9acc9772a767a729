"""From traces to the three panels about layers: paths of tokens, the logit lens, one prediction in depth."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.substrate.scripts import script_of
from app.trace.fusion import preference
from app.trace.projection import neighbour_change, neighbour_changes, project
from app.trace.record import Trace
from viz.depth import Depth, Option, depth_panel
from viz.html import Say, panel
from viz.layers import Labels, LensTable, Points, layers_panel, lens_panel
from viz.strip import MEASURES

LENS_WORK = 30_000_000_000
"""Multiplications that the lens may take, about a second on one core: the bundled model never reaches them."""


def layers_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Every expert's projections of all tokens after the start."""
    hidden = trace.hidden[:, :, 1:].astype(np.float32)
    if hidden.shape[2] < 3:
        return panel(say, "layers", "", say("layers_few"))
    projections = [project(states) for states in hidden]
    points = tuple(
        Points(expert, p.points, p.shown, p.trust, neighbour_changes(states))
        for expert, p, states in zip(trace.experts, projections, hidden, strict=True)
    )
    labels = Labels(
        indices=tuple(range(1, len(trace))),
        texts=trace.texts[1:],
        scripts=tuple(script_of(text) for text in trace.texts[1:]),
        expected=_expected(trace),
        bitmaps=engine.bundle.substrate.pictures[trace.ids[1:]],
    )
    return layers_panel(points, labels, selected, tuple(neighbour_change(states) for states in hidden), say)


def _expected(trace: Trace) -> tuple[str, ...]:
    """Who expected each token after the start more; nobody where there are not two experts."""
    if len(trace.experts) != 2:
        return ("fused",) * (len(trace) - 1)
    return tuple(_side(float(value)) for value in preference(trace)[:-1])


def _side(value: float) -> str:
    """Who expected a token more, from its preference; `fused` where neither did."""
    return "fused" if abs(value) < MEASURES["preference"].none else "first" if value > 0 else "second"


def lens_window(engine: Engine, trace: Trace, selected: int) -> range:
    """The positions that the lens reads: all, or for a large model the part of the text with the position before
    the selected token."""
    experts, layers, length, width = trace.hidden.shape
    size = max(4, LENS_WORK // (experts * layers * width * engine.model.shape.vocabulary))
    first = (selected - 1) // size * size if size < length else 0
    return range(first, min(first + size, length))


def lens_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Every expert's logit lens."""
    window = lens_window(engine, trace, selected)
    lens = engine.lens(trace, top=1, positions=window)
    tables = tuple(
        LensTable(
            expert,
            tuple(tuple(engine.text_of(int(i)) for i in row) for row in lens.ids[e, :, :, 0].T),
            np.exp(lens.log_probs[e, :, :, 0].T),
        )
        for e, expert in enumerate(trace.experts)
    )
    return lens_panel(tables, (say("start"), *trace.texts[1:]), selected, say, window)


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
    best = np.argsort(-logs[expert, layer], kind="stable")[:10]
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


@lru_cache(maxsize=4)
def script_groups(tokens: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    """Ids of a vocabulary by script, in a fixed order; empty groups left out."""
    scripts = np.array([script_of(text) for text in tokens])
    names = ("latin", "cyrillic", "han", "other")
    return {name: np.flatnonzero(scripts == name) for name in names if (scripts == name).any()}
