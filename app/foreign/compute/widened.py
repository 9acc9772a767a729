"""Weights stored in half precision, widened to float32: once for many passes where there is room to keep them, else
for each pass anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

from app.system.memory import release_memory

_Key = tuple[int, tuple[int, ...], tuple[int, ...]]


class _Kept:
    """Widened weights that take at most so many bytes.  What they were made of is held too, so that its address stays
    its own; it must not be written to."""

    def __init__(self, room: float) -> None:
        self._room = room
        self._known: dict[_Key, tuple[Tensor, Tensor]] = {}

    def find(self, weight: Tensor) -> Tensor | None:
        """A weight in float32; None where there is no room for it."""
        key = (weight.data_ptr(), tuple(weight.shape), weight.stride())
        if key not in self._known:
            size = 4 * weight.numel()
            if size > self._room:
                return None
            self._room -= size
            self._known[key] = weight, weight.float()
        return self._known[key][1]


_KEPT: ContextVar[_Kept | None] = ContextVar("widened weights", default=None)


@contextmanager
def keep_widened(room: float) -> Iterator[None]:
    """Within it this thread keeps the weights that it widens, up to so many bytes."""
    token = _KEPT.set(_Kept(room))
    try:
        yield
    finally:
        _KEPT.reset(token)
        release_memory()


def kept_float32(weight: Tensor) -> Tensor | None:
    """A matrix in float32 that is kept; None where nothing is kept."""
    kept = _KEPT.get()
    return None if kept is None else kept.find(weight)


def float32(weight: Tensor) -> Tensor:
    """A weight in float32: one that is kept, or a copy made now."""
    wide = kept_float32(weight) if weight.dim() > 1 else None
    return weight.float() if wide is None else wide
