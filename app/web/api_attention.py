"""The public API of the heads: `attend` and `silence`, callable with gradio_client."""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.attention import fingerprints, head_attention, states_of
from app.intervene.pairs import answer_id
from app.intervene.runs import open_network, read
from app.intervene.silencing import Effect, Silenced, random_parts, reference_means, silencing_effect
from app.intervene.stories import read_stories
from app.models import ModelRegistry
from app.panels.attention import MOST_PARTS, part_named
from app.panels.attribution import likely_next
from app.web.api_intervene import answered, likely, model_names, plain
from app.web.arguments import text_of
from app.web.endpoint import add_endpoint, with_gradio_errors
from app.wording.errors import UserError


def add_attention_api(registry: ModelRegistry, jobs: JobQueue) -> None:
    """Add the two endpoints to the page that is open; they answer with the model that visitors see first."""

    async def attend(text: str, expert: str, layer: int, head: int, request: gr.Request) -> dict[str, Any]:
        """Attention of one head over a text, beside what silencing that head changes.

        Args:
            text: A text in Russian, Chinese or English.
            expert: The expert's name, such as RU or ZH.
            layer: The block, from 1.
            head: The head's number in its block, from 0.

        Returns:
            `tokens`, start token first; `weights` [token that looks][token looked at], each row adding up to 1;
            `shares`: mean attention on the previous token, the start token and the token itself, from the third token
            on (null in a shorter text); `jsd` [expert] in bits, the fusion last: how far silencing this head alone
            moves the prediction after the text. Where a head looks is not what it does.
        """
        asked = partial(attended, text=text, expert=expert, layer=layer, head=head)
        return await answered(jobs, registry, request, asked)

    async def silence(
        text: str, parts: list[dict[str, Any]], request: gr.Request, token: str | None = None
    ) -> dict[str, Any]:
        """Replace what parts of the network give by their mean over a reference text, all together, and read a text.

        Args:
            text: A text in Russian, Chinese or English.
            parts: What to silence: each an object with `expert` (its name), `kind` ("head", "attention", "mlp",
                "block" or "expert"), `layer` (the block, from 1) and `head` (from 0) where the kind has them.
            token: The token whose log-probability is followed; without it, the likeliest.

        Returns:
            `before` and `after` [expert]: the likeliest next tokens with natural log-probabilities; `jsd` [expert] in
            bits; `token` and `log_probs` [expert][before, after], the fusion last in all; `random`: the same for as
            many other parts at random (null where there are none); `reference`: the reference text.
        """
        return await answered(jobs, registry, request, partial(silenced, text=text, parts=parts, token=token))

    block = {"expert": "RU", "kind": "block", "layer": 1}
    add_endpoint(with_gradio_errors(attend), {"text": "Мама сказала", "expert": "RU", "layer": 1, "head": 0})
    add_endpoint(with_gradio_errors(silence), {"text": "Мама сказала", "parts": [block]}, {"token": "что"})


def attended(engine: Engine, left: threading.Event, text: Any, expert: Any, layer: Any, head: Any) -> dict[str, Any]:
    """The record of `attend`."""
    opened, ids = open_network(engine), [engine.bundle.start, *engine.encode(text_of("text", text))]
    part = part_named(engine, {"kind": "head", "expert": expert, "layer": layer, "head": head})
    weights = head_attention(opened, states_of(read(opened, ids)), part.expert, part.layer, part.head)
    prints = fingerprints(weights[None, None, None])
    shares = {"previous": prints.previous, "start": prints.start, "itself": prints.itself}
    effect = silencing_effect(opened, reference_means(engine), ids, (part,), ids[-1]).change
    return {
        **model_names(engine),
        "tokens": [engine.text_of(token) for token in ids],
        "weights": plain(weights),
        "shares": {name: plain(share.ravel())[0] for name, share in shares.items()},
        "jsd": plain(effect.jensen_shannon),
    }


def silenced(engine: Engine, left: threading.Event, text: Any, parts: Any, token: Any) -> dict[str, Any]:
    """The record of `silence`."""
    opened, ids = open_network(engine), [engine.bundle.start, *engine.encode(text_of("text", text))]
    chosen = named_parts(engine, parts)
    followed = int(likely_next(engine, ids).ids[-1, 0]) if token in (None, "") else answer_id(engine, token)
    means = reference_means(engine)
    found = silencing_effect(opened, means, ids, chosen, followed)
    others = random_parts(opened, chosen)
    by_chance = None if others is None else silencing_effect(opened, means, ids, others, followed)
    return {
        **model_names(engine),
        "parts": _named(engine, chosen),
        "token": engine.text_of(followed),
        "before": likely(engine, found.change.before),
        "after": likely(engine, found.change.after),
        **_effect(found),
        "random": None if by_chance is None else {"parts": _named(engine, by_chance.parts), **_effect(by_chance)},
        "reference": list(read_stories().reference),
    }


def named_parts(engine: Engine, parts: Any) -> tuple[Silenced, ...]:
    """Parts that a caller named, each once.

    Raises:
        UserError: `nothing_silenced`, `many_parts`, and see `part_named`.
    """
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        raise UserError("nothing_silenced")
    if len(parts) > MOST_PARTS:
        raise UserError("many_parts", limit=MOST_PARTS)
    return tuple(dict.fromkeys(part_named(engine, part) for part in parts))


def _effect(found: Effect) -> dict[str, Any]:
    return {"jsd": plain(found.change.jensen_shannon), "log_probs": plain(np.asarray(found.log_probs))}


def _named(engine: Engine, parts: Sequence[Silenced]) -> list[dict[str, Any]]:
    """Parts as a caller names them."""
    return [
        {"expert": engine.bundle.experts[part.expert], "kind": part.kind}
        | ({} if part.kind == "expert" else {"layer": part.layer})
        | ({"head": part.head} if part.kind == "head" else {})
        for part in parts
    ]
