"""Folders of other families: a sentence that is true of the folder, and none that blames code it does not bring."""

import codecs
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from app.checkpoint.bundle import is_ours, load_bundle
from app.checkpoint.checksums import CHECKSUMS_FILE
from app.foreign.load import load_foreign
from app.wording.catalogue import LANGUAGES, say
from app.wording.errors import UserError
from tests.hosting.test_space import POINTER
from tests.support.folders import Folder, write_folder

WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder of the library, tiny and random, without code of its own."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("family") / "quill"
    torch.manual_seed(0)
    ends = {"bos_token_id": 1, "eos_token_id": 1}
    config = GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=64, **ends)
    GPT2LMHeadModel(config).save_pretrained(folder)
    vocabulary = {word: i for i, word in enumerate(["<unk>", "</s>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def folder(gpt2: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(gpt2, tmp_path / "quill"))


def marked(folder: Path) -> None:
    """Put a byte order mark in front of the config, as some editors do."""
    path = folder / "config.json"
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())


OTHERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "t5": ({"model_type": "t5", "is_encoder_decoder": True}, "encoder_decoder", "an encoder-decoder (t5)"),
    "bart without a word": ({"model_type": "bart", "architectures": None}, "encoder_decoder", "(bart)"),
    "bert": ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "no_decoder", "holds BertForMaskedLM"),
    "vit": ({"model_type": "vit", "architectures": ["ViTModel"]}, "no_decoder", "holds ViTModel"),
    "gptq": ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantised", "is quantised (gptq)"),
    "bitsandbytes": ({"quantization_config": {"load_in_4bit": True}}, "quantised", "GLYPHSCOPE_PRECISION=int8"),
    "of tomorrow": ({"model_type": "quill"}, "unknown_kind", "of the type “quill”"),
    "of nothing": ({"model_type": None}, "no_kind", "has no model_type"),
    "of no size": ({"n_embd": "many"}, "not_built", "could not build quill"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_folder_of_another_family_is_named_as_what_it_is(folder: Path, name: str) -> None:
    changes, code, part = OTHERS[name]
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(UserError) as caught:
        load_foreign(folder, "quill", trusted=True)
    assert (caught.value.code, part in str(caught.value)) == (code, True), caught.value
    sentences = [say(code, language, **caught.value.values) for language in LANGUAGES]
    assert len(set(sentences)) == 3 and not any("{" in s or str(folder.parent) in s for s in sentences)
    assert "code of" not in str(caught.value), "there is no code to blame"


def test_a_byte_order_mark_changes_nothing(folder: Path, tmp_path: Path, toy_bundle: Path) -> None:
    before = load_foreign(folder, "quill", trusted=False).report
    marked(folder)
    assert before is not None and load_foreign(folder, "quill", trusted=False).report == before
    coded = tmp_path / "coded"
    write_folder(coded, Folder("two_towers"))
    marked(coded)
    assert load_foreign(coded, "quill", trusted=True).experts == ("RU", "ZH")
    ours = Path(shutil.copytree(toy_bundle, tmp_path / "ours"))
    marked(ours)
    with pytest.raises(UserError, match=r"not what was written there \(config\.json\)"):
        load_bundle(ours)
    (ours / CHECKSUMS_FILE).unlink()
    assert is_ours(ours) and load_bundle(ours).experts == load_bundle(toy_bundle).experts


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "tokenizer.json"])
def test_a_pointer_of_git_lfs_is_named(folder: Path, name: str) -> None:
    if name.endswith(".bin"):
        (folder / "model.safetensors").unlink()
    (folder / name).write_text(POINTER, encoding="utf-8")
    with pytest.raises(UserError, match=rf"^{name} is only a Git LFS pointer, .*: run `git lfs pull`"):
        load_foreign(folder, "quill", trusted=False)


@pytest.mark.parametrize("name", ["model.safetensors", "substrate.safetensors"])
def test_a_pointer_in_our_own_folder_is_named(toy_bundle: Path, tmp_path: Path, name: str) -> None:
    ours = Path(shutil.copytree(toy_bundle, tmp_path / "ours"))
    (ours / name).write_text(POINTER, encoding="utf-8")
    with pytest.raises(UserError, match=rf"^{name} is only a Git LFS pointer"):
        load_bundle(ours)
