"""The public API, callable with gradio_client: `look` and `generate`."""

import asyncio
from typing import Any

import gradio as gr
import numpy as np

from app.engine.queue import QueuedRequest
from app.engine.sampling import Sampling
from app.models import ModelRegistry
from app.trace.fusion import disagreement, next_log_probs
from app.trace.record import Trace
from app.web.visitor import visitor_of
from app.wording.errors import UserError

_POLL_SECONDS = 0.02


def add_api(demo: gr.Blocks, registry: ModelRegistry) -> None:
    """Add the two public endpoints to a page; they answer with the model that visitors see first."""

    async def look(text: str, request: gr.Request) -> dict[str, Any]:
        """Read a text once and return, for every token, what each expert and their fusion gave it.

        Args:
            text: Russian, Chinese or English, at most 2,000 characters and 255 tokens.

        Returns:
            `experts`: their names; `tokens`: a list of records with `id`, `text`, `log_probs` (natural
            logarithms under each expert and, last, their fusion) and `disagreement` (nats) before it.
        """
        with _spoken():
            requests = registry.of("").requests
            return record(await finished(requests.look(text, visitor=visitor_of(request))))

    async def generate(
        prompt: str, request: gr.Request, temperature: float = 0.8, top_k: int = 50, top_p: float = 0.95, seed: int = 0,
        new_tokens: int = 48, first_weight: float = 0.5,
    ) -> dict[str, Any]:  # fmt: skip
        """Continue a prompt and return the text with the same records as `look`.

        Args:
            prompt: Russian, Chinese or English, at most 2,000 characters and 254 tokens.
            temperature: 0 (always the likeliest token) to 2.
            top_k: draw among this many tokens; 0 is off.
            top_p: draw among the likeliest tokens that make up this probability; 1 is off.
            seed: the same seed gives the same text.
            new_tokens: at most this many, 1 to 128.
            first_weight: weight of the first expert's logits, 0 to 1.

        Returns:
            `text`, `prompt_tokens` and the fields of `look`.
        """
        with _spoken():
            if not isinstance(first_weight, int | float):
                raise UserError("bad_weights", count=2)
            sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)
            requests = registry.of("").requests
            weights = [first_weight, 1 - first_weight] if requests.engine.bundle.adjustable else None
            trace = await finished(requests.write(prompt, sampling, weights, visitor_of(request)))
            return {"text": trace.text, "prompt_tokens": trace.prompt - 1, **record(trace)}

    with demo:
        for function in (look, generate):
            gr.api(function, api_name=function.__name__, concurrency_limit=None)  # type: ignore[attr-defined]


async def finished(queued: QueuedRequest) -> Trace:
    """The trace of a request once it is done; cancelling the call abandons the request."""
    try:
        while not queued.done.is_set():
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        queued.abandon()
    return queued.result()


class _spoken:
    """Turn our error for people into Gradio's, which reaches the client with its message."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, UserError):
            raise gr.Error(str(error), print_exception=False) from error


def record(trace: Trace) -> dict[str, Any]:
    """A trace as plain JSON values, one record a token after the start token."""
    scores, apart = next_log_probs(trace), disagreement(trace)
    return {
        "model": trace.model,
        "experts": list(trace.experts),
        "tokens": [
            {
                "id": int(trace.ids[i]),
                "text": trace.texts[i],
                "log_probs": np.round(scores[i - 1].astype(float), 6).tolist(),
                "disagreement": round(float(apart[i - 1]), 6),
            }
            for i in range(1, len(trace))
        ],
    }
