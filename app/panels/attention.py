"""Who looks where, and what it does: from a text to the attention of its heads and to what silencing them changes."""

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.intervene.attention import Fingerprints, all_attention, fingerprints, states_of
from app.intervene.head_effects import HeadEffects, silence_each_head
from app.intervene.interface import OpenedNetwork
from app.intervene.pairs import LARGE, MAX_TOKENS, MAX_TOKENS_LARGE, ReadPair, answer_id
from app.intervene.patching import patch_heads
from app.intervene.runs import open_network, read
from app.intervene.silencing import (
    Effect,
    Kind,
    Silenced,
    check_parts,
    random_parts,
    reference_means,
    silencing_effect,
)
from app.intervene.steps import run_to_end
from app.panels.attribution import likely_next
from app.panels.patching import PatchRequest, read_request
from app.panels.settings import whole
from app.trace.record import Floats
from app.wording.errors import UserError
from viz.tokens import visible

MOST_PARTS = 512
"""Parts that are silenced together at most."""
Head = tuple[int, int, int]
"""Expert, block from 1, head from 0."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of all heads after some ids, kept so that a click on another head need not measure it anew.
    pair, patched: two texts of ids with two answers, and the effects (E, L, H) of their heads, where the ids are one
    of these texts."""

    model: str
    ids: tuple[int, ...]
    token: int
    effects: HeadEffects
    pair: tuple[tuple[int, ...], tuple[int, ...], tuple[int, int]] | None = None
    patched: Floats | None = None


@dataclass(frozen=True, eq=False)
class AttentionRequest:
    """What a visitor looks at, unchecked: a text, the position from which a head looks and after which the prediction
    is read (None: the last), the token whose log-probability is followed (None: the next one of the text, or the
    likeliest), the head on view (None: the first in rank), the silenced parts (None: that head)."""

    text: Any
    index: Any = None
    token: Any = None
    head: Head | None = None
    parts: tuple[Silenced, ...] | None = None
    measured: Measured | None = None


@dataclass(frozen=True, eq=False)
class Attended:
    """An answered request.  ids (T,), start token first.  weights (E, L, H, T, T), prints: of all heads on the text.
    likely: tokens to follow.  ranked: heads, first in rank first; empty where the network is too large to measure
    them all.  alone: the head on view silenced; chosen: the parts, None where there are none; by_chance: as many
    others at random, None where there are none."""

    engine: Engine
    ids: tuple[int, ...]
    index: int
    token: int
    likely: tuple[int, ...]
    weights: Floats
    prints: Fingerprints
    measured: Measured | None
    ranked: tuple[Head, ...]
    head: Head
    alone: Effect
    chosen: Effect | None
    by_chance: Effect | None


def attend(
    engine: Engine, asked: AttentionRequest, pair: PatchRequest | None, left: threading.Event
) -> tuple[AttentionRequest, Attended]:
    """Answer a request, and give it back with what was not given filled in.  pair: the two texts on view where states
    are moved.

    Raises:
        UserError: for a text that cannot be read or is too long (`patch_long`), a position outside it (`bad_position`),
        a text that is no token (`patch_answer`), an unknown part (`no_head`, `silence_fixed`),
            a network that cannot be opened (`cannot_open`); `cancelled` once nobody waits.
    """
    opened = open_network(engine)
    ids = (engine.bundle.start, *engine.encode(asked.text))
    large = engine.model.trained > LARGE
    limit = MAX_TOKENS_LARGE if large else MAX_TOKENS
    if len(ids) - 1 > limit:
        raise UserError("patch_long", length=len(ids) - 1, limit=limit)
    index = len(ids) - 1 if asked.index is None else whole(asked.index)
    if index is None or not 0 <= index < len(ids):
        raise UserError("bad_position", last=len(ids) - 1)
    seen = ids[: index + 1]
    likely = likely_next(engine, list(seen)).ids[-1].tolist()
    following = ids[index + 1] if index + 1 < len(ids) else int(likely[0])
    token = following if asked.token in (None, "") else answer_id(engine, asked.token)
    measured = None if large else measure(engine, opened, seen, token, asked.measured, pair, left)
    ranked = () if measured is None else ranking(measured)
    head = asked.head or (ranked[0] if ranked else (0, opened.shape.layers, 0))
    parts = (part_of(head),) if asked.parts is None else asked.parts
    silenced = partial(silencing_effect, opened, reference_means(engine), seen, token=token)
    others = random_parts(opened, parts) if parts else None
    weights = all_attention(opened, states_of(read(opened, ids)))
    found = Attended(
        engine=engine,
        ids=ids,
        index=index,
        token=token,
        likely=tuple(dict.fromkeys((following, token, *map(int, likely)))),
        weights=weights,
        prints=fingerprints(weights),
        measured=measured,
        ranked=ranked,
        head=head,
        alone=silenced((part_of(head),)),
        chosen=silenced(parts) if parts else None,
        by_chance=None if others is None else silenced(others),
    )
    return replace(asked, index=index, token=token, head=head, measured=measured), found


def measure(
    engine: Engine,
    opened: OpenedNetwork,
    ids: tuple[int, ...],
    token: int,
    known: Measured | None,
    pair: PatchRequest | None,
    left: threading.Event,
) -> Measured:
    """Effects of all heads after some ids: of silencing each, and of patching each where the ids are a text of the
    pair; without a pair, of the one that is known."""
    if known is None or (known.model, known.ids, known.token) != (engine.bundle.name, ids, token):
        effects = run_to_end(silence_each_head(opened, reference_means(engine), read(opened, ids), token), left)
        known = Measured(engine.bundle.name, ids, token, effects)
    if pair is None:
        return known
    try:
        texts: ReadPair | None = read_request(engine, pair)
    except UserError:  # nothing to explain there: nothing to rank by
        texts = None
    if texts is not None and tuple(texts.pair.second.tolist()) == ids:
        texts = texts.reversed
    if texts is None or tuple(texts.pair.first.tolist()) != ids:
        return replace(known, pair=None, patched=None)
    key = (ids, tuple(map(int, texts.pair.second)), texts.pair.answers)
    return known if known.pair == key else replace(known, pair=key, patched=patch_heads(texts)[:-1])


def ranking(measured: Measured) -> tuple[Head, ...]:
    """All heads: by what patching one restores of its own expert's margin, else by how far silencing one moves the
    followed token."""
    size = np.abs(measured.effects.moved)
    if measured.patched is not None:
        size = np.nan_to_num(measured.patched, nan=-np.inf)
    order: NDArray[np.int64] = np.argsort(-size, axis=None, kind="stable")
    experts, layers, heads = np.unravel_index(order, size.shape)
    return tuple((int(e), int(layer) + 1, int(h)) for e, layer, h in zip(experts, layers, heads, strict=True))


def part_of(head: Head) -> Silenced:
    """A head as a part that can be silenced."""
    expert, layer, number = head
    return Silenced(expert, "head", layer, number)


def part_named(engine: Engine, named: Any) -> Silenced:
    """A part that a browser or a caller named: kind, expert (its number or its name), layer, head.

    Raises:
        UserError: `no_head` where there is none such; `silence_fixed`; `cannot_open`.
    """
    opened, given = open_network(engine), named if isinstance(named, dict) else {}
    expert, kind = given.get("expert"), given.get("kind")
    if isinstance(expert, str) and expert in engine.bundle.experts:
        expert = engine.bundle.experts.index(expert)
    numbers = [whole(value) for value in (expert, given.get("layer", 0), given.get("head", 0))]
    kinds: tuple[Kind, ...] = get_args(Kind)
    if None in numbers or not isinstance(kind, str) or kind not in kinds:
        raise UserError("no_head", layers=opened.shape.layers, heads=opened.shape.heads - 1)
    place, layer, head = (number or 0 for number in numbers)
    part = Silenced(
        place,
        next(known for known in kinds if known == kind),
        0 if kind == "expert" else layer,
        head if kind == "head" else 0,
    )
    check_parts(opened, [part])
    return part


def tokens_to_follow(found: Attended) -> list[tuple[str, int]]:
    """(text, id) of tokens to follow."""
    return [(visible(found.engine.text_of(token)), token) for token in found.likely]
