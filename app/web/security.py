"""Middleware in front of the server: what may be asked, how much at once, and the headers of every answer.

Pure ASGI, so that it adds nothing to a stream but the headers of its first message.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.middleware.gzip import GZipMiddleware

from app.wording.catalogue import LANGUAGES, say

MAX_BODY = 8_000_000
"""Bytes of one request; a text is at most a few kB, and one too long gets a better sentence from the engine."""

BOOT = secrets.token_hex(8)
"""Another one each time the server starts: a page that sees it change loads itself anew."""

_OPEN = re.compile(
    r"/(|config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|pwa_icon(/\d+)?|(assets|static|svelte)/.+|"
    r"gs/.+|gradio_api/(info/?|app_id/?|user/?|startup-events|heartbeat/\w+|queue/(join|data)/?|cancel|reset/?|"
    r"(run|api|call)/\w+(/\w+)?/?|mcp(/.*)?))"
)
"""What the page and gradio_client ask for.  Uploads, files, proxies, recordings and the rest of Gradio stay shut."""

_PACKED = re.compile(r"/|/config/?|/gradio_api/(run|api)/.+")
"""What Gradio leaves uncompressed though it is long text; streams stay as they are, so that nothing waits in them."""

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self' https://huggingface.co"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}
"""Gradio's page needs inline scripts and `eval`; nothing may come from, or go to, another host."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class SecurityMiddleware:
    """ASGI middleware around the whole server."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._packed = GZipMiddleware(app, minimum_size=1_000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        if not _OPEN.fullmatch(path) or ".." in path:
            return await refuse(send, 404, say("no_such_page", accepted_language(scope)))
        if int(header(scope, b"content-length") or 0) > MAX_BODY:
            await drained(receive)
            return await refuse(send, 413, say("large_request", accepted_language(scope)))
        app = self._packed if _PACKED.fullmatch(path) else self._app
        await app(scope, limited(receive), with_security_headers(send))


async def drained(receive: Receive) -> None:
    """Read a body to its end, up to a limit, so that the client gets to read the answer."""
    passed, more = 0, True
    while more and passed < 5 * MAX_BODY:
        message = await receive()
        passed += len(message.get("body", b""))
        more = bool(message.get("more_body"))


def limited(receive: Receive) -> Receive:
    """A body of undeclared length, cut off at the limit."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        return {"type": "http.disconnect"} if total > MAX_BODY else message

    return counted


def with_security_headers(send: Send) -> Send:
    """Add our headers to an answer."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            kept = [(name, value) for name, value in message["headers"] if name.lower() != b"server"]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return with_headers


async def refuse(send: Send, status: int, sentence: str) -> None:
    """Answer with one sentence."""
    body = json.dumps({"detail": sentence}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await with_security_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def header(scope: Scope, name: bytes) -> str:
    """A header of a request, empty if it has none or one that is no number where one is due."""
    found = next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
    return found if name != b"content-length" or found.isdecimal() else ""


def accepted_language(scope: Scope) -> str:
    """The browser's first language, if it is one of ours."""
    code = header(scope, b"accept-language")[:2].lower()
    return code if code in LANGUAGES else "en"
