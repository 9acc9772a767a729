"""Pictures of tokens: text in, 32 x 32 bitmaps out, drawn with GNU Unifont.

Two recipes.  `published` follows bvv241 (Bochkov 2025) step by step: one cell a character, the
same seeded noise for every token, 1-bit nearest-pixel resize.  `legible` keeps the words readable:
natural advance widths, a grey box filter, no noise.  Nothing here knows vocabularies or models.
"""

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from app.substrate.byte_text import bytes_of, has_bytes
from app.system.lfs import refuse_pointers
from app.wording.errors import UserError

SIDE = 32
PIXELS = SIDE * SIDE
FONT_PATH = Path(__file__).parents[2] / "assets" / "fonts" / "unifont.otf"

Bitmap = NDArray[np.bool_]
"""One picture: (32, 32), True where there is ink."""

_PAPER, _INK = 255, 0
_INK_BELOW_GREY = 150  # legible: a cell is ink from 41 % coverage on, so that thin strokes survive
_SPACE_WIDTH = 8  # legible: a quarter cell; a full one would squeeze the word that follows it
_EASY_RANGES = ((0x0000, 0x024F), (0x0370, 0x058F))  # Latin .. Extended-B; Greek .. Armenian


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    refuse_pointers([FONT_PATH])
    # From its bytes: given a path that it cannot read, Pillow looks for a system font of the same file name.
    try:
        return ImageFont.truetype(io.BytesIO(FONT_PATH.read_bytes()), SIDE)
    except OSError as error:
        raise UserError("no_font", file=FONT_PATH.name) from error


def check_font() -> None:
    """Load the font and draw with it.

    Raises:
        UserError: `no_font` when it is missing or damaged, `lfs_pointers` when it was not fetched.
    """
    _font()
    if not legible("A").any():
        raise UserError("no_font", file=FONT_PATH.name)


def legible(text: str) -> Bitmap:
    """The text at natural widths (half-width 16 px, full-width 32, space 8), squeezed into 32 x 32."""
    widths = _advances(text)
    canvas = Image.new("L", (max(SIDE, sum(widths)), SIDE), _PAPER)
    pen = (canvas.width - sum(widths)) // 2
    for character, width in zip(text, widths, strict=True):
        _stamp(canvas, (pen, 0), _character(character))
        pen += width
    small = canvas.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small) < _INK_BELOW_GREY


def _advances(text: str) -> list[int]:
    return [_SPACE_WIDTH if c == " " else _character(c).advance for c in text]


@dataclass(frozen=True, eq=False)
class _Character:
    """A character as the font draws it, in pixels: how far it moves the pen, the box (left, top, right, bottom) of its
    ink from there, and how much ink lies on each pixel of the box, 0..255."""

    advance: int
    box: tuple[int, int, int, int]
    ink: Image.Image


@lru_cache(maxsize=16_384)
def _character(character: str) -> _Character:
    font = _font()
    left, top, right, bottom = (round(edge) for edge in font.getbbox(character))
    ink = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(ink).text((-left, -top), character, fill=255, font=font)
    return _Character(round(font.getlength(character)), (left, top, right, bottom), ink)


def _stamp(canvas: Image.Image, pen: tuple[int, int], character: _Character) -> None:
    """Put a character's ink on a canvas."""
    canvas.paste(_INK, (pen[0] + character.box[0], pen[1] + character.box[1]), character.ink)


def published(text: str) -> Bitmap:
    """The text drawn by the recipe of bvv241: centred cells, seeded noise, nearest-pixel resize."""
    cells = Image.new("L", (SIDE * len(text), SIDE), _PAPER)
    for i, one in enumerate(text):
        character = _character(one)
        left, top, right, bottom = character.box
        x = (SIDE - (right - left)) // 2 - left + SIDE * i
        _stamp(cells, (x, (SIDE - (bottom - top)) // 2 - top), character)
    noisy = _augmented(cells, easy=_is_easy(text))
    one_bit = noisy.point(lambda grey: 255 * (grey >= 128)).convert("1")
    return ~np.asarray(one_bit.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _is_easy(text: str) -> bool:
    return all(any(low <= ord(c) <= high for low, high in _EASY_RANGES) for c in text)


def _augmented(image: Image.Image, easy: bool) -> Image.Image:
    """Turn, move, ink and blur with generators reseeded to 42, hence alike for every token."""
    generator = random.Random(42)
    if easy:
        angle = generator.uniform(-7, 7)
        shift = generator.randint(-3, 3), generator.randint(-3, 3)
        image = image.rotate(angle, fillcolor=_PAPER)
        moved = Image.new("L", image.size, _PAPER)
        moved.paste(image, shift)
        image = moved
    pixels = np.array(image)
    pixels[_noise(pixels.shape[1]) < (0.03 if easy else 0.001)] = _INK
    image = Image.fromarray(pixels)
    return image.filter(ImageFilter.GaussianBlur(0.5)) if easy else image


@lru_cache(maxsize=16)
def _noise(width: int) -> NDArray[np.float64]:
    """The noise (32, width) of every picture so wide."""
    return np.random.RandomState(42).rand(SIDE, width)


RECIPES: dict[str, Callable[[str], Bitmap]] = {"legible": legible, "published": published}


def draw_pictures(texts: Sequence[str], recipe: str) -> NDArray[np.bool_]:
    """Pictures (n, 32, 32) of many texts.  A text that cannot be drawn (a lone surrogate, say)
    gets an empty picture."""
    draw = RECIPES[recipe]
    return np.stack([draw(text) if is_drawable(text) else np.zeros((SIDE, SIDE), bool) for text in texts])


def draw_bytes(text: str) -> Bitmap:
    """The picture of parts of characters: the digits of one byte or two, so that no two of them look alike; none for
    more, which would."""
    data = bytes_of(text)
    return legible(data.hex().upper()) if len(data) <= 2 else np.zeros((SIDE, SIDE), bool)


@lru_cache(maxsize=65_536)
def cell_borders(text: str, recipe: str) -> tuple[float, ...]:
    """Where one character's cell ends and the next begins in the picture of a text: shares of its
    width, 0 at the left, none for a single character or parts of one."""
    if has_bytes(text):
        return ()
    if not is_drawable(text) or recipe == "published":
        return tuple(i / len(text) for i in range(1, len(text)))
    widths = _advances(text)
    canvas = max(SIDE, sum(widths))
    ends = (canvas - sum(widths)) // 2 + np.cumsum(widths[:-1])
    return tuple((ends / canvas).tolist())


def is_drawable(text: str) -> bool:
    """Whether there is anything that a font could draw: at least one character, no lone surrogate."""
    return bool(text) and not any(0xD800 <= ord(c) <= 0xDFFF for c in text)


@lru_cache(maxsize=1)
def polar_order() -> NDArray[np.int64]:
    """Row-major pixel indices sorted by (radius, angle) from the centre (16, 16), then x, then y."""
    y, x = np.divmod(np.arange(PIXELS), SIDE)
    radius, angle = np.hypot(x - SIDE // 2, y - SIDE // 2), np.arctan2(y - SIDE // 2, x - SIDE // 2)
    return np.lexsort((y, x, angle, radius))


def to_polar(pictures: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n, 32, 32) pictures as (n, 1024) rows in polar order."""
    return pictures.reshape(len(pictures), PIXELS)[:, polar_order()]


def from_polar(rows: NDArray[Any]) -> NDArray[Any]:
    """(n, 1024) polar rows back as (n, 32, 32)."""
    grid = np.empty_like(rows)
    grid[:, polar_order()] = rows
    return grid.reshape(len(rows), SIDE, SIDE)
