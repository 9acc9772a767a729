"""Damaged files: a sentence that names the remedy, or a page that goes on with less."""

import shutil
from pathlib import Path

import pytest

from app.checkpoint.bundle import MINI, load_bundle
from app.checkpoint.checksums import CHECKSUMS_FILE, damaged_files
from app.engine.engine import Engine
from app.probing.control_record import CONTROLS_FILE, read_control_record
from app.probing.showcase import SHOWCASE_FILE
from app.probing.word_cache import PROOF_FILE, WORDS_FILE, WordCache, read_words
from app.probing.word_list import preset
from app.wording.errors import UserError


@pytest.fixture
def copy(toy_bundle: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(toy_bundle, folder)
    return folder


def flip(path: Path, at: float) -> None:
    """Turn one bit of a file, at a share of its length."""
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 4
    path.write_bytes(data)


FILES = ["config.json", "model.safetensors", "tokenizer.json", "substrate.safetensors"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("at", [0.0, 0.6, 1.0])
def test_one_flipped_bit_is_noticed_and_named(copy: Path, name: str, at: float) -> None:
    flip(copy / name, at)
    with pytest.raises(UserError, match=rf"{name}.*restore the folder") as caught:
        load_bundle(copy)
    assert caught.value.code == "damaged_files"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_cut_file_of_a_folder_without_checksums_is_refused(copy: Path, name: str, kept: float) -> None:
    (copy / CHECKSUMS_FILE).unlink()
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: int(kept if kept > 1 else kept * len(data))])
    with pytest.raises(UserError, match="restore the folder"):
        load_bundle(copy)


def test_what_is_shipped_fits_its_checksums() -> None:
    lines = (MINI / CHECKSUMS_FILE).read_text(encoding="utf-8").splitlines()
    names = [line.partition("  ")[2] for line in lines]
    assert {*FILES, WORDS_FILE, PROOF_FILE, SHOWCASE_FILE} <= set(names) and not damaged_files(MINI, names)


def test_a_damaged_word_list_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, engine = tmp_path / "copy", Engine(load_bundle(MINI))
    shutil.copytree(MINI, copy)
    whole = read_words(copy, engine)
    assert whole is not None and whole.proof is not None and whole.places
    flip(copy / PROOF_FILE, 0.5)
    without = read_words(copy, engine)
    assert without is not None and without.proof is None and not without.places
    flip(copy / WORDS_FILE, 0.5)
    assert read_words(copy, engine) is None
    word_cache, few = WordCache(engine), preset("few_en")
    monkeypatch.setattr("app.probing.word_cache.all_words", lambda: few)
    word_cache.prepare(copy)  # reads the list itself
    assert word_cache.list_states is not None and word_cache.list_states.words == few and word_cache.proof is None


def test_a_damaged_record_of_controls_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / CONTROLS_FILE).write_text('{"runs": [', encoding="utf-8")
    assert read_control_record(tmp_path) is None
