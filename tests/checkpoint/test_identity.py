"""Which weights a folder holds."""

import hashlib
from pathlib import Path

from app.checkpoint.bundle import MINI
from app.checkpoint.identity import identity_of


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_bundled_model_has_the_checksum_of_its_weights() -> None:
    assert identity_of(MINI) == {"checksum": f"sha256:{digest(MINI / 'model.safetensors')}"}


def test_other_folders(tmp_path: Path) -> None:
    assert identity_of(None) == {} and identity_of(tmp_path) == {}
    (tmp_path / "a.bin").write_bytes(b"old")
    assert identity_of(tmp_path) == {"checksum": f"sha256:{hashlib.sha256(b'old').hexdigest()}"}
    for name in ("model-1.safetensors", "model-2.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    lines = "".join(f"{digest(tmp_path / name)}  {name}\n" for name in ("model-1.safetensors", "model-2.safetensors"))
    assert identity_of(tmp_path) == {"checksum": f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"}
    cached = tmp_path / "snapshots" / ("0123456789" * 4)
    cached.mkdir(parents=True)
    assert identity_of(cached) == {"revision": "0123456789" * 4}
