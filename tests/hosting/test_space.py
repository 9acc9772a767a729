"""The page sent to a Space: which files, by which way, and what is said where it cannot be."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.hosting.space import ROOT, listing, main, send, space_files
from app.web.assets import PLOTLY
from app.wording.errors import UserError
from tests.support.hub_upload import taking_hub

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d" * 32 + "\nsize 31459840\n"


DRAW = """
from app.intervene.record import read_record
from app.panels.compose import draw_all
from app.panels.settings import PanelSettings
from app.probing.glosses import gloss_report
from app.web import server
from app.web.tabs import TABS

registry, _ = server.open_registry(None)
model = registry.loaded[registry.default]
trace = model.engine.look("I like to drink tea.")
for tab in TABS:
    draw_all(model, trace, PanelSettings(language="en"), "", tab)
server.build_demo(registry)
assert read_record(model.engine) is not None and gloss_report("en")["words"] > 0
print(model.key)
"""
"""Everything that is read from files when the page is made and its tabs are drawn."""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository in small: what a Space needs, and what it does not."""
    root = tmp_path / "repository"
    texts = ("README.md", "app.py", "app/web/page.py", "app/wording/en.toml", "viz/html.py", "assets/page/a.css")
    unwanted = ("app/training/run.py", "tests/test_a.py", "assets/page/.a.css.swp", "app/web/__pycache__/page.pyc")
    for name in (*texts, *unwanted, "secrets.env", "assets/bench.md", "runs/x.safetensors"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"text of {name}", encoding="utf-8")
    for name in ("assets/mini/model.safetensors", "assets/fonts/unifont.otf", "assets/screenshot.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\0" + name.encode() * 9)
    return root


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token of the hub, the plain protocol for large files, and nothing of this machine's own account."""
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return "hf_write"


@pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # the hub's client, of its own library
def test_a_space_gets_what_it_needs_and_large_files_their_way(
    small: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    before = ["README.md", "app/old.py", "assets/old.png", "notes.txt", ".gitattributes"]
    with taking_hub("me/page", before, token) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        address = send("me/page", small)
    assert address == f"{hub.address}/spaces/me/page" and hub.tokens == {f"Bearer {token}"}
    assert hub.created == [{"name": "page", "organization": "me", "type": "space", "sdk": "gradio"}]
    assert hub.small == {
        name: f"text of {name}".encode()
        for name in (
            "README.md",
            "app.py",
            "app/web/page.py",
            "app/wording/en.toml",
            "viz/html.py",
            "assets/page/a.css",
        )
    }
    large = {"assets/mini/model.safetensors", "assets/fonts/unifont.otf", "assets/screenshot.png"}
    assert hub.large == {name: hashlib.sha256((small / name).read_bytes()).hexdigest() for name in large}
    assert set(hub.stored.values()) == {(small / name).read_bytes() for name in large}
    assert sorted(hub.deleted) == ["app/old.py", "assets/old.png"], "a host's own files stay"


def test_without_a_token_or_with_one_that_may_not_write_there_is_a_sentence(
    small: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with taking_hub("me/page", [], token) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        with pytest.raises(UserError, match=r"run `hf auth login`, or set HF_TOKEN"):
            send("me/page", small)
        assert not hub.tokens, "the hub is not even asked"
        monkeypatch.setenv("HF_TOKEN", "hf_read")
        with pytest.raises(UserError, match=r"did not accept me/page \(403: may not write\)"):
            send("me/page", small)
    with pytest.raises(UserError, match=r"did not accept me/page \(ConnectError\)"):
        send("me/page", small)  # the hub is gone
    with pytest.raises(UserError, match="write owner/name"):
        send("page", small)


def test_a_pointer_in_place_of_weights_is_not_sent(
    small: Path, token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    (small / "assets/fonts/unifont.otf").write_text(POINTER, encoding="utf-8")
    with pytest.raises(UserError, match=r"^unifont\.otf is only a Git LFS pointer"):
        send("me/page", small)
    (small / "assets/mini/model.safetensors").write_text(POINTER, encoding="utf-8")
    with pytest.raises(UserError, match=r"^model\.safetensors, unifont\.otf: only Git LFS pointers"):
        space_files(small)


def test_the_dry_run_lists_every_file_that_the_page_runs_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["me/page", "--dry"])
    said = capsys.readouterr().out
    files = space_files()
    assert said == listing(files) + "\n"
    assert said.splitlines()[-1].split() == [f"{sum(files.values()):,}", *f"bytes in {len(files)} files".split()]
    assert 40e6 < sum(files.values()) < 60e6 and all((ROOT / name).stat().st_size == n for name, n in files.items())
    assert {f"assets/vendor/{PLOTLY}", "assets/vendor/LICENSE-plotly.txt"} <= set(files)
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "draw.py").write_text(DRAW, encoding="utf-8")
    done = subprocess.run([sys.executable, "draw.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout == "glyphscope-mini\n", done.stderr[-2000:]
