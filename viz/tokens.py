"""A token as HTML: its text with everything made visible, and its picture.  Also filters of the templates."""

import base64
import io
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray
from PIL import Image

_NAMED = {" ": "␣", "\n": "⏎", "\t": "⇥", "\u00a0": "⍽"}


_CACHED = 4096
"""A strip is drawn again at every token that is written: texts and pictures of most of its chips are known."""


@lru_cache(_CACHED)
def visible(text: str) -> str:
    """A token's text with whitespace and control characters made visible, not escaped."""
    return "".join(_NAMED.get(c) or (f"U+{ord(c):04X}" if unicodedata.category(c)[0] == "C" else c) for c in text)


@lru_cache(_CACHED)
def token(text: str) -> Markup:
    """A token's visible text as HTML, in an isolated direction so that no script can reorder a row."""
    return Markup(f"<bdi class='gs-tok'>{escape(visible(text))}</bdi>")


def picture(bitmap: NDArray[np.bool_], alt: str = "") -> Markup:
    """A bitmap (32, 32) as an inline image: black ink, clear paper (the page turns it in dark mode)."""
    return _picture(np.packbits(bitmap).tobytes(), bitmap.shape, alt)


def picture_with_cells(bitmap: NDArray[np.bool_], borders: Sequence[float], alt: str = "") -> Markup:
    """A bitmap with the borders (shares of its width) between the cells of an n-gram's characters."""
    return _with_cells(np.packbits(bitmap).tobytes(), bitmap.shape, tuple(borders), alt)


def data_uri(bitmap: NDArray[np.bool_]) -> str:
    """A bitmap as the address of an inline PNG, which every program reads that takes a saved SVG file."""
    return _data_uri(np.packbits(bitmap).tobytes(), bitmap.shape)


@lru_cache(_CACHED)
def _with_cells(packed: bytes, shape: tuple[int, int], borders: tuple[float, ...], alt: str) -> Markup:
    lines = "".join(f"M{round(32 * x, 1):g} 0v32" for x in borders)
    grid = f"<svg viewBox='0 0 32 32' aria-hidden='true'><path d='{lines}'/></svg>" if lines else ""
    return Markup(f"<span class='gs-gridded'>{_picture(packed, shape, alt)}{grid}</span>")


@lru_cache(_CACHED)
def _picture(packed: bytes, shape: tuple[int, int], alt: str) -> Markup:
    return Markup(f"<img class='gs-pic' alt='{escape(alt)}' src='{_webp(packed, shape)}'>")


@lru_cache(_CACHED)
def _webp(packed: bytes, shape: tuple[int, int]) -> str:
    """A bitmap as an inline WebP: half of a PNG, and a text sends two hundred of them.  Quality is effort here: more of
    it takes four times as long, for eight bytes."""
    pixels = np.zeros((*shape, 4), np.uint8)
    pixels[..., 3] = 255 * _unpacked(packed, shape)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=True, quality=0, method=0)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _unpacked(packed: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=shape[0] * shape[1]).reshape(shape)


@lru_cache(_CACHED)
def _data_uri(packed: bytes, shape: tuple[int, int]) -> str:
    image = Image.fromarray((1 - _unpacked(packed, shape)).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=1, bits=1, optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
