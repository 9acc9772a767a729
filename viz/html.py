"""Small pieces of HTML that all panels share.  Everything that comes from data is escaped here."""

import base64
import io
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Say = Callable[..., str]
"""Gives a sentence by its code, in the visitor's language; keyword arguments fill it in."""

RU, ZH = "#d6604d", "#4393c3"
"""Expert colours, the first and the second: the same everywhere."""

_NAMED = {" ": "␣", "\n": "⏎", "\t": "⇥", "\u00a0": "⍽"}


def visible(text: str) -> str:
    """A token's text with whitespace and control characters made visible, not escaped."""
    return "".join(_NAMED.get(c) or (f"U+{ord(c):04X}" if unicodedata.category(c)[0] == "C" else c) for c in text)


def token(text: str) -> str:
    """A token's visible text as HTML, in an isolated direction so that no script can reorder a row."""
    return f"<bdi class='gs-tok'>{escape(visible(text))}</bdi>"


def picture(bitmap: NDArray[np.bool_], alt: str = "", size: int | None = None) -> str:
    """A bitmap (32, 32) as an inline image: black ink, clear paper (the page turns it in dark mode)."""
    style = f" style='width:{size}px;height:{size}px'" if size else ""
    return f"<img class='gs-pic' alt='{escape(alt, quote=True)}' src='{data_uri(bitmap)}'{style}>"


def data_uri(bitmap: NDArray[np.bool_]) -> str:
    """A bitmap as the address of an inline PNG."""
    return _data_uri(np.packbits(bitmap).tobytes(), bitmap.shape)


@lru_cache(maxsize=4096)
def _data_uri(packed: bytes, shape: tuple[int, int]) -> str:
    ink = np.unpackbits(np.frombuffer(packed, np.uint8), count=shape[0] * shape[1]).reshape(shape)
    image = Image.fromarray((1 - ink).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=1, bits=1, optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def percent(share: float) -> str:
    """A share as a percentage that never rounds to a plain 0 or 100 when it is neither."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{100 * share:.1f} %"


def panel(title: str, lead: str, body: str, summary: str, name: str) -> str:
    """A panel: heading, one line of explanation, the figure, a one-sentence summary under it."""
    return (
        f"<section class='gs-panel gs-{name}'><h2>{escape(title)}</h2><p class='gs-lead'>{escape(lead)}</p>"
        f"{body}<p class='gs-summary' role='status'>{escape(summary)}</p></section>"
    )
