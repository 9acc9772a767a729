"""The one function that asks for a GPU: plain where there is no ZeroGPU, decorated and free of torch outside where
there is."""

import importlib
import sys
import types
from typing import Any

import numpy as np
import pytest

from app.system import zerogpu as zero

A, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 4), np.float32)


def test_elsewhere_it_is_a_plain_function() -> None:
    assert zero.product.__module__ == "app.system.zerogpu" and "spaces" not in sys.modules
    assert np.array_equal(zero.product(A, B), A @ B)


def test_zero_gpu_gets_one_decorated_function_that_takes_and_gives_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    decorated: list[str] = []

    def gpu(function: Any) -> Any:
        decorated.append(function.__name__)
        return function

    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    try:
        again = importlib.reload(zero)
        assert decorated == ["product"] and type(again.product(A, B)) is np.ndarray
    finally:
        monkeypatch.delenv("SPACES_ZERO_GPU")
        importlib.reload(zero)
