"""A link that opens the page on a text of one's own: what is in its address, `?text=…&seed=…`.

The page itself writes such addresses (`assets/page/link.js`).  They come from anywhere, so they are checked like any
other input: the text by the engine, the numbers here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from app.engine.sampling import Sampling


@dataclass(frozen=True)
class Linked:
    """A text to write on, and how."""

    text: str
    sampling: Sampling


def linked(query: Mapping[str, str]) -> Linked | None:
    """What an address asks for; None where it has no text.

    Raises:
        UserError: for a setting that is no number or out of its range.
    """
    text = query.get("text", "")
    if not text.strip():
        return None
    names = [field.name for field in fields(Sampling) if query.get(field.name)]
    return Linked(text, Sampling(**{name: _number(query[name]) for name in names}))  # type: ignore[arg-type]


def _number(value: str) -> float | str:
    """A number as it is written, else the text itself, which no setting takes."""
    try:
        return int(value) if value.isdecimal() and len(value) < 20 else float(value)
    except ValueError:
        return value
