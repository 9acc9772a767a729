"""Pointer files of Git LFS: the few lines that a checkout holds in place of a large file that was not fetched.

The format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from collections.abc import Iterable
from pathlib import Path

from app.wording.errors import UserError

_FIRST = b"version https://git-lfs.github.com/spec/"
_LONGEST = 1_024  # bytes; by the specification a pointer is shorter


def is_pointer(path: Path) -> bool:
    """Whether a file stands for another one that was not fetched; a file that cannot be read does not."""
    try:
        if path.stat().st_size >= _LONGEST:
            return False
        return path.read_bytes().startswith(_FIRST)
    except OSError:
        return False


def refuse_pointers(paths: Iterable[Path]) -> None:
    """
    Raises:
        UserError: `lfs_pointers`, with the names of the pointers among some files.
    """
    if names := sorted({path.name for path in paths if is_pointer(path)}):
        raise UserError("lfs_pointers", count=len(names), files=", ".join(names[:3]))
