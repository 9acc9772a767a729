"""The public API, callable with gradio_client: `look`, `generate` and `model`."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from app.engine.engine import MAX_CHARACTERS, Engine
from app.engine.fair_line import Visitor
from app.engine.job_queue import JobQueue
from app.engine.queue import MAX_PER_WINDOW, MAX_UNDER_WAY, WINDOW_SECONDS, QueuedRequest
from app.engine.sampling import MAX_NEW_TOKENS, Sampling
from app.models import LoadedModel, ModelRegistry
from app.panels.provenance import model_source
from app.panels.settings import FUSIONS
from app.panels.text_record import MAX_NUMBERS, MAX_TOP, PARTS, Wanted, check_size, text_record
from app.probing.word_list import MAX_WORDS
from app.trace.fusion import Fusion
from app.trace.record import Trace
from app.web.arguments import MAX_TEXTS, choice_of, choices_of, texts_of, weight_of, whole_of, wholes_of
from app.web.endpoint import add_endpoint, with_gradio_errors
from app.web.visitor import visitor_of
from app.wording.errors import UserError

_POLL_SECONDS = 0.02

Texts = str | list[str]


def add_api(registry: ModelRegistry) -> None:
    """Add the public endpoints about texts to the page that is open; the model that visitors see first answers."""
    jobs = JobQueue()

    async def model() -> dict[str, Any]:
        """Which model answers: its name, the checksum or revision of its weights, its experts, layers and limits.

        Returns:
            `model`; `checksum` of the weights or `revision` of the hub; `experts`; `shape`: numbers of experts, layers,
            heads, tokens, the width and the context; `fusion`; `limits` of every call.
        """
        return model_record(registry.of(""))

    text = {"text": "The cat and the dog", "include": ["top", "jsd"]}
    layers = {"layers": [0, 1]}
    add_endpoint(with_gradio_errors(look_endpoint(registry, jobs)), text, layers)
    prompt = {"prompt": "Мама сказала:", "include": ["shares"]}
    add_endpoint(with_gradio_errors(generate_endpoint(registry, jobs)), prompt, layers)
    add_endpoint(with_gradio_errors(model), {})


def look_endpoint(registry: ModelRegistry, jobs: JobQueue) -> Callable[..., Any]:
    """The endpoint that reads texts; its records are made in the thread of the jobs."""

    async def look(
        text: Texts, request: gr.Request, include: list[str] | None = None, top: int = 10, fusion: str = "logits",
        layers: list[int] | None = None, first_weight: float = 0.5,
    ) -> dict[str, Any]:  # fmt: skip
        """Read a text once and return, for every token, what each expert and their fusion gave it.

        Args:
            text: Russian, Chinese or English, at most 2,000 characters and 255 tokens; or a list of at most 16 such
                texts.
            include: What else to answer, any of: top (the likeliest tokens), shares (each expert's exact part of the
                winner's lead), jsd (Jensen-Shannon divergence of the experts, bits), lens (what each layer would
                predict), hidden (hidden states as float16 .npy files in base64, at most 8,388,608 numbers a call).
            top: How many tokens of each expert and the fusion, 1 to 32.
            fusion: How the experts are fused: logits (mean of logits), probabilities (mean of probabilities) or gate
                (weights by likelihood of the text so far).
            layers: Layers of lens and hidden, from 0, the frozen pictures; without them, all.
            first_weight: Weight of the first expert in the fusion, 0 to 1.

        Returns:
            `model`; `experts`: their names; `tokens`: a list of records with `id`, `text`, `log_probs` (natural
            logarithms under each expert and, last, their fusion), `disagreement` (nats) before it and, on request,
            `top` {name: [[id, text, log-probability]]}, `shares` and `jsd` of the prediction before it; on request
            `next`: the same after the last token; `lens`: `ids`, `texts`, `log_probs` [expert][layer][position];
            `hidden`: `shape` (expert, position, width), `layers` {layer: base64 of .npy}. Of a list of texts:
            `texts`, a list of such records.
        """
        model, texts = registry.of(""), texts_of("text", text)
        weight = weight_of("first_weight", first_weight)
        wanted = _wanted(model.engine, include, top, fusion, layers)
        weights = [weight, 1 - weight] if model.engine.bundle.adjustable and weight != 0.5 else None
        longest = max(len(model.engine.encode(one)) for one in texts) + 1
        check_size(model.engine, len(texts), longest, wanted)
        visitor = visitor_of(request)
        begin = [partial(model.requests.look, one, weights, visitor) for one in texts]
        return _joined(text, await _records(jobs, visitor, model.engine, await answers_of(begin), wanted))

    return look


def generate_endpoint(registry: ModelRegistry, jobs: JobQueue) -> Callable[..., Any]:
    """The endpoint that writes on; its records are made in the thread of the jobs."""

    async def generate(
        prompt: Texts, request: gr.Request, temperature: float = 0.8, top_k: int = 50, top_p: float = 0.95,
        seed: int = 0, new_tokens: int = 48, first_weight: float = 0.5, include: list[str] | None = None,
        top: int = 10, fusion: str = "logits", layers: list[int] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Continue a prompt and return the text with the same records as `look`.

        Args:
            prompt: Russian, Chinese or English, at most 2,000 characters and 254 tokens; or a list of at most 16 such
                texts.
            temperature: 0 (always the likeliest token) to 2.
            top_k: Draw among this many tokens; 0 is off.
            top_p: Draw among the likeliest tokens that make up this probability; 1 is off.
            seed: The same seed gives the same text.
            new_tokens: At most this many, 1 to 128.
            first_weight: Weight of the first expert's logits, 0 to 1; the text is written under the mean of logits.
            include: What else to answer, any of: top, shares, jsd, lens, hidden (see `look`).
            top: How many tokens of each expert and the fusion, 1 to 32.
            fusion: Under which fusion the answer scores the text: logits, probabilities or gate.
            layers: Layers of lens and hidden, from 0, the frozen pictures; without them, all.

        Returns:
            `text`, `prompt_tokens` and the fields of `look`. Of a list of prompts: `texts`, a list of such records.
        """
        model, prompts = registry.of(""), texts_of("prompt", prompt)
        if not isinstance(first_weight, int | float):
            raise UserError("bad_weights", count=2)
        wanted = _wanted(model.engine, include, top, fusion, layers)
        sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)
        longest = max(len(model.engine.encode(one)) for one in prompts) + 1 + new_tokens
        check_size(model.engine, len(prompts), min(longest, model.engine.context), wanted)
        weights = [first_weight, 1 - first_weight] if model.engine.bundle.adjustable else None
        visitor = visitor_of(request)
        begin = [partial(model.requests.write, one, sampling, weights, visitor) for one in prompts]
        traces = await answers_of(begin)
        records = await _records(jobs, visitor, model.engine, traces, wanted)
        written = [
            {"text": trace.text, "prompt_tokens": trace.prompt - 1, **record}
            for trace, record in zip(traces, records, strict=True)
        ]
        return _joined(prompt, written)

    return generate


def model_record(model: LoadedModel) -> dict[str, Any]:
    """What the endpoint `model` answers."""
    bundle = model.engine.bundle
    return {
        **model_source(model),
        "shape": dict(vars(model.engine.model.shape)),
        "parameters": model.engine.model.trained,
        "fusion": bundle.fusion,
        "weights": None if bundle.weights is None else list(bundle.weights),
        "limits": {
            "texts_in_one_call": MAX_TEXTS,
            "characters": MAX_CHARACTERS,
            "tokens": model.engine.context - 1,
            "new_tokens": MAX_NEW_TOKENS,
            "top": MAX_TOP,
            "hidden_numbers": MAX_NUMBERS,
            "words": MAX_WORDS,
            "texts_at_once": MAX_UNDER_WAY,
            f"texts_in_{WINDOW_SECONDS:.0f}_seconds": MAX_PER_WINDOW,
        },
    }


def _wanted(engine: Engine, include: Any, top: Any, fusion: Any, layers: Any) -> Wanted:
    """What a caller asks for, checked."""
    chosen: Fusion = choice_of("fusion", fusion, FUSIONS)  # type: ignore[assignment]
    return Wanted(
        parts=choices_of("include", include, PARTS),
        top=whole_of("top", top, 1, MAX_TOP),
        fusion=chosen if engine.bundle.adjustable else "logits",
        layers=wholes_of("layers", layers, 0, engine.model.shape.layers),
    )


def _joined(given: Texts, records: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of one text, or those of several."""
    return records[0] if isinstance(given, str) else {"texts": records}


async def _records(
    jobs: JobQueue, visitor: Visitor, engine: Engine, traces: Sequence[Trace], wanted: Wanted
) -> list[dict[str, Any]]:
    """The records of finished texts, made beside the server's own thread where that takes long."""
    if not wanted.parts:
        return [text_record(engine, trace, wanted) for trace in traces]
    return await jobs.run(visitor, lambda left: [text_record(engine, trace, wanted) for trace in traces])


async def answers_of(begin: Sequence[Callable[[], QueuedRequest]]) -> list[Trace]:
    """The traces of several requests, as many at once as one visitor may have under way."""
    places = asyncio.Semaphore(MAX_UNDER_WAY)

    async def one(start: Callable[[], QueuedRequest]) -> Trace:
        async with places:
            return await answer_of(start())

    tasks = [asyncio.create_task(one(start)) for start in begin]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # one that failed ends the others
            task.cancel()


async def answer_of(queued: QueuedRequest) -> Trace:
    """The trace of a request once it is done; cancelling the call abandons the request."""
    try:
        while not queued.done.is_set():
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        queued.abandon()
    return queued.result()
