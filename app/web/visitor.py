"""Who asks: the address and the session, the model it is shown, and the language of its browser."""

import ipaddress
import os

import gradio as gr
from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.engine.fair_line import Visitor
from app.models import LoadedModel, ModelRegistry
from app.web.deep_link import linked, linked_language
from app.web.tabs import known_tab
from app.wording.catalogue import LANGUAGES
from app.wording.errors import UserError

PROXIES = "GLYPHSCOPE_PROXIES"
"""How many proxies in front of the server are trusted to say who asked them (`X-Forwarded-For`).  Not set: none, and
on a Space all of the hub's own."""


def visitor_of(request: gr.Request) -> Visitor:
    """The visitor whose limits apply and whose turn it is: the session of a page or of a client, and its address."""
    return Visitor(address_behind(request), str(request.session_hash))


def address_behind(request: gr.Request | HTTPConnection) -> str:
    """The address that a request came from (see `address_of`)."""
    client, headers = (getattr(request, name, None) for name in ("client", "headers"))  # not every request has them
    forwarded = str((headers or {}).get("x-forwarded-for", ""))
    return address_of(str(getattr(client, "host", "")), forwarded)


def address_of(peer: str, forwarded: str) -> str:
    """The address that asked: the peer's, or the one that trusted proxies saw.

    Each proxy appends the address that it was asked from, so only the last entries can be believed: with n trusted
    proxies the n-th from the right.  On a Space it is the last that is not of a private network: the hub's inner
    proxies have such addresses, and their number may change.
    """
    entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
    setting = os.environ.get(PROXIES, "")
    if setting:
        trusted = int(setting)
        seen = entries[-trusted] if 0 < trusted <= len(entries) else peer
    elif os.environ.get("SPACE_ID"):
        seen = next((entry for entry in reversed(entries) if _is_public(entry)), peer)
    else:
        seen = peer
    return household(seen) or household(peer) or peer


def household(address: str) -> str:
    """One name for all addresses that a single subscriber has: an IPv4 address, the /64 network of an IPv6 one; "" for
    what is no address."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or "")


def _is_public(address: str) -> bool:
    parsed = _parsed(address)
    return parsed is not None and parsed.is_global


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as some proxies write it: with a port, in brackets, IPv4 inside IPv6."""
    text = address.partition("]")[0].lstrip("[") if address.startswith("[") else address
    if text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def model_of(request: gr.Request, registry: ModelRegistry) -> LoadedModel:
    """The model that this visitor sees."""
    return registry.of(visitor_of(request).session)


def language_of(request: gr.Request) -> str:
    """The language of a page that Gradio asks about."""
    return _language(linked_language(request.query_params or {}), (request.headers or {}).get("accept-language"))


def asked_language(scope: Scope) -> str:
    """The language of any other request."""
    connection = HTTPConnection({**scope, "type": "http"})
    return _language(linked_language(connection.query_params), connection.headers.get("accept-language"))


def asked_tab(scope: Scope) -> str:
    """The tab that the address of a request asks for."""
    query = HTTPConnection({**scope, "type": "http"}).query_params
    try:
        asked = linked(query)
    except UserError:
        asked = None
    return known_tab(query.get("tab") or (asked.tab if asked else None))


def _language(asked: str | None, accepted: str | None) -> str:
    """That of the address if it has a known one, else the browser's first language, else English."""
    codes = (str(text or "")[:2].lower() for text in (asked, accepted))
    return next((code for code in codes if code in LANGUAGES), "en")
