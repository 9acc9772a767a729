"""A large table without a second copy in memory: rows and products on demand, as `app.substrate.glyphs` uses them."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.trace.record import Floats


class UnitRows:
    """The rows of a table (V, d), scaled to length one: stored as they are, widened as they are read."""

    def __init__(self, table: Tensor) -> None:
        self._table = table
        lengths = [part.float().norm(dim=1) for part in torch.split(table, 8_192)]
        self._lengths = torch.cat(lengths).clamp_min(1e-12)

    @property
    def shape(self) -> tuple[int, int]:
        """(V, d)."""
        return int(self._table.shape[0]), int(self._table.shape[1])

    def __len__(self) -> int:
        return int(self._table.shape[0])

    def __getitem__(self, rows: Any) -> Floats:
        """One row (d,) or several (n, d)."""
        at = torch.as_tensor(rows)
        found: Floats = (self._table[at].float() / self._lengths[at][..., None]).numpy()
        return found

    def __matmul__(self, query: Floats) -> Floats:
        """Cosines (V,) with a unit vector (d,)."""
        vector = torch.from_numpy(np.ascontiguousarray(query)).to(self._table.dtype)
        near: NDArray[np.float32] = (torch.mv(self._table, vector).float() / self._lengths).numpy()
        return near
