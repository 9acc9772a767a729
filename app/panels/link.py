"""The link to the page as it is: its address, a QR code of it, and what to paste into another site."""

import json
from typing import Any

import segno

from viz.html import Say
from viz.link import link_box, view_holder

EMBED_HEIGHT = 760
"""Pixels of the frame in another site: room for a panel of the first tab."""


def link_view(address: str, say: Say) -> str:
    """The address with its code, and the frame that shows the open tab alone."""
    return link_box(address, f"{address}&embed=1", EMBED_HEIGHT, qr_code(address), say)


def view_html(view: dict[str, Any]) -> str:
    """What a link sets in the browser, as JSON in a hidden element for the page's script."""
    return view_holder(json.dumps(view))


def qr_code(text: str) -> str:
    """A QR code as an SVG element that takes the size of its place; empty for a text that no code has room for."""
    try:
        code = segno.make_qr(text, error="l", boost_error=False)
    except segno.DataOverflowError:
        return ""
    drawn: str = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="gs-qr", lineclass=None)
    return drawn
