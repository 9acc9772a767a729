"""Editing pictures: pure functions of 32 x 32 bitmaps, True where there is ink, and their form as strings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.substrate.pictures import PIXELS, SIDE, Bitmap
from app.wording.errors import UserError


def shift(picture: Bitmap, right: int, down: int) -> Bitmap:
    """Move the ink; what leaves the picture is lost."""
    moved = np.zeros_like(picture)
    if abs(right) >= SIDE or abs(down) >= SIDE:
        return moved
    target, source = (
        tuple(slice(max(sign * n, 0), SIDE + min(sign * n, 0)) for n in (down, right)) for sign in (1, -1)
    )
    moved[target] = picture[source]
    return moved


def invert(picture: Bitmap) -> Bitmap:
    """Ink where there was paper."""
    return ~picture


def thicken(picture: Bitmap) -> Bitmap:
    """Ink also the pixels beside, above and below ink."""
    return picture | shift(picture, 1, 0) | shift(picture, -1, 0) | shift(picture, 0, 1) | shift(picture, 0, -1)


def flip(picture: Bitmap, pixels: NDArray[np.integer]) -> Bitmap:
    """Flip some pixels, by row-major index."""
    turned = picture.ravel().copy()
    turned[pixels] ^= True
    return turned.reshape(picture.shape)


def noise(picture: Bitmap, count: int, seed: int = 0) -> Bitmap:
    """Flip `count` pixels drawn at random; of one seed, more pixels include the fewer."""
    return flip(picture, np.random.default_rng(seed).permutation(PIXELS)[:count])


def morph(picture: Bitmap, target: Bitmap, share: float, seed: int = 0) -> Bitmap:
    """Part of the way from one picture to another: that share of the pixels in which they differ, in an order drawn
    at random once for a seed, so that the picture changes step by step."""
    order = np.random.default_rng(seed).permutation(PIXELS)
    differing = order[(picture != target).ravel()[order]]
    return flip(picture, differing[: round(share * len(differing))])


def to_strings(picture: Bitmap) -> list[str]:
    """32 strings of 0 and 1, a row each."""
    return ["".join("01"[pixel] for pixel in row) for row in picture.astype(int)]


def from_strings(rows: Sequence[str]) -> Bitmap:
    """A picture of 32 strings of 0 and 1.

    Raises:
        UserError: `bad_pixels` for anything else.
    """
    fits = (
        isinstance(rows, Sequence)
        and len(rows) == SIDE
        and all(isinstance(row, str) and len(row) == SIDE and set(row) <= {"0", "1"} for row in rows)
    )
    if not fits:
        raise UserError("bad_pixels", side=SIDE)
    return np.array([[pixel == "1" for pixel in row] for row in rows])
