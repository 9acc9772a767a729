"""What stands in the way of a start: a sentence that names the remedy, and a status that is not zero."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.substrate import pictures
from app.system.environment import check_environment
from app.wording.errors import UserError
from tests.hosting.test_space import POINTER
from tests.support.server import ROOT, ended


@pytest.mark.parametrize("damage", ["missing", "empty", "pointer"])
def test_without_its_font_the_demo_names_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str) -> None:
    """Not even where the system has a font of that file name, which Pillow would take in its place."""
    system = tmp_path / "share" / "fonts"
    system.mkdir(parents=True)
    shutil.copy(pictures.FONT_PATH, system / "unifont.otf")
    monkeypatch.setenv("XDG_DATA_HOME", str(system.parent))
    if damage == "empty":
        (tmp_path / "unifont.otf").write_bytes(b"")
    if damage == "pointer":
        (tmp_path / "unifont.otf").write_text(POINTER, encoding="utf-8")
    monkeypatch.setattr(pictures, "FONT_PATH", tmp_path / "unifont.otf")
    pictures._font.cache_clear()
    lost = r"unifont.otf is only a Git LFS pointer" if damage == "pointer" else r"unifont.otf is missing or damaged"
    with pytest.raises(UserError, match=lost):
        pictures.check_font()
    monkeypatch.undo()
    pictures._font.cache_clear()
    pictures.check_font()


FULL = """
import builtins, errno, os
_open = builtins.open
def opened(file, mode="r", *rest, **named):
    if set("wax+") & set(str(mode)) and not str(file).startswith("/dev/"):
        raise OSError(errno.ENOSPC, "No space left on device", str(file))
    return _open(file, mode, *rest, **named)
def mkdir(path, *rest, **named):
    raise OSError(errno.ENOSPC, "No space left on device", str(path))
builtins.open, os.mkdir = opened, mkdir
"""


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_without_room_for_temporary_files_the_server_ends_with_a_sentence(
    toy_bundle: Path, tmp_path: Path, trouble: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FULL if trouble == "full" else "", encoding="utf-8")
    folder = str(tmp_path / "none" / "such") if trouble == "full" else "/dev/null/none"
    status, said = ended(GLYPHSCOPE_MODEL=str(toy_bundle), PYTHONPATH=str(tmp_path), GRADIO_TEMP_DIR=folder)
    assert status != 0 and "set GRADIO_TEMP_DIR" in said and "Traceback" not in said


@pytest.mark.parametrize("name", ["GRADIO_SERVER_PORT", "GLYPHSCOPE_THREADS"])
@pytest.mark.parametrize("value", ["", "abc", "-1", "0", "1.5", "²", "70000", "9" * 5000])
def test_a_setting_that_is_no_number_ends_the_server_with_a_sentence(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"{name} must be a whole number from 1 to"):
        check_environment()


def test_a_bad_setting_is_seen_before_gradio_reads_it() -> None:
    status, said = ended(GRADIO_SERVER_PORT="abc")
    assert status != 0 and "GRADIO_SERVER_PORT must be a whole number" in said and "Traceback" not in said


CORES = """
import threading, torch
from app.system.threads import set_own_threads, set_network_threads, use_network_threads
seen = {}
def see(name, take):
    if take:
        use_network_threads()
    torch.ones(100_000).exp()
    seen[name] = torch.get_num_threads()
def run(name, take):
    thread = threading.Thread(target=see, args=(name, take))
    thread.start()
    thread.join()
torch.set_num_threads(3)
use_network_threads()
assert torch.get_num_threads() == 3, "nothing is granted yet"
own = threading.Thread(target=set_own_threads, args=(1,))
own.start()
own.join()
run("not granted", False)
assert seen.pop("not granted") == 3, "another thread's own setting is its own"
set_network_threads(2)
for name, take in (("panel", False), ("network", True), ("later panel", False)):
    run(name, take)
see("main", False)
assert seen == {"panel": 1, "network": 2, "later panel": 1, "main": 1}, seen
"""


def test_only_threads_that_run_a_network_take_the_cores() -> None:
    """In a process of its own: the setting is torch's, for the whole process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", CORES], cwd=ROOT, env=environment, capture_output=True, timeout=90)
    assert done.returncode == 0, done.stderr.decode()


def test_what_the_first_page_does_without_is_not_imported_for_it(toy_bundle: Path) -> None:
    """Each of these takes tenths of a second."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom app.checkpoint.bundle import load_bundle\n"
        "from app.engine.engine import Engine\nfrom app.engine.examples import opening_trace\nimport app.web.server\n"
        f"print(len(opening_trace(Engine(load_bundle(Path({str(toy_bundle)!r}))), 'en').texts) > 1)\n"
        "print([name for name in ('transformers', 'scipy', 'sklearn', 'umap') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["True", "[]"], done.stderr
