"""The page behind a path of another site, `https://host/demo`: GRADIO_ROOT_PATH names it.

The proxy may keep the path or strip it, and a visitor may leave out the closing slash: addresses in the page are
relative, so the page says what they are relative to.
"""

import os
from html import escape
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

SETTING = "GRADIO_ROOT_PATH"
_BASE = b'<base href="./" />'  # as Gradio writes it
_CLOSE = (
    "{const home = document.currentScript.dataset.home;"
    " if (location.pathname + '/' === home) history.replaceState(null, '', home + location.search + location.hash)}"
)
"""Adds the slash to the address: links within the page, `#…`, would load it anew without."""


def normalise_setting() -> None:
    """Let `demo`, `/demo` and `/demo/` mean the same."""
    value = os.environ.get(SETTING, "").strip()
    if value and "://" not in value:
        os.environ[SETTING] = "/" + value.strip("/") if value.strip("/") else ""


def path_prefix() -> str:
    """The path before the page, without a closing slash; "" if there is none."""
    return urlsplit(os.environ.get(SETTING, "")).path.rstrip("/")


class PathPrefix:
    """ASGI middleware that takes the path off where the proxy kept it, and leads from `/demo` to `/demo/`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._prefix = app, path_prefix()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, prefix = str(scope.get("path", "")), self._prefix
        if not prefix or not (path == prefix or path.startswith(prefix + "/")):
            return await self._app(scope, receive, send)
        if path == prefix and scope["type"] == "http":
            query = bytes(scope.get("query_string", b""))
            headers = [
                (b"location", prefix.encode() + b"/" + (b"?" + query if query else b"")),
                (b"content-length", b"0"),
            ]
            await send({"type": "http.response.start", "status": 307, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        raw = bytes(scope.get("raw_path") or path.encode()).removeprefix(prefix.encode())
        await self._app({**scope, "path": path.removeprefix(prefix), "raw_path": raw}, receive, send)


def with_base(page: bytes) -> bytes:
    """A page whose relative addresses begin at the path, also where the visitor left out the closing slash."""
    prefix = path_prefix()
    if not prefix:
        return page
    home = escape(f"{prefix}/")
    there = f"<base href='{home}'><script data-home='{home}'>{_CLOSE}</script>"
    return page.replace(_BASE, there.encode(), 1)
