"""The script of a text, by the names that Unicode gives its characters."""

import unicodedata

from app.substrate.byte_text import without_bytes

_PREFIXES = {"LATIN": "latin", "CYRILLIC": "cyrillic", "CJK UNIFIED": "han"}


def script_of(text: str) -> str:
    """`latin`, `cyrillic` or `han`, by the first letter that is one of them; else `other`,
    as for bytes that are parts of a character."""
    for character in without_bytes(text):
        name = unicodedata.name(character, "")
        for prefix, script in _PREFIXES.items():
            if name.startswith(prefix):
                return script
    return "other"
