"""The picture behind a published embedding: find the rotation, decode what it was not fitted on.

A bvv241 table is a set of pictures, projected onto principal components and normalised; the components are
not published.  Those of the pictures drawn here span the same space, so one rotation is left to find: the
orthogonal Procrustes problem (Schoenemann 1966) between half of the tokens' projected pictures and their
vectors gives it.  The other half is the proof.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.substrate.byte_text import has_bytes
from app.substrate.embedding import Basis, Floats, decode, embed, fit_basis
from app.substrate.pictures import PIXELS, RECIPES, SIDE, Bitmap, draw_bytes, draw_pictures, to_polar

_CHUNK = 4_096
_FEW = 6_000  # tokens on which the recipes are distinguished
_SAMPLE = 2_000  # held-out tokens that are decoded
_PROMISING = 0.5

Pictures = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Recovery:
    """basis as recovered on `fitted` tokens; of `tested` held-out ones, `exact` decode to their very picture;
    agreement: mean cosine of their vectors with those that the basis predicts, -1..1."""

    basis: Basis
    fitted: int
    tested: int
    exact: int
    agreement: float


def recover(
    pictures: Any, table: Floats, seed: int = 0, step: Callable[[float], object] = lambda share: None
) -> Recovery:
    """Recover the basis of a table of unit rows (V, d) given the tokens' pictures (V, 32, 32); of more than
    1,024 dimensions the first 1,024 are tried.

    Half of the tokens, drawn at random, are fitted; some of the others are decoded.  step is called with the share
    done.
    """
    assert len(pictures) == len(table), f"{len(pictures)} pictures, {len(table)} vectors"
    width = min(table.shape[1], PIXELS)
    order = np.random.default_rng(seed).permutation(len(table))
    half, held = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :][:_SAMPLE])
    own = fit_basis(pictures, width)
    product = np.zeros((width, width))
    for first in range(0, len(half), _CHUNK):
        part = half[first : first + _CHUNK]
        projected = (to_polar(pictures[part]).astype(np.float32) - own.mean) @ own.components.T
        product += projected.T @ (np.linalg.norm(projected, axis=1, keepdims=True) * table[part][:, :width])
        step(first / len(half))
    left, _, right = np.linalg.svd(product)
    turned = (left @ right).T.astype(np.float32) @ own.components
    basis = Basis(own.mean, np.ascontiguousarray(turned), own.kept)
    vectors = np.asarray(table[held][:, :width], np.float32)
    agreement = float((embed(pictures[held], basis) * vectors).sum(axis=1).mean())
    wrong = ((decode(vectors, basis) > 0.5) != pictures[held]).any(axis=(1, 2))
    return Recovery(basis, len(half), len(held), int((~wrong).sum()), agreement)


class Drawn:
    """Pictures (V, 32, 32) of all tokens, drawn as they are asked for; made: whether the table was made of such
    pictures.  Else no picture has to be the one of a recipe, and bytes are drawn so that no two look alike."""

    def __init__(self, texts: Sequence[str], recipe: str, made: bool = True) -> None:
        self._texts = texts

        def draw(index: int) -> Bitmap:
            text = texts[index]
            picture: Bitmap = draw_bytes(text) if not made and has_bytes(text) else draw_pictures([text], recipe)[0]
            return picture

        self._draw = lru_cache(maxsize=8_192)(draw)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, rows: Any) -> Pictures:
        """One picture (32, 32) or several (n, 32, 32)."""
        at = np.asarray(rows)
        if at.ndim == 0:
            one: Pictures = self._draw(int(at))
            return one
        return np.stack([self._draw(int(i)) for i in at]) if len(at) else np.zeros((0, SIDE, SIDE), bool)


def find_pictures(
    texts: tuple[str, ...], table: Floats, step: Callable[[float], object] = lambda share: None
) -> tuple[str, Any, Recovery]:
    """Which recipe drew a table, if any did: its name, the pictures, and the recovery under it.  The recipes are
    distinguished on a few tokens; every token is drawn only if the table looks like one of them.  step is called with
    the share done."""
    few = np.sort(np.random.default_rng(1).permutation(len(texts))[:_FEW])
    some, rows = [texts[i] for i in few], np.asarray(table[few])
    tried = {name: recover(draw_pictures(some, name), rows) for name in sorted(RECIPES, reverse=True)}
    recipe = max(tried, key=lambda name: tried[name].agreement)
    made = tried[recipe].agreement >= _PROMISING
    if not made or len(few) == len(texts):
        return recipe, Drawn(texts, recipe, made), tried[recipe]
    pictures = np.zeros((len(texts), SIDE, SIDE), bool)
    for first in range(0, len(texts), _CHUNK):
        part = texts[first : first + _CHUNK]
        pictures[first : first + len(part)] = draw_pictures(part, recipe)
        step(0.8 * first / len(texts))
    return recipe, pictures, recover(pictures, table, step=lambda share: step(0.8 + 0.2 * share))
