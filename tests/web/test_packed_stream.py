"""Event streams as they are sent: packed, and each message at once."""

import asyncio
import zlib
from typing import Any

import gradio as gr
import pytest

from app.web.answers import by_component
from app.web.packed_stream import PackedStream

EVENTS = [b"data: {}\n\n", b"data: " + b"<img>" * 2_000 + b"\n\n", b"data: " + b"<img>" * 2_000 + b"\n\n"]


def sent(accepted: bytes, kind: bytes, packed: bytes = b"") -> list[dict[str, Any]]:
    """What is sent to one who takes these codings, of an answer of this kind."""
    messages: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind), *([(b"content-encoding", packed)] if packed else [])]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for event in EVENTS:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {"type": "http", "headers": [(b"accept-encoding", accepted)]}
    asyncio.run(PackedStream(app)(scope, None, send))  # type: ignore[arg-type]
    return messages


def test_every_event_can_be_read_as_soon_as_it_is_sent() -> None:
    start, *parts = sent(b"gzip, deflate, br", b"text/event-stream; charset=utf-8")
    assert (b"content-encoding", b"gzip") in start["headers"] and (b"vary", b"Accept-Encoding") in start["headers"]
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert [unpacker.decompress(part["body"]) for part in parts] == [*EVENTS, b""] and unpacker.eof
    assert len(parts[1]["body"]) < 200 and len(parts[2]["body"]) < len(parts[1]["body"])


@pytest.mark.parametrize(
    ("accepted", "kind", "packed"),
    [
        (b"identity", b"text/event-stream", b""),
        (b"gzip", b"application/json", b""),
        (b"gzip", b"text/event-stream", b"br"),
    ],
)
def test_other_answers_stay_as_they_are(accepted: bytes, kind: bytes, packed: bytes) -> None:
    start, *parts = sent(accepted, kind, packed)
    assert [part["body"] for part in parts] == [*EVENTS, b""]
    assert (b"content-encoding", b"gzip") not in start["headers"]


def test_what_is_answered_in_steps_ends_with_a_step_that_changes_nothing() -> None:
    """Gradio sends the last step twice."""

    class Layout:
        first, second = "component 1", "component 2"

    async def steps() -> Any:
        yield {"first": 1}
        yield {"first": 2, "second": 3}

    async def answers() -> list[Any]:
        return [answer async for answer in by_component(Layout, steps)()]

    assert asyncio.run(answers()) == [{"component 1": 1}, {"component 1": 2, "component 2": 3}, gr.skip()]
