"""What a token means in the visitor's language, where that is known: from the word list, which people wrote, or else
from a dictionary that was made from sentence pairs (`app.training.glosses`)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from app.probing.word_list import gloss
from app.substrate.vocabulary import is_han

GLOSSES = Path(__file__).parents[2] / "assets" / "glosses.json"


@cache
def _record() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(GLOSSES.read_text(encoding="utf-8"))
    return record


def gloss_report(language: str) -> dict[str, float]:
    """Of the dictionary for readers of a language: how many foreign words the bundled vocabulary has as one token
    (words), which share of them has a gloss (covered), how many of these the word list knows too (checked), and which
    share of those has the list's very word (right); shares are 0..1."""
    report: dict[str, float] = _record()["report"][language]
    return report


def token_gloss(text: str, language: str) -> str:
    """What a token means in a language; empty for a token of that language, part of a word, or one nobody knows.

    A token counts as a whole word where a space stands before it, or where its script sets none.
    """
    word = text.strip()
    if not word or not (text[0] == " " or all(map(is_han, word))):
        return ""
    meant = gloss(word, language) or gloss(word.lower(), language) or _record()["glosses"][language].get(word.lower())
    return "" if meant is None or meant.lower() == word.lower() else meant
