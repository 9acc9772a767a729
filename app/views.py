"""From traces to what the panels draw: one function a figure, records in, HTML out."""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.engine import Engine, clean
from app.errors import UserError
from app.fusion import (
    FUSED,
    Fusion,
    added,
    disagreement,
    fusion_weights,
    margin_shares,
    next_log_probs,
    next_probability,
    overlap,
    pair_weights,
    preference,
    probability_shares,
    rescore,
    winner_balance,
)
from app.pictures import cell_borders
from app.projection import neighbour_change, neighbour_changes, project
from app.substrate import draw, glyph
from app.trace import Floats, Trace
from viz.depth import Depth, Option, depth_panel
from viz.experts import Beyond, Candidate, Part, Position, experts_panel
from viz.glyphs import GlyphCard, Meanings, Neighbour, glyph_panel
from viz.html import Say, panel
from viz.lab import Depths, Specimen, lab_figure
from viz.layers import Labels, LensTable, Points, layers_panel, lens_panel
from viz.strip import MEASURES, Chip, strip
from viz.text import Foretold, disagreement_panel

SHOWN_CANDIDATES = 8
NEAR_TOKENS = 6
LAB_CHARACTERS = 16
"""Longest text in the glyph laboratory: more characters no longer fit into 32 pixels."""


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


def measured(trace: Trace, measure: str) -> Floats:
    """A strip's measure at every position (T,): what held just before the token that follows."""
    functions = {"preference": preference, "balance": winner_balance, "disagreement": disagreement, "overlap": overlap}
    return trace.jensen_shannon if measure == "jensen_shannon" else functions[measure](trace)


def strip_view(engine: Engine, trace: Trace, selected: int, say: Say, measure: str = "preference") -> str:
    """The strip of a finished text; the start token has no chip."""
    values = measured(trace, measure)
    chips = [_chip(engine, i, int(trace.ids[i]), float(values[i - 1]), i >= trace.prompt) for i in range(1, len(trace))]
    return strip(chips, selected, MEASURES[measure], trace.experts, say)


def writing_view(engine: Engine, prompt: list[int], written: list[tuple[int, float]], say: Say) -> str:
    """The strip while the model writes: prompt ids, then (id, preference) of each new token."""
    parts: list[tuple[int, float | None]] = [*((i, None) for i in prompt), *written]
    chips = [_chip(engine, n, i, liked, n > len(prompt)) for n, (i, liked) in enumerate(parts, 1)]
    return strip(chips, -1, MEASURES["preference"], engine.bundle.experts, say, writing=True)


def _chip(engine: Engine, index: int, token: int, value: float | None, written: bool) -> Chip:
    substrate = engine.bundle.substrate
    text = substrate.tokens[token]
    unknown = token == engine.bundle.tokenizer.token_to_id("<unk>")
    borders = cell_borders(text, substrate.recipe)
    return Chip(index, text, substrate.pictures[token], value, written, unknown, borders)


def glyph_view(
    engine: Engine, token: int, say: Say, components: int | None = None, meanings: Meanings | None = None
) -> str:
    """The glyph panel of a token id, decoded from some (default: all) of its vector's coordinates, with
    the words that it comes to resemble."""
    substrate = engine.bundle.substrate
    card = glyph(substrate, token, components, neighbours=NEAR_TOKENS)
    near = tuple(
        Neighbour(int(i), substrate.tokens[i], substrate.pictures[i], float(c))
        for i, c in zip(card.neighbours, card.cosines, strict=True)
    )
    return glyph_panel(
        GlyphCard(
            id=token,
            text=card.text,
            script=script_of(card.text),
            code_points=card.code_points,
            rendered=card.rendered,
            decoded=card.decoded,
            borders=cell_borders(card.text, substrate.recipe),
            neighbours=near,
            kept=card.kept,
            components=card.components,
            width=substrate.table.shape[1],
            meanings=meanings,
        ),
        say,
    )


def lab_view(engine: Engine, first: str, second: str, say: Say, depths: Depths | None = None) -> str:
    """Two texts compared pixel by pixel, and (depths) layer by layer.

    Raises:
        UserError: for no text, or one too long for a picture.
    """
    substrate = engine.bundle.substrate
    specimens, vectors = [], []
    for text in (first, second):
        whole = clean(text) if isinstance(text, str) else ""
        if not 1 <= len(whole) <= LAB_CHARACTERS:
            raise UserError("bad_lab_text", limit=LAB_CHARACTERS)
        bitmap, vector = draw(substrate, whole)
        specimens.append(Specimen(whole, bitmap, engine.bundle.tokenizer.token_to_id(whole)))
        vectors.append(vector)
    return lab_figure(specimens[0], specimens[1], float(vectors[0] @ vectors[1]), say, depths)


def experts_view(
    engine: Engine, trace: Trace, selected: int, weight: float, say: Say, fusion: Fusion = "logits"
) -> str:
    """The experts panel: what was expected just before the selected token, re-scored under a
    fusion; `weight` is the first expert's (the gate sets its own)."""
    position = selected - 1
    actual = int(trace.ids[selected]) if selected < len(trace) else -1
    everywhere = fusion_weights(trace, fusion, weight)
    weights = everywhere[position]
    first, second = (rescore(trace, position, pair_weights(share)) for share in (1.0, 0.0))
    fused = rescore(trace, position, weights, fusion)
    shares = (
        margin_shares(fused, weights) if fusion == "logits" else probability_shares(trace, position, fused, weights)
    )
    columns = tuple(
        tuple(
            Candidate(
                id=int(i),
                text=engine.text_of(int(i)),
                bitmap=engine.bundle.substrate.pictures[i],
                probability=float(np.exp(p)),
                actual=int(i) == actual,
                moved=None if ranking is fused else _moved(ranking.ids, fused.ids, rank),
            )
            for rank, (i, p) in enumerate(zip(ranking.ids[:SHOWN_CANDIDATES], ranking.log_probs, strict=False))
        )
        for ranking in (first, fused, second)
    )
    leads = [
        Part(
            margin_shares(fused, weights, i, 0 if i else 1)
            if fusion == "logits"
            else probability_shares(trace, position, fused, weights, i, 0 if i else 1),
            added(trace, position, fused, i),
        )
        for i in range(len(columns[1]))
    ]
    view = Position(
        before=trace.texts[position] if position else say("start"),
        columns=columns,
        parts=tuple(leads),
        fusion=fusion,
        weight=float(weights[0]),
        shares=(float(shares[0]), float(shares[1])),
        disagreement=float(disagreement(trace)[position]),
        jensen_shannon=float(trace.jensen_shannon[position]),
        spread=(float(trace.spread[position, 0]), float(trace.spread[position, 1])),
        certain=fused.certain > 0,
        original=engine.text_of(int(trace.candidates[position, -1, 0])),
        changed=winners_changed(trace, everywhere, fusion),
        beyond=_beyond(engine, trace, selected, weights, fusion) if actual >= 0 else None,
    )
    return experts_panel(view, trace.experts, say)


def _beyond(engine: Engine, trace: Trace, selected: int, weights: Floats, fusion: Fusion) -> Beyond:
    """The selected token under each expert and their fusion; its fused rank where the trace has it."""
    position, token = selected - 1, int(trace.ids[selected])
    alone = np.exp(next_log_probs(trace)[position, :FUSED])
    ranks = trace.next_ranks[position]
    if fusion == "logits" and np.allclose(weights, trace.weights):
        fused = int(ranks[FUSED])
    else:  # one expert alone ranks like that expert
        fused = int(ranks[weights.argmax()]) if weights.max() == 1 else 0
    return Beyond(
        text=trace.texts[selected],
        bitmap=engine.bundle.substrate.pictures[token],
        probabilities=(float(alone[0]), next_probability(trace, position, weights, fusion), float(alone[1])),
        ranks=(int(ranks[0]), fused, int(ranks[1])),
    )


def _moved(ids: NDArray[np.int32], fused: NDArray[np.int32], rank: int) -> int:
    """Ranks that a candidate climbs (positive) or falls from one expert to the fusion."""
    there = np.flatnonzero(fused == ids[rank])
    return rank - int(there[0]) if len(there) else 0


def winners_changed(trace: Trace, weights: Floats, fusion: Fusion) -> int:
    """At how many positions another token would win, under weights (T, E), than at those the text was
    made with."""
    winners = (rescore(trace, t, weights[t], fusion).ids[0] for t in range(len(trace)))
    return sum(int(winner != trace.candidates[t, -1, 0]) for t, winner in enumerate(winners))


def disagreement_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Disagreement before every token after the start, and how well each token was foretold."""
    bitmaps = engine.bundle.substrate.pictures[trace.ids[1:]]
    foretold = Foretold(trace.experts, next_log_probs(trace)[:-1], trace.next_ranks[:-1])
    return disagreement_panel(disagreement(trace)[:-1], foretold, trace.texts[1:], bitmaps, selected, say)


def layers_view(engine: Engine, trace: Trace, selected: int, say: Say) -> str:
    """Both experts' projections of all tokens after the start."""
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
        expected=tuple(_side(float(value)) for value in preference(trace)[:-1]),
        bitmaps=engine.bundle.substrate.pictures[trace.ids[1:]],
    )
    return layers_panel(points, labels, selected, tuple(neighbour_change(states) for states in hidden), say)


def _side(value: float) -> str:
    """Who expected a token more, from its preference; `fused` where neither did."""
    return "fused" if abs(value) < MEASURES["preference"].none else "first" if value > 0 else "second"


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
