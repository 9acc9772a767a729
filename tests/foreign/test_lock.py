"""A hub id without a commit: its branch is resolved once, and that commit is used from then on."""

import json
import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.checkpoint.import_report import Report
from app.engine.engine import Engine
from app.foreign.files import lock
from app.foreign.files.hub import locate, pinned, place_of
from app.foreign.files.lock import lock_file, read_locks
from app.models import ModelRegistry, open_registry
from app.panels.report import report_view
from app.wording.catalogue import LANGUAGES, speaker
from app.wording.errors import UserError
from tests.support.folders import Folder, write_folder
from tests.support.hub import REVISION, hub

MODEL = "Bochkov/best_bvv_moe"
LATER = "f" * 40
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub") / "quill"
    write_folder(path, Folder("two_towers"))
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for what is fetched, consent for nothing else, and no waiting between attempts."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface" / "hub"))
    monkeypatch.delenv("GLYPHSCOPE_TRUST_REMOTE_CODE", raising=False)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return tmp_path / "huggingface" / "hub"


def loaded(setting: str) -> ModelRegistry:
    """The registry of a server with this setting, once the model is loaded, or refused."""
    registry, wanted = open_registry(setting)
    assert wanted
    registry._load(wanted, first=True)  # in this thread
    return registry


def test_the_first_load_locks_the_commit_and_its_code_runs_there(
    written: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's setting is all the consent that a published model needs; the page says the commit."""
    with hub(MODEL, written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        registry = loaded(MODEL)
    assert registry.loading.error is None and registry.default == MODEL
    assert json.loads((cache.parent / "glyphscope.lock.json").read_text()) == {f"{MODEL}@main": REVISION}
    engine = registry.of("somebody").engine
    assert engine.bundle.report is not None and engine.bundle.report.source == f"{MODEL}@{REVISION[:12]}"
    assert REVISION[:12] in report_view(engine, speaker("en")) and not engine.bundle.report.newer


def test_a_moved_branch_is_told_and_not_followed(
    written: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lock.log, "disabled", False)  # import-linter, in a test before, turns off all loggers
    branches = {"main": REVISION}
    with hub(MODEL, written, branches) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        fetched = locate(pinned(place_of(MODEL)))
        branches["main"] = LATER
        with caplog.at_level(logging.WARNING):
            place = pinned(place_of(MODEL))
        assert (place.revision, place.newer) == (REVISION, LATER) and locate(place) == fetched
        assert LATER in caplog.text and fetched.name == REVISION
        named = pinned(place_of(f"{MODEL}@{LATER}"))
        assert (named.revision, named.newer) == (LATER, "") and locate(named).name == LATER
    assert read_locks() == {f"{MODEL}@main": REVISION}


def test_the_page_says_that_the_branch_has_moved(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branches = {"main": REVISION}
    with hub(MODEL, written, branches) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        pinned(place_of(MODEL))
        branches["main"] = LATER
        engine = loaded(MODEL).of("somebody").engine
    assert isinstance(engine.bundle.report, Report)
    here = Engine(replace(engine.bundle, report=replace(engine.bundle.report, newer="")))
    for language in LANGUAGES:
        say = speaker(language)
        sentence = say("report_moved", commit=LATER[:12])
        assert sentence in report_view(engine, say) and sentence not in report_view(here, say)


def test_another_branch_is_locked_by_its_own_name(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(MODEL, written, {"main": REVISION, "next": LATER}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert pinned(place_of(f"{MODEL}@next")).revision == LATER and pinned(place_of(MODEL)).revision == REVISION
    assert read_locks() == {f"{MODEL}@main": REVISION, f"{MODEL}@next": LATER}


@pytest.mark.parametrize("status", [0, 429, 500])
def test_a_locked_model_in_the_cache_needs_no_hub(status: int, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(MODEL, written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        fetched = locate(pinned(place_of(MODEL)))
    with hub(MODEL, written, status=status) as address:
        monkeypatch.setenv("HF_ENDPOINT", address if status else NOBODY)
        place = pinned(place_of(MODEL))
        assert (place.revision, place.newer) == (REVISION, "") and locate(place) == fetched


def test_files_fetched_in_advance_are_locked_without_a_hub(
    written: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Space has them: in the cache, with the commit of the branch, and no lock yet."""
    with hub(MODEL, written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        locate(pinned(place_of(f"{MODEL}@{REVISION}")))
    refs = cache / "models--Bochkov--best_bvv_moe" / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "main").write_text(REVISION)
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    assert locate(pinned(place_of(MODEL))).name == REVISION
    assert read_locks() == {f"{MODEL}@main": REVISION}


@pytest.mark.parametrize(("status", "code"), [(429, "busy_hub"), (500, "no_hub"), (0, "no_hub")])
@pytest.mark.parametrize("revision", ["", f"@{REVISION}"])
def test_a_hub_that_cannot_answer_is_one_sentence(
    revision: str, status: int, code: str, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(MODEL, written, status=status) as address:
        monkeypatch.setenv("HF_ENDPOINT", address if status else NOBODY)
        with pytest.raises(UserError) as caught:
            locate(pinned(place_of(MODEL + revision)))
    assert caught.value.code == code and not lock_file().exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"a/b@main": "main"}', '{"a/b@main": 5}'])
def test_a_damaged_lock_is_refused_not_overwritten(text: str, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_file().parent.mkdir(parents=True)
    lock_file().write_text(text, encoding="utf-8")
    with hub(MODEL, written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(UserError, match=r"glyphscope\.lock\.json.* is damaged"):
            pinned(place_of(MODEL))
    assert lock_file().read_text(encoding="utf-8") == text


def test_a_lock_that_cannot_be_kept_is_refused(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/proc/none/hub")  # where nobody can write
    with hub(MODEL, written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(UserError, match=f"commit of {MODEL}@main cannot be kept"):
            pinned(place_of(MODEL))


def test_code_of_others_still_needs_consent(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub("somebody/quill", written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        registry = loaded("somebody/quill")
    assert registry.loading.error is not None and registry.loading.error.code == "untrusted_code"
    assert lock.read_locks() == {"somebody/quill@main": REVISION}
