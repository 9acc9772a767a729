"""Reading the HTML of panels as a browser would."""

import base64
import gzip
import json
from html.parser import HTMLParser
from typing import Any

HOSTILE = [
    "${1+1}",
    "{{x}}",
    "`a`",
    "\\n\\",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><b>",
    "\u202eabc",
]
"""Texts that would be markup, code or controls if they were not escaped."""


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.tags if name in attributes.get("class", "").split()]


def saved(html: str) -> dict[str, Any]:
    """What the panel's download holds."""
    button = next(a for _, a in Reader(html).tags if "data-packed" in a)
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(button["data-packed"])))
    return data
