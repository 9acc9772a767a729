"""What other sites show of a link to the page: title, sentence and picture, instead of those that Gradio puts there."""

import io
import re
from functools import cache
from html import escape
from pathlib import Path

from PIL import Image
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.web.security import refusal
from app.wording.catalogue import say

SCREENSHOT = Path(__file__).parents[2] / "assets" / "screenshot.png"
SIZE = 1200, 630
"""Pixels, as the sites that show previews advise."""

_TAG = re.compile(rb"<meta\s+(?:property=\"og:|name=\"(?:twitter:|description\"))[^>]*>\s*")
_HOST = re.compile(r"[\w.-]{1,200}(:\d{1,5})?", re.ASCII)


def with_preview(page: bytes, scope: Scope, language: str) -> bytes:
    """A page with our tags in its head; those of Gradio stand before the first script, ours take their place."""
    before, script, rest = page.partition(b"<script")
    head, opened, inside = before.partition(b"<head>")
    return head + opened + preview_tags(scope, language).encode() + _TAG.sub(b"", inside) + script + rest


def preview_tags(scope: Scope, language: str) -> str:
    """The tags in a language.  No `og:url`: sites would link to it, and lose the text of the link that was shared."""
    title, text = say("title", language), say("tagline", language)
    tags = [
        ("name", "description", text),
        ("name", "twitter:card", "summary_large_image"),
        ("property", "og:type", "website"),
    ]
    tags += [("property", "og:title", title), ("property", "og:description", text)]
    site = site_of(scope)
    if site and SCREENSHOT.exists():
        width, height = SIZE
        tags += [("property", "og:image", f"{site}/gs/preview.png"), ("property", "og:image:alt", text)]
        tags += [("property", "og:image:width", str(width)), ("property", "og:image:height", str(height))]
    return "".join(f'<meta {kind}="{name}" content="{escape(content, quote=True)}">' for kind, name, content in tags)


def site_of(scope: Scope) -> str:
    """Where the page is, for the picture needs a whole address: by what the proxy in front or the client says, which is
    safe, as it goes back only to the client that sent it; nothing where that is no host."""
    headers = Headers(scope=scope)
    host = headers.get("x-forwarded-host") or headers.get("host") or ""
    scheme = (headers.get("x-forwarded-proto") or str(scope.get("scheme", "http"))).split(",")[0].strip()
    if scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    return f"{scheme}://{host}{scope.get('root_path', '')}".rstrip("/")


async def preview_picture(request: Request) -> Response:
    """The picture of the page."""
    if not SCREENSHOT.exists():
        return refusal(404, "no_such_page", request.scope)
    return Response(_picture(), media_type="image/png", headers={"Cache-Control": "public, max-age=86400"})


@cache
def _picture() -> bytes:
    """The upper part of the screenshot in the size of a preview, in 256 colours: some sites take no larger file."""
    width, height = SIZE
    with Image.open(SCREENSHOT) as shot:
        part = shot.convert("RGB").crop((0, 0, shot.width, round(shot.width * height / width)))
    small = part.resize(SIZE, Image.Resampling.LANCZOS).quantize(256)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()
