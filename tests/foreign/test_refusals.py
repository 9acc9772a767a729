"""What can be wrong with a checkpoint that is not ours: one sentence each, nothing run or opened unasked, and the
model on view stays."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.checkpoint.bundle import MINI
from app.foreign.files import build as remote
from app.foreign.files.hub import KNOWN, Place, locate, pinned, place_of
from app.foreign.load import load_foreign
from app.models import ModelRegistry, open_registry
from app.wording.catalogue import LANGUAGES, say
from app.wording.errors import UserError
from tests.support.folders import Folder, write_folder
from tests.support.hub import REVISION, hub


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "quill"
    write_folder(path, Folder("two_towers"))
    return path


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    copy = tmp_path / "quill"
    copy.mkdir()
    for path in written.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    return copy


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_code(folder: Path, before: str, after: str) -> None:
    path = folder / "modeling_quill.py"
    code = path.read_text(encoding="utf-8")
    assert before in code
    path.write_text(code.replace(before, after), encoding="utf-8")


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


class Opener:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("opened",)


def pickle_weights(folder: Path, extra: dict[str, object]) -> None:
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save({**state, **extra}, folder / "pytorch_model.bin")


def shorten_heads(folder: Path) -> None:
    edit_code(folder, "c.vocab_size)", "c.vocab_size - 9)")
    edit_weights(folder, lambda s: {k: v[:-9].clone() if ".out." in k else v for k, v in s.items()})


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing_files": lambda f: (f / "config.json").unlink(),
    "missing_files ": lambda f: (f / "model.safetensors").unlink(),
    "broken_config": lambda f: (f / "config.json").write_text("[1]"),
    "broken_weights": lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:900]),
    "broken_weights ": lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 4000),
    "broken_weights  ": lambda f: edit_weights(f, lambda s: {k: v[..., :7].clone() for k, v in s.items()}),
    "missing_weights": lambda f: edit_weights(f, lambda s: {k: v for k, v in s.items() if "half_zh.out" not in k}),
    "pickled_code": lambda f: pickle_weights(f, {"more": Opener()}),
    "no_tokenizer": lambda f: (f / "tokenizer.json").write_text("{}"),
    "other_tokenizer": lambda f: shorten_heads(f),
    "code_elsewhere": lambda f: edit_config(f, auto_map={"AutoModelForCausalLM": "else/where--modeling_quill.Quill"}),
    "old_code": lambda f: edit_code(f, "import math", "from transformers.modeling_utils import no_longer_there"),
    "old_code ": lambda f: edit_code(f, "import math", "import a_library_of_2023"),
    "foreign_code": lambda f: edit_code(f, "super().__init__(config)", "super().__init__(config); 1 / 0"),
    "cannot_run": lambda f: edit_code(f, "x = self.glyphs(input_ids)", "x = self.glyphs(input_ids.nothing)"),
    "cannot_run ": lambda f: edit_code(f, 'return {"loss": loss, "logits": logits}', "return None"),
    "no_table": lambda f: edit_code(
        f,
        "x = self.glyphs(input_ids)",
        "x = torch.sin(input_ids.cumsum(1)[..., None].float() * torch.arange(1, self.glyphs.weight.shape[1] + 1))",
    ),
    "no_anatomy": lambda f: edit_code(f, "x = layer(x)", "x = layer.forward(x)"),
    "unverified": lambda f: edit_code(f, "(self.half_ru(x) + self.half_zh(x)) / 2", "self.half_ru(x) + torch.rand(1)"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_damage_has_its_sentence(folder: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    DAMAGE[damage](folder)
    with pytest.raises(UserError) as caught:
        load_foreign(folder, "quill", trusted=True)
    assert caught.value.code == damage.strip()
    sentences = [say(caught.value.code, language, **caught.value.values) for language in LANGUAGES]
    assert len(set(sentences)) == 3 and all("{" not in s and str(folder.parent) not in s for s in sentences)
    assert not (folder / "opened").exists()


def test_old_code_names_what_it_misses(folder: Path) -> None:
    edit_code(folder, "import math", "from transformers.modeling_utils import no_longer_there")
    with pytest.raises(UserError, match=r"transformers\.modeling_utils\.no_longer_there"):
        load_foreign(folder, "quill", trusted=True)


def test_code_is_not_run_unasked(folder: Path) -> None:
    edit_code(folder, "import math", "import os; os.mkdir('opened')")
    with pytest.raises(UserError) as caught:
        load_foreign(folder, "quill", trusted=False)
    assert caught.value.code == "untrusted_code" and not Path("opened").exists()


def test_trust_is_for_known_ids_or_by_consent(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLYPHSCOPE_TRUST_REMOTE_CODE", raising=False)
    assert all(place_of(f"{model}@{REVISION}").trusted for model in KNOWN)
    assert not place_of(str(written)).trusted and not place_of(f"somebody/else@{REVISION}").trusted
    monkeypatch.setenv("GLYPHSCOPE_TRUST_REMOTE_CODE", "1")
    assert place_of(str(written)).trusted and place_of(f"somebody/else@{REVISION}").trusted
    assert not any(place_of(f"{model}@main").trusted or place_of(model).trusted for model in KNOWN)


def test_too_little_memory_is_said_beforehand(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "free_memory", lambda: 1e6)
    with pytest.raises(UserError, match=r"needs about .* GB of memory and 0\.0 GB are free"):
        load_foreign(written, "quill", trusted=True)


def test_an_unknown_precision_names_the_known_ones(written: Path) -> None:
    with pytest.raises(UserError, match="bfloat16, int8"):
        load_foreign(written, "quill", trusted=True, precision="int4")


def test_pickled_tensors_alone_are_read(folder: Path, written: Path) -> None:
    pickle_weights(folder, {})
    bundle = load_foreign(folder, "quill", trusted=True)
    assert torch.equal(bundle.model.embedding, load_foreign(written, "quill", trusted=True).model.embedding)


def test_weights_in_several_files_under_a_wrappers_names_are_read(folder: Path) -> None:
    state = {f"module.{key}": value for key, value in load_file(folder / "model.safetensors").items()}
    (folder / "model.safetensors").unlink()
    for number, half in enumerate((list(state)[::2], list(state)[1::2])):
        save_file({key: state[key] for key in half}, folder / f"model-0000{number}-of-00002.safetensors")
    report = load_foreign(folder, "quill", trusted=True).report
    assert report is not None and report.style


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place of its own for what is fetched, and no waiting between attempts."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.mark.usefixtures("cache")
def test_a_hub_id_is_fetched_at_its_revision_once(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    place = place_of(f"somebody/quill@{REVISION}")
    with hub("somebody/quill", written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        fetched = locate(place, shares.append)
    for name in ("config.json", "model.safetensors", "modeling_quill.py", "tokenizer.json"):
        assert (fetched / name).read_bytes() == (written / name).read_bytes()
    assert shares[-1] == 1 and all(0 <= share <= 1 for share in shares)
    assert locate(place) == fetched  # the hub is gone, the files are here


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("setting", "code"),
    [
        (f"somebody/other@{REVISION}", "wrong_id"),
        ("somebody/quill@deadbeef", "wrong_revision"),
        ("somebody/quill@no/branch", "wrong_revision"),
        ("Bochkov/best_bvv_moe", "wrong_id"),
        ("no such folder", "no_model"),
    ],
)
def test_what_the_hub_does_not_have(setting: str, code: str, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub("somebody/quill", written) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(UserError) as caught:
            locate(pinned(place_of(setting)))
    assert caught.value.code == code


@pytest.mark.usefixtures("cache")
def test_no_hub_and_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="hub cannot be reached"):
        locate(Place(None, "somebody/quill", REVISION))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(UserError, match="not enough disk space"):
        locate(Place(None, "somebody/quill", REVISION))


@pytest.fixture(autouse=True)
def loaders_end() -> Iterator[None]:
    """Nobody is still loading when the interpreter ends: a thread inside torch would take it down."""
    yield
    for thread in threading.enumerate():
        if thread.name == "loader":
            thread.join(60)


@pytest.fixture
def registry(written: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistry:
    """The stage of a server that was asked for a checkpoint that is not ours."""
    monkeypatch.setenv("GLYPHSCOPE_TRUST_REMOTE_CODE", "1")
    monkeypatch.setenv("GLYPHSCOPE_MODELS", str(written.parent / "other"))
    return open_registry(str(written))[0]


def wait(registry: ModelRegistry) -> None:
    for _ in range(600):
        if not registry.loading.busy:
            return
        time.sleep(0.1)
    raise AssertionError(f"still {registry.loading}")


def test_the_mini_answers_while_another_model_is_loaded_and_gives_way(registry: ModelRegistry) -> None:
    before = registry.of("a")
    assert before.key == "glyphscope-mini"
    registry.load("quill", first=True)
    assert registry.loading.busy and registry.of("a") is before
    assert registry.of("a").engine.look("Мама").experts == ("RU", "ZH")
    wait(registry)
    after = registry.of("a")
    assert after.key == "quill" and after.engine.bundle.report is not None
    trace = before.engine.look("Мама")
    assert registry.made(trace) is before, "what is on a visitor's page is still answered by the model that made it"
    registry.choose("a", "glyphscope-mini")
    assert registry.of("a") is before and registry.of("b") is after


def test_a_model_that_fails_leaves_the_old_one(registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLYPHSCOPE_TRUST_REMOTE_CODE")
    registry.choose("a", "quill")
    wait(registry)
    error = registry.error_of("a")
    assert error is not None and error.code == "untrusted_code"
    assert registry.of("a").key == "glyphscope-mini"
    assert registry.error_of("b") is None and registry.loading.error is None, "only who chose it is told"
    registry.tell("a", None)
    assert registry.error_of("a") is None, "once it was read"


@pytest.mark.parametrize(("folder", "code"), [("nowhere", "no_model"), (".", "missing_files")])
def test_a_setting_that_names_no_model_leaves_the_bundled_one(folder: str, code: str, tmp_path: Path) -> None:
    registry, wanted = open_registry(str(tmp_path / folder))
    registry._load(wanted, first=True)  # in this thread
    assert registry.loading.error is not None and registry.loading.error.code == code
    registry.tell("a", None)
    assert registry.error_of("a") is None and registry.error_of("b") is registry.loading.error
    assert registry.of("a").key == "glyphscope-mini"


def test_a_fault_that_nobody_thought_of_is_one_sentence(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.models._bundle", broken)
    registry.choose("a", "quill")
    wait(registry)
    error = registry.error_of("a")
    assert error is not None and error.code == "load_failed" and registry.error_of("b") is None
    assert registry.of("a").engine.look("Мама").experts == ("RU", "ZH")


def test_only_what_is_offered_can_be_chosen_and_one_at_a_time(registry: ModelRegistry) -> None:
    with pytest.raises(UserError, match="not on the list"):
        registry.choose("a", "../../etc")
    registry.load("quill")
    with pytest.raises(UserError, match="being loaded"):
        registry.choose("b", "other")
    wait(registry)
    assert list(registry.offers) == ["glyphscope-mini", "quill", "other"]


def test_two_folders_of_one_name_are_two_offers(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / written.name
    shutil.copytree(MINI, other)
    monkeypatch.setenv("GLYPHSCOPE_MODELS", f"{other},{written},{other},{MINI}")
    registry, _ = open_registry(str(written))
    folders = {key: place.folder for key, place in registry.offers.items() if place.folder}
    assert folders == {"glyphscope-mini": MINI, "quill": written, "quill (2)": other}
    registry.choose("a", "quill (2)")
    wait(registry)
    shown = registry.of("a")
    assert shown.folder == other and registry.made(shown.engine.look("Мама")) is shown


def test_operators_add_to_the_list(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLYPHSCOPE_MODELS", f"{written}, Bochkov/best_bvv_moe@abc123")
    registry, wanted = open_registry(None)
    assert wanted == "" and registry.offers["quill"].folder == written
    assert registry.offers["Bochkov/best_bvv_moe"].revision == "abc123"
    assert list(registry.offers) == ["glyphscope-mini", "quill", "Bochkov/best_bvv_moe"]
