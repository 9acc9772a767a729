"""The picture behind a published embedding: find the rotation, decode what it was not fitted on.

A bvv241 table is a set of pictures, projected onto principal components and normalised; the components are
not published.  Those of the pictures drawn here span the same space, so one rotation is left to find: the
orthogonal Procrustes problem (Schoenemann 1966) between half of the tokens' projected pictures and their
vectors gives it.  The other half is the proof.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.embedding import Basis, Floats, decode, embed, fit_basis
from app.pictures import PIXELS, to_polar

_CHUNK = 4_096


@dataclass(frozen=True, eq=False)
class Recovery:
    """basis as recovered; of `tested` held-out tokens, `exact` decode to their very picture; agreement: mean
    cosine of their vectors with those that the basis predicts, -1..1."""

    basis: Basis
    tested: int
    exact: int
    agreement: float

    @property
    def proved(self) -> bool:
        """Whether the table holds these pictures: predicted vectors and found ones are the same."""
        return self.agreement > 0.99


def recover(
    pictures: NDArray[np.bool_],
    table: Floats,
    seed: int = 0,
    sample: int = 2_000,
    step: Callable[[float], object] = lambda share: None,
) -> Recovery:
    """Recover the basis of a table (V, d), d <= 1,024, given the tokens' pictures (V, 32, 32).

    Half of the tokens, drawn at random, are fitted; `sample` of the others are decoded.  step is told the
    share done.
    """
    assert len(pictures) == len(table), f"{len(pictures)} pictures, {len(table)} vectors"
    width = table.shape[1]
    if width > PIXELS:
        raise ValueError(f"{width} dimensions hold more than {PIXELS} pixels")
    order = np.random.default_rng(seed).permutation(len(table))
    half, held = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :][:sample])
    own = fit_basis(pictures, width)
    product = np.zeros((width, width))
    for first in range(0, len(half), _CHUNK):
        part = half[first : first + _CHUNK]
        projected = (to_polar(pictures[part]).astype(np.float32) - own.mean) @ own.components.T
        product += projected.T @ (np.linalg.norm(projected, axis=1, keepdims=True) * table[part])
        step(first / len(half))
    left, _, right = np.linalg.svd(product)
    turned = (left @ right).T.astype(np.float32) @ own.components
    basis = Basis(own.mean, np.ascontiguousarray(turned), own.kept)
    unit = table[held] / np.maximum(np.linalg.norm(table[held], axis=1, keepdims=True), 1e-12)
    agreement = float((embed(pictures[held], basis) * unit).sum(axis=1).mean())
    wrong = ((decode(unit.astype(np.float32), basis) > 0.5) != pictures[held]).any(axis=(1, 2))
    return Recovery(basis, len(held), int((~wrong).sum()), agreement)
