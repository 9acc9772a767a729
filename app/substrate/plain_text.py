"""Text as the page and the training read it: one normal form, so that both feed the network the same characters."""

import re
import unicodedata

_ZERO_WIDTH = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Soft hyphen, zero-width space and joiners, marks of direction (those that turn it around
included), word joiner, invisible operators, byte order mark."""

_SPACES = re.compile("[\t\v\f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
"""Tabs, no-break, thin, ideographic and other spaces, and Unicode's line and paragraph separators."""


def plain_text(text: str) -> str:
    """A text in composed characters (NFC), with plain line ends, every kind of space as a space, without
    zero-width characters, and U+FFFD for what is no character at all (lone surrogates)."""
    whole = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    whole = whole.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _SPACES.sub(" ", _ZERO_WIDTH.sub("", whole)))
