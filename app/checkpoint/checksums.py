"""Checksums of a checkpoint folder: whether its files are still the ones that were written."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

CHECKSUMS_FILE = "SHA256SUMS"
"""One line a file, as `sha256sum` writes and checks it."""


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files of a folder."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS_FILE)
    (folder / CHECKSUMS_FILE).write_text("".join(f"{_checksum(folder / n)}  {n}\n" for n in names), encoding="utf-8")


def damaged_files(folder: Path, names: Iterable[str]) -> list[str]:
    """Which of some files no longer have the checksum that was written; none in a folder without checksums."""
    if not (folder / CHECKSUMS_FILE).is_file():
        return []
    lines = (folder / CHECKSUMS_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    written = {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}
    present = [name for name in names if name in written and (folder / name).is_file()]
    return [name for name in present if _checksum(folder / name) != written[name]]


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
