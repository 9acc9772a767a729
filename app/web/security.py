"""Middleware in front of the server: what may be asked, how much at once, and the headers of every answer.

Pure ASGI, so that it adds nothing to a stream but the headers of its first message.
"""

import re
import secrets
from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.packed_stream import PackedStream
from app.web.visitor import asked_language
from app.wording.catalogue import say
from app.wording.errors import UserError

MAX_BODY = 8_000_000
"""Bytes of one request; a text is at most a few kB, and one too long gets a better sentence from the engine."""

BOOT = secrets.token_hex(8)
"""Another one each time the server starts: a page that sees it change loads itself anew."""

_OPEN = re.compile(
    r"/(|config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|pwa_icon(/\d+)?|(assets|static|svelte)/.+|"
    r"gs/.+|lesson/sheet|room(/\w+(/\w+)?)?|gradio_api/(info/?|app_id/?|user/?|startup-events|heartbeat/\w+|"
    r"queue/(join|data)/?|cancel|reset/?|"
    r"(run|api|call)/\w+(/\w+)?/?|mcp(/.*)?))"
)
"""What the page and gradio_client ask for.  Uploads, files, proxies, recordings and the rest of Gradio stay closed."""

_PACKED = re.compile(r"/|/config/?|/lesson/sheet|/room(/\w+)?|/gradio_api/(run|api)/.+")
"""What Gradio leaves uncompressed though it is long text."""

_STREAMED = "/gradio_api/queue/data"
"""Where all that listeners answer comes, as events."""

EMBED = "https://huggingface.co https://*.hf.space"
"""Sites that may show the page in a frame, unless others are set."""

_SITE = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?", re.IGNORECASE)

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}
"""Gradio's page needs inline scripts and `eval`; nothing may come from, or go to, another host."""


def security_headers(embed: str = EMBED) -> dict[str, str]:
    """The headers of every answer. embed: the sites that may show the page in a frame, separated by spaces; none if
    it is empty.

    Raises:
        UserError: `bad_embed`, for what is no site: it would end the header, or open it to all.
    """
    for site in embed.split():
        if not _SITE.fullmatch(site):
            raise UserError("bad_embed", value=site[:80])
    ancestors = " ".join(["frame-ancestors 'self'", *embed.split()])
    return {**HEADERS, "content-security-policy": f"{HEADERS['content-security-policy']}; {ancestors}"}


class SecurityMiddleware:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] | None = None) -> None:
        self._app, self._headers = app, headers or security_headers()
        self._packed = GZipMiddleware(app, minimum_size=1_000, compresslevel=5)
        self._streamed = PackedStream(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        send = with_security_headers(send, self._headers)
        if not _OPEN.fullmatch(path) or ".." in path:
            refused = refusal(404, "no_such_page", scope)
            return await refused(scope, receive, send)
        if declared_length(scope) > MAX_BODY:
            await drained(receive)
            refused = refusal(413, "large_request", scope)
            return await refused(scope, receive, send)
        app = self._packed if _PACKED.fullmatch(path) else self._streamed if path == _STREAMED else self._app
        await app(scope, limited(receive), send)


async def unfit_body(request: Request, error: Exception) -> Response:
    """What is wrong with a body of JSON, without quoting it: it may hold numbers that JSON cannot say (`Infinity`)."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    return JSONResponse({"detail": [{"loc": fault["loc"], "msg": fault["msg"]} for fault in faults]}, 422)


async def drained(receive: Receive) -> None:
    """Read a body to its end, up to a limit, so that the client receives the answer."""
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


def with_security_headers(send: Send, added: Mapping[str, str]) -> Send:
    """Add headers to an answer, but for those that it has already: a page of its own may be stricter."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message}
            headers = MutableHeaders(scope=message)
            del headers["server"]
            for name, value in added.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith("text/event-stream"):
                headers["x-accel-buffering"] = "no"  # a proxy that collects answers would hold back a stream
        await send(message)

    return with_headers


def refusal(status: int, code: str, scope: Scope) -> JSONResponse:
    """An answer of one sentence, in the visitor's language."""
    return JSONResponse({"detail": say(code, asked_language(scope))}, status)


def declared_length(scope: Scope) -> int:
    """Bytes of the body by its header; 0 without one, or with one that is no number."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0
