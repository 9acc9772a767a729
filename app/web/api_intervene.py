"""The public API of the instruments, callable with gradio_client: `patch`, `draw` and `attribute`."""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.drawing import draw as draw_picture
from app.intervene.drawing import open_canvas
from app.intervene.patching import patch_steps
from app.intervene.pixels import from_strings
from app.intervene.predictions import Predictions
from app.intervene.steps import run_to_end
from app.models import ModelRegistry
from app.panels.attribution import attribution_of
from app.panels.patching import PatchRequest, read_request
from app.panels.settings import whole
from app.web.arguments import text_of
from app.web.endpoint import add_endpoint, with_gradio_errors
from app.web.visitor import visitor_of
from app.wording.errors import UserError

DIGITS = 6


def add_intervene_api(registry: ModelRegistry, jobs: JobQueue) -> None:
    """Add the three endpoints to the page that is open; they answer with the model that visitors see first."""

    async def patch(first: str, second: str, request: gr.Request, answers: list[str] | None = None) -> dict[str, Any]:
        """Activation patching: put each state of the second text, one at a time, into the run of the first.

        Args:
            first: A text of at most 32 tokens.
            second: A text with as many tokens.
            answers: The two tokens whose margin is followed; without them, the likeliest after each text.

        Returns:
            `tokens`: of both texts, start token first; `changed`: positions at which they differ; `answers`;
            `margins` [expert][text] in nats and `effect` [expert][layer][position], the share of the margin's change
            that one state restores, the fusion last in both (null where the margin changes by less than 1 nat).
        """
        return await answered(jobs, registry, request, partial(patched, first=first, second=second, answers=answers))

    async def draw(text: str, index: int, pixels: list[str], request: gr.Request) -> dict[str, Any]:
        """Put a drawn picture in the place of a token and read the text again.

        Args:
            text: A text in Russian, Chinese or English.
            index: The token's position, from 1.
            pixels: 32 strings of 32 characters, 1 for ink and 0 for paper.

        Returns:
            `nearest`: tokens with the cosine of their pictures; `before` and `after` [expert]: the likeliest next
            tokens with natural log-probabilities; `jsd` [expert] in bits, the fusion last in all three;
            `path` [expert][layer] and `untrained` [layer]: distance of the token's state from its own, a random
            token's being 1.
        """
        return await answered(jobs, registry, request, partial(drawn, text=text, index=index, pixels=pixels))

    async def attribute(text: str, request: gr.Request, answers: list[str] | None = None) -> dict[str, Any]:
        """Direct logit attribution: what each part of the network adds to the margin of two tokens after a text.

        Args:
            text: A text in Russian, Chinese or English.
            answers: The two tokens to compare; without them, the likeliest two.

        Returns:
            `answers`; `parts`: names; `nats` [expert][part], which add up to `margins` [expert]; `fused`: the fusion's
            margin. Direct path only: what a part does through later blocks is not in it.
        """
        return await answered(jobs, registry, request, partial(attributed, text=text, answers=answers))

    answers = {"answers": ["water", "books"]}
    add_endpoint(with_gradio_errors(patch), {"first": "I drink a lot of", "second": "I read a lot of"}, answers)
    add_endpoint(with_gradio_errors(draw), {"text": "Мама сказала", "index": 1, "pixels": ["01" * 16] * 32})
    add_endpoint(with_gradio_errors(attribute), {"text": "I drink a lot of"}, answers)


async def answered(jobs: JobQueue, registry: ModelRegistry, request: gr.Request, answer: Any) -> dict[str, Any]:
    """What a function makes of the first model."""
    engine = registry.of("").engine
    found: dict[str, Any] = await jobs.run(visitor_of(request), lambda left: answer(engine, left))
    return found


def patched(engine: Engine, left: threading.Event, first: Any, second: Any, answers: Any) -> dict[str, Any]:
    """The record of `patch`."""
    read = read_request(engine, PatchRequest(text_of("first", first), text_of("second", second), _two(answers)))
    found = run_to_end(patch_steps(read), left)
    return {
        **model_names(engine),
        "tokens": [[engine.text_of(int(i)) for i in ids] for ids in (read.pair.first, read.pair.second)],
        "changed": read.pair.changed.tolist(),
        "answers": [engine.text_of(i) for i in read.pair.answers],
        "margins": plain(found.margins),
        "effect": plain(found.effect),
    }


def drawn(engine: Engine, left: threading.Event, text: Any, index: Any, pixels: Any) -> dict[str, Any]:
    """The record of `draw`."""
    picture, place, text = from_strings(pixels), whole(index), text_of("text", text)
    if place is None or place < 1:  # the start token has no picture
        raise UserError("bad_position", last=len(engine.encode(text)))
    found = draw_picture(open_canvas(engine, text, place), picture)
    return {
        **model_names(engine),
        "nearest": [
            {"id": int(token), "text": engine.text_of(int(token)), "cosine": round(float(cosine), DIGITS)}
            for token, cosine in zip(found.neighbours, found.cosines, strict=True)
        ],
        "before": likely(engine, found.change.before),
        "after": likely(engine, found.change.after),
        "jsd": plain(found.change.jensen_shannon),
        "path": plain(found.path),
        "untrained": None if found.untrained_path is None else plain(found.untrained_path),
    }


def attributed(engine: Engine, left: threading.Event, text: Any, answers: Any) -> dict[str, Any]:
    """The record of `attribute`."""
    _, found, _ = attribution_of(engine, text_of("text", text), _two(answers))
    return {
        **model_names(engine),
        "answers": [engine.text_of(i) for i in found.answers],
        "parts": [f"{name.kind} {name.layer}" if name.layer else name.kind for name in found.names],
        "nats": plain(found.parts),
        "margins": plain(found.margins),
        "fused": round(found.fused, DIGITS),
    }


def plain(values: Any) -> Any:
    """Arrays as nested lists; what is no number (nothing to explain) as null."""
    array = np.round(np.asarray(values, float), DIGITS)
    return np.where(np.isnan(array), None, array).tolist()  # type: ignore[call-overload]


def model_names(engine: Engine) -> dict[str, Any]:
    """Which model answers, and its experts."""
    return {"model": engine.bundle.name, "experts": list(engine.bundle.experts)}


def _two(answers: Any) -> tuple[Any, Any]:
    """Two answers, or none.

    Raises:
        UserError: `patch_answer` for anything else.
    """
    if answers is None or answers == []:
        return None, None
    if not isinstance(answers, Sequence) or isinstance(answers, str) or len(answers) != 2:
        raise UserError("patch_answer", text=str(answers)[:40])
    return answers[0], answers[1]


def likely(engine: Engine, rows: Predictions) -> list[list[dict[str, Any]]]:
    """The likeliest tokens by expert, as a record says them."""
    return [
        [
            {"id": int(token), "text": engine.text_of(int(token)), "log_prob": round(float(log_prob), DIGITS)}
            for token, log_prob in zip(ids, log_probs, strict=True)
        ]
        for ids, log_probs in zip(rows.ids, rows.log_probs, strict=True)
    ]
