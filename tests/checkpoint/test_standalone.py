"""A checkpoint folder alone: transformers loads it anywhere by the code it brings; our own loader runs none of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from app.checkpoint.bundle import MINI, load_bundle
from app.checkpoint.checksums import damaged_files
from app.checkpoint.standalone import AUTO_MAP, modelling_files
from app.engine.engine import Engine
from app.models import ModelRegistry, open_registry
from app.network.experts import fuse
from app.training import commands as train

TEXT = "Жила-была девочка"
MODELLING = ("experts.py", "interface.py", "modeling_bvv_moe.py")


def example_of(folder: Path) -> str:
    """The example in a folder's card."""
    found = re.search(r"```python\n(.+?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def run_elsewhere(code: str, place: Path) -> str:
    """What a process prints that runs code in another folder, where nothing of this project can be imported."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "HF_HOME": str(place / "cache"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": "",
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=place, env=environment, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("bundled", [False, True])
def test_the_cards_example_runs_elsewhere_and_its_logits_are_the_engines(
    bundled: bool, toy_bundle: Path, tmp_path: Path
) -> None:
    folder = MINI if bundled else shutil.copytree(toy_bundle, tmp_path / "my experts")
    name = "assets/mini" if bundled else toy_bundle.name
    example = example_of(folder).replace(f'"{name}"', repr(str(folder)))
    assert example.count(str(folder)) == 2
    code = f"""
import importlib.util, sys
assert importlib.util.find_spec("app") is None
{example}
import numpy, torch
assert type(model).__module__.startswith("transformers_modules.") and "app" not in sys.modules
with torch.inference_mode():
    out = model(**inputs, output_expert_logits=True)
numpy.savez("logits.npz", ids=inputs["input_ids"], fused=out.logits, experts=out.expert_logits)
"""
    place = tmp_path / "elsewhere"
    place.mkdir()
    assert run_elsewhere(code, place).strip().startswith(TEXT)
    found = np.load(place / "logits.npz")

    engine = Engine(load_bundle(folder))
    trace = engine.look(TEXT)
    assert found["ids"].tolist() == [trace.ids.tolist()]
    with torch.inference_mode():
        logits = engine.model(torch.from_numpy(found["ids"])).logits
    assert np.abs(found["experts"] - logits.numpy()).max() < 1e-3
    assert np.abs(found["fused"] - fuse(logits).numpy()).max() < 1e-3
    for t, (row, ids) in enumerate(zip(found["experts"][:, 0].swapaxes(0, 1), trace.candidates[:, -1], strict=True)):
        assert np.abs(row[:, ids].T - trace.candidate_logits[t, -1]).max() < 1e-3


def test_the_bundled_files_are_what_the_package_would_write_now() -> None:
    files = modelling_files()
    assert sorted(files) == sorted(MODELLING)
    for name, text in files.items():
        assert (MINI / name).read_text(encoding="utf-8") == text, f"python -m app.training card --to {MINI}"
        assert not re.search(r"^\s*(from|import) (app|viz)\b", text, re.MULTILINE)
    assert json.loads((MINI / "config.json").read_text(encoding="utf-8"))["auto_map"] == AUTO_MAP


def test_every_file_of_the_bundled_folder_has_its_checksum() -> None:
    names = sorted(path.name for path in MINI.iterdir() if path.name != "SHA256SUMS")
    lines = (MINI / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == names and damaged_files(MINI, names) == []


def test_our_own_loader_never_runs_the_code_of_a_folder(
    toy_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is ours by its shape; that its code was changed is neither asked nor noticed."""
    folder = shutil.copytree(toy_bundle, tmp_path / "changed")
    for name in MODELLING:
        (folder / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit(1)\n", encoding="utf-8")
    monkeypatch.setenv("GLYPHSCOPE_TRUST_REMOTE_CODE", "1")
    registry, waiting = open_registry(str(folder))
    assert isinstance(registry, ModelRegistry) and waiting == "" and registry.default == "changed"
    bundle = registry.of("somebody").engine.bundle
    assert bundle.report is None and torch.equal(bundle.model.embedding, load_bundle(toy_bundle).model.embedding)
    assert not (tmp_path / "ran").exists()


def test_card_writes_what_stands_beside_the_weights_again(toy_bundle: Path, tmp_path: Path) -> None:
    """Modelling files, their entry in config.json, card and checksums; what was said of text and licence stays."""
    folder = shutil.copytree(toy_bundle, tmp_path / "mine")
    about = tmp_path / "about.md"
    about.write_text("- Letters of my grandmother, by her leave.\n", encoding="utf-8")
    weights = (folder / "model.safetensors").read_bytes()
    before = (folder / "README.md").read_text(encoding="utf-8")
    assert "not recorded" in before and "license:" not in before and "Tatoeba" not in before
    train.main(["card", "--to", str(folder), "--attribution", str(about), "--licence", "cc-by-4.0"])
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["auto_map"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for name in (*MODELLING, "README.md", "SHA256SUMS"):
        (folder / name).unlink()

    train.main(["card", "--to", str(folder)])
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Letters of my grandmother" in card and "license: cc-by-4.0\n" in card and 'from_pretrained("mine"' in card
    assert all((folder / name).read_text(encoding="utf-8") == text for name, text in modelling_files().items())
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["auto_map"] == AUTO_MAP
    assert damaged_files(folder, [path.name for path in folder.iterdir()]) == []
    assert (folder / "model.safetensors").read_bytes() == weights


def test_card_refuses_what_is_not_there(toy_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere is no checkpoint folder: it lacks config\.json"):
        train.main(["card", "--to", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match=r"about\.md is no file"):
        train.main(["card", "--to", str(toy_bundle), "--attribution", str(tmp_path / "about.md")])


def test_a_model_is_called_like_its_folder_and_keeps_its_name(toy_work: Path, tmp_path: Path) -> None:
    for _ in range(2):
        train.main(["--work", str(toy_work), "bundle", "--to", str(tmp_path / "two-voices")])
        assert load_bundle(tmp_path / "two-voices").name == "two-voices"
    named = (tmp_path / "two-voices").rename(tmp_path / "other")
    train.main(["--work", str(toy_work), "bundle", "--to", str(named)])
    assert load_bundle(named).name == "two-voices" and load_bundle(MINI).name == "glyphscope-mini"
