"""What is sent to a room: bodies and addresses from outside, checked before anything is done with them."""

import json
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from app.wording.errors import UserError

MAX_BODY = 2_000  # bytes
MAX_ADDRESS = 400  # characters


async def body_of(request: Request) -> dict[str, Any]:
    """A JSON object; read to its end in any case, so that the sender receives the answer.

    Raises:
        UserError: `large_request`, `room_bad_request`; the latter for other types too, which a page of another site
            could send without being asked first.
    """
    body = b""
    async for part in request.stream():
        body = (body + part)[: MAX_BODY + 1]
    if len(body) > MAX_BODY:
        raise UserError("large_request")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UserError("room_bad_request")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise UserError("room_bad_request") from None
    if not isinstance(found, dict):
        raise UserError("room_bad_request")
    return found


def page_address(address: Any) -> str:
    """The folder of the page's own address, which only its browser knows: there may be proxies between.

    Raises:
        UserError: `room_bad_request`.
    """
    if not isinstance(address, str) or len(address) > MAX_ADDRESS or not address.isascii() or not address.isprintable():
        raise UserError("room_bad_request")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise UserError("room_bad_request") from None
    if parts.scheme not in ("http", "https") or not parts.netloc or " " in address:
        raise UserError("room_bad_request")
    folder = parts.path.rpartition("/")[0]
    return f"{parts.scheme}://{parts.netloc}{folder}/"
