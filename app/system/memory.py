"""Memory that was freed goes back to the system: glibc keeps it otherwise, gigabytes after a large model was read."""

import ctypes
import gc
import mmap
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
_PAGE_OUT = 21  # of madvise(2)
_LARGE = 8 * 2**20
_KEPT = 64 * 2**20
_ARENAS = 2


def _libc() -> ctypes.CDLL | None:
    """The C library, where it is glibc."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if libc is not None and hasattr(libc, "malloc_trim") else None


def limit_retained_memory() -> bool:
    """Blocks from 8 MB on are given back as soon as they are freed, 64 MB of smaller ones are kept for the next
    token, and threads share two arenas.  To be called before there are threads.  Returns whether it took effect
    (it does on glibc only)."""
    libc = _libc()
    wanted = ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT))
    return libc is not None and all([libc.mallopt(option, value) == 1 for option, value in wanted])


def page_out(address: int, size: int) -> None:
    """Let go of the memory under a stretch of addresses that a file is mapped to and that is not needed soon: the
    file still has what is in it.  A hint only; nothing is lost, whatever lies there."""
    libc, page = _libc(), mmap.PAGESIZE
    first, last = -(-address // page) * page, (address + size) // page * page
    if libc is not None and last > first:
        libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _PAGE_OUT)


def settle() -> None:
    """Keep all present objects out of garbage collection: later collections look at newer objects only, which takes
    milliseconds."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def collect_from_now() -> None:
    """Collect garbage again, but not among the objects that are there already, until `settle`."""
    gc.freeze()
    gc.enable()


def release_memory() -> None:
    """Give back everything that is free by now, in pieces too; also what only refers to itself, such as the
    sessions of visitors who have left."""
    gc.collect()
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)
