"""A file sent as it is or packed, whichever the browser can unpack best."""

import gzip
from collections.abc import Callable, Mapping

import brotli
from starlette.requests import Request
from starlette.responses import Response

_PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda source: brotli.compress(source, quality=9),
    "gzip": lambda source: gzip.compress(source, 6),
}
"""The codings that a browser may ask for, the better one first."""


def packed(source: bytes, coding: str) -> bytes:
    """Bytes in a coding; as they are in any other."""
    return _PACK[coding](source) if coding in _PACK else source


def best_coding(accepted: str) -> str:
    """The best coding of those in an `Accept-Encoding` header; `identity` if there is none that we know."""
    return next((coding for coding in _PACK if coding in accepted), "identity")


def packed_response(request: Request, body: Callable[[str], bytes], kind: str, caching: str) -> Response:
    """An answer to a request for a file.  body: coding -> the file in it; kind: its media type; caching: for how long
    browsers and proxies may keep it."""
    coding = best_coding(request.headers.get("accept-encoding", ""))
    headers = {"Vary": "Accept-Encoding", "Cache-Control": caching}
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return Response(body(coding), media_type=kind, headers=headers)
