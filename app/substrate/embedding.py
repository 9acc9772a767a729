"""The frozen embedding: pictures -> PCA -> unit vectors, and back from a vector to its picture.

Recipe of bvv241 (Bochkov 2025, arXiv 2507.04886): the 1,024 pixels of a token's picture, centred
over the vocabulary, are rotated onto their principal components, cut to the model's width and
scaled to length one.  The table is never trained.  Nothing here knows torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.substrate.pictures import from_polar, to_polar

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Basis:
    """PCA basis of a vocabulary's pictures, pixels in polar order.

    mean: (1024,) share of tokens that ink each pixel.
    components: (width, 1024) orthonormal rows, largest variance first.
    kept: share of the pictures' variance that the width keeps, 0..1.
    """

    mean: Floats
    components: Floats
    kept: float

    def __post_init__(self) -> None:
        pixels = self.components.shape[1]
        assert self.mean.shape == (pixels,), f"{self.mean.shape} != {(pixels,)}"


def fit_basis(pictures: NDArray[np.bool_], width: int) -> Basis:
    """Fit the PCA of (n, 32, 32) pictures by the eigenvectors of their covariance (exact, and
    quicker than an SVD of the pictures: 1,024 x 1,024 whatever n is)."""
    pixels = to_polar(pictures).astype(np.float32)
    mean = pixels.mean(axis=0)
    covariance = (pixels.T @ pixels).astype(np.float64) / len(pixels) - np.outer(mean, mean)
    variances, vectors = np.linalg.eigh(covariance)  # ascending
    components = vectors[:, ::-1][:, :width].T.astype(np.float32)
    kept = variances[::-1][:width].sum() / variances.sum()
    return Basis(mean, np.ascontiguousarray(components), float(kept))


def embed(pictures: NDArray[np.bool_], basis: Basis) -> Floats:
    """(n, 32, 32) pictures -> (n, width) unit vectors (a picture equal to the mean stays zero)."""
    centred = to_polar(pictures).astype(np.float32) - basis.mean
    projected = centred @ basis.components.T
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    table: Floats = projected / np.maximum(lengths, np.finfo(np.float32).tiny)
    return table


def decode(vectors: Floats, basis: Basis, components: int | None = None) -> NDArray[np.float32]:
    """(n, width) vectors -> (n, 32, 32) ink estimates, near 0 or 1; ink is what exceeds one half.

    The length that the L2 step threw away is recovered from the vector itself: ink is 0 or 1, so
    a picture x = mean + s u has |x|^2 = sum(x), a quadratic in s with one positive root.  Exact at
    full width; `components` keeps only the first few of the vector's coordinates.
    """
    back = vectors.astype(np.float32)[:, :components] @ basis.components[:components]  # (n, 1024)
    mean = basis.mean
    squared = np.maximum((back**2).sum(axis=1), np.finfo(np.float32).tiny)
    linear = back @ (2 * mean - 1)
    constant = float(mean @ (mean - 1))  # never positive: the two roots differ in sign
    length = (-linear + np.sqrt(linear**2 - 4 * squared * constant)) / (2 * squared)
    return from_polar(mean + length[:, None] * back)


def nearest(vectors: Floats, query: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Ids and cosines of the `count` unit vectors nearest to `query` (width,), nearest first."""
    cosines = vectors @ (query / max(float(np.linalg.norm(query)), 1e-12))
    count = min(count, len(cosines))
    top = np.argpartition(-cosines, count - 1)[:count]
    top = top[np.argsort(-cosines[top], kind="stable")]
    return top, cosines[top]
