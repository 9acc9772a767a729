"""One setting for the folders of all libraries, and what it is where nothing is set."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from app.system.caches import CACHE, cache_folder, set_cache_folders, temporary_setting

NAMES = {"GRADIO_TEMP_DIR": "gradio", "NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib", "HF_HOME": "hub"}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home and a folder for temporary files of our own, and nothing set."""
    kept = {name: value for name, value in os.environ.items() if name not in (*NAMES, CACHE)}
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with patch.dict(os.environ, {**kept, "HOME": str(tmp_path / "home")}, clear=True):
        yield tmp_path


def found() -> dict[str, str]:
    set_cache_folders()
    return {name: os.environ[name] for name in NAMES if name in os.environ}


def no_home(machine: Path) -> Path:
    """A home that cannot be written, by nobody: a file.  Returns where everything goes instead."""
    (machine / "home").write_text("")
    return machine / "temporary" / f"glyphscope-{os.getuid()}"


def test_by_default_all_lies_at_home_and_the_hub_stays_where_it_was(machine: Path) -> None:
    folder = machine / "home" / ".cache" / "glyphscope"
    assert found() == {name: str(folder / part) for name, part in NAMES.items() if name != "HF_HOME"}
    assert temporary_setting() == CACHE


def test_without_a_home_all_lies_among_the_temporary_files_of_this_user_alone(machine: Path) -> None:
    folder = no_home(machine)
    assert found() == {name: str(folder / part) for name, part in NAMES.items()}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_setting_moves_all_of_it_but_what_is_set_by_itself(machine: Path) -> None:
    os.environ.update({CACHE: str(machine / "all"), "HF_HOME": "/weights/hub", "GRADIO_TEMP_DIR": "/elsewhere"})
    assert found() == {
        "HF_HOME": "/weights/hub",
        "GRADIO_TEMP_DIR": "/elsewhere",
        "NUMBA_CACHE_DIR": str(machine / "all" / "numba"),
        "MPLCONFIGDIR": str(machine / "all" / "matplotlib"),
    }
    assert temporary_setting() == "GRADIO_TEMP_DIR"


@pytest.mark.parametrize("trap", ["link", "open to all"])
def test_a_folder_that_somebody_else_could_fill_is_not_used(machine: Path, trap: str) -> None:
    """What numba keeps is code: a folder laid out by another user would be run."""
    folder, elsewhere = no_home(machine), machine / "elsewhere"
    elsewhere.mkdir()
    if trap == "link":
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir()
        folder.chmod(0o777)
    assert cache_folder() is None and found() == {}
