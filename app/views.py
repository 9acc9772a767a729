"""From traces to what the panels draw: one function a figure, records in, HTML out."""

import unicodedata

import numpy as np

from app.engine import Engine
from app.fusion import disagreement, margin_shares, pair_weights, preference, rescore
from app.projection import neighbour_change, project
from app.substrate import glyph
from app.trace import Trace
from viz.experts import Candidate, Position, disagreement_chart, experts_panel
from viz.glyphs import GlyphCard, Neighbour, glyph_panel
from viz.html import Say, panel
from viz.layers import Labels, LensTable, Points, layers_panel, lens_panel
from viz.strip import Chip, strip

SHOWN_CANDIDATES = 8


def script_of(text: str) -> str:
    """`latin`, `cyrillic`, `han` or `other`: the script of the first letter of a text."""
    for character in text:
        name = unicodedata.name(character, "")
        for script, prefix in (("latin", "LATIN"), ("cyrillic", "CYRILLIC"), ("han", "CJK UNIFIED")):
            if name.startswith(prefix):
                return script
    return "other"


def most_disputed(trace: Trace) -> int:
    """The token to look at first: of those the model wrote (else of all) and that have a letter,
    the one before which the experts disagreed most."""
    first = trace.prompt if trace.prompt < len(trace) else 1
    apart = disagreement(trace)
    lettered = [i for i in range(first, len(trace)) if script_of(trace.texts[i]) != "other"]
    return max(lettered or range(first, len(trace)), key=lambda i: float(apart[i - 1]))


def strip_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """The strip of a finished text; the start token has no chip."""
    liked = preference(trace)
    pictures = engine.bundle.substrate.pictures
    chips = [
        Chip(i, trace.texts[i], pictures[trace.ids[i]], float(liked[i - 1]), written=i >= trace.prompt)
        for i in range(1, len(trace))
    ]
    return strip(chips, selected, trace.experts, say)


def writing_view(engine: Engine, prompt: list[int], written: list[tuple[int, float]], say: Say) -> str:
    """The strip while the model writes: prompt ids, then (id, preference) of each new token."""
    parts: list[tuple[int, float | None]] = [*((i, None) for i in prompt), *written]
    bundle = engine.bundle
    chips = [
        Chip(n, engine.text_of(i), bundle.substrate.pictures[i], liked, written=n > len(prompt))
        for n, (i, liked) in enumerate(parts, 1)
    ]
    return strip(chips, -1, bundle.experts, say, writing=True)


def glyph_view(engine: Engine, token: int, say: Say) -> str:
    """The glyph panel of a token id."""
    substrate = engine.bundle.substrate
    card = glyph(substrate, token)
    near = tuple(
        Neighbour(int(i), substrate.tokens[i], substrate.pictures[i], float(c))
        for i, c in zip(card.neighbours, card.cosines, strict=True)
    )
    return glyph_panel(
        GlyphCard(
            id=token,
            text=card.text,
            code_points=card.code_points,
            rendered=card.rendered,
            decoded=card.decoded,
            neighbours=near,
            kept=substrate.basis.kept,
            width=substrate.table.shape[1],
        ),
        say,
    )


def experts_view(engine: Engine, trace: Trace, selected: int, weight: float, say: Say) -> str:
    """The experts panel: what was expected just before the selected token, re-scored at `weight`."""
    position = selected - 1
    actual = int(trace.ids[selected]) if selected < len(trace) else -1
    columns, rankings = [], []
    for share in (1.0, weight, 0.0):
        ranking = rescore(trace, position, pair_weights(share))
        rankings.append(ranking)
        columns.append(
            tuple(
                Candidate(
                    int(i),
                    engine.text_of(int(i)),
                    engine.bundle.substrate.pictures[i],
                    float(np.exp(p)),
                    int(i) == actual,
                )
                for i, p in zip(ranking.ids[:SHOWN_CANDIDATES], ranking.log_probs, strict=False)
            )
        )
    shares = margin_shares(rankings[1], pair_weights(weight))
    view = Position(
        before=trace.texts[position] if position else say("start"),
        columns=tuple(columns),
        weight=weight,
        shares=(float(shares[0]), float(shares[1])),
        disagreement=float(disagreement(trace)[position]),
        jensen_shannon=float(trace.jensen_shannon[position]),
        spread=(float(trace.spread[position, 0]), float(trace.spread[position, 1])),
        certain=rankings[1].certain > 0,
        original=engine.text_of(int(trace.candidates[position, -1, 0])),
    )
    return experts_panel(view, trace.experts, say)


def disagreement_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Disagreement before every token after the start."""
    bitmaps = engine.bundle.substrate.pictures[trace.ids[1:]]
    return disagreement_chart(disagreement(trace)[:-1], trace.texts[1:], bitmaps, selected, say)


def layers_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Both experts' projections of all tokens after the start."""
    hidden = trace.hidden[:, :, 1:].astype(np.float32)
    if hidden.shape[2] < 3:
        return panel(say("layers_title"), say("layers_lead"), "", say("layers_few"), "layers")
    projections = [project(states) for states in hidden]
    points = tuple(Points(e, p.points, p.shown) for e, p in zip(trace.experts, projections, strict=True))
    labels = Labels(
        indices=tuple(range(1, len(trace))),
        texts=trace.texts[1:],
        scripts=tuple(script_of(text) for text in trace.texts[1:]),
        bitmaps=engine.bundle.substrate.pictures[trace.ids[1:]],
    )
    return layers_panel(points, labels, selected, tuple(neighbour_change(states) for states in hidden), say)


def lens_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Both experts' logit lenses."""
    lens = engine.lens(trace, top=1)
    tables = tuple(
        LensTable(
            expert,
            tuple(tuple(engine.text_of(int(i)) for i in row) for row in lens.ids[e, :, :, 0].T),
            np.exp(lens.log_probs[e, :, :, 0].T),
        )
        for e, expert in enumerate(trace.experts)
    )
    return lens_panel(tables, (say("start"), *trace.texts[1:]), selected, say)
