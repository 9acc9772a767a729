"""Codes of rooms: five letters that can be read off a wall and typed on any keyboard."""

import secrets
from typing import Any

LETTERS = "ACDEFHJKMNPRTWXY"
"""Those that are not taken for another letter or a digit: no B (8), G (6), I, L (1), O, Q (0), S (5), U, V, Z (2)."""

LENGTH = 5  # 16^5: a million codes, so a guess among 50 rooms fails 20,000 times

_LOOK_ALIKES = str.maketrans("АСЕНКМРТХУ", "ACEHKMPTXY")
"""Cyrillic letters of the same shape, for pupils whose keyboard is set to Russian."""


def new_code() -> str:
    """A random code."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def typed_code(text: Any) -> str:
    """The code that somebody typed, in whatever case, spacing or alphabet; "" for what cannot be one."""
    if not isinstance(text, str) or len(text) > 4 * LENGTH:
        return ""
    code = "".join(text.split()).upper().translate(_LOOK_ALIKES)
    return code if len(code) == LENGTH and set(code) <= set(LETTERS) else ""
