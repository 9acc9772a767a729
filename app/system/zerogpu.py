"""ZeroGPU Spaces start only if some function asks for the GPU: this one does, and nothing else.  Elsewhere it is a
plain function; the model itself runs on the processor everywhere.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Work = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


def on_gpu(work: Work) -> Work:
    """A function as ZeroGPU wants it, where there is ZeroGPU: it runs in a process of its own, so that only NumPy
    arrays go in and out."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return work
    import spaces

    decorated: Any = spaces.GPU(work)
    return decorated  # type: ignore[no-any-return]


@on_gpu
def product(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix product of (n, d) and (d, m), on the GPU where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    left, right = (torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in (a, b))
    found: NDArray[np.float32] = (left @ right).cpu().numpy()
    return found
