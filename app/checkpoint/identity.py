"""Which weights a folder holds: the commit that a hub gave, or the checksum of its files."""

import hashlib
import re
from pathlib import Path

from app.checkpoint.checksums import CHECKSUMS_FILE

_COMMIT = re.compile(r"[0-9a-f]{40}")


def identity_of(folder: Path | None) -> dict[str, str]:
    """`revision` of files that lie in a hub's cache (…/snapshots/COMMIT), else `checksum`: the SHA-256 of the weights,
    of several files that of their sums as `sha256sum` lists them; nothing for no folder."""
    if folder is None:
        return {}
    real = folder.resolve()
    if real.parent.name == "snapshots" and _COMMIT.fullmatch(real.name):
        return {"revision": real.name}
    weights = (
        sorted(real.glob("model*.safetensors")) or sorted(real.glob("*.safetensors")) or sorted(real.glob("*.bin"))
    )
    sums = {path.name: _written(real).get(path.name) or _sum(path) for path in weights}
    if not sums:
        return {}
    if len(sums) == 1:
        return {"checksum": f"sha256:{next(iter(sums.values()))}"}
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    return {"checksum": f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"}


def _written(folder: Path) -> dict[str, str]:
    """The checksums that a folder of our own brings; they were checked when it was loaded."""
    file = folder / CHECKSUMS_FILE
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
