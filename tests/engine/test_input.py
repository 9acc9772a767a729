"""What an engine is given: useless and odd texts, bad settings, a damaged checkpoint; each has its sentence."""

import math
from pathlib import Path

import pytest

from app.checkpoint.bundle import load_bundle
from app.engine.engine import MAX_CHARACTERS, Engine
from app.engine.sampling import Sampling
from app.substrate.plain_text import plain_text
from app.wording.errors import UserError

BAD_TEXTS = {
    "": "empty_prompt",
    " \n\t ": "empty_prompt",
    "😀🎉": "unknown_prompt",
    "\ud800": "unknown_prompt",
    "\u0000\u0007": "unknown_prompt",
    "x" * (MAX_CHARACTERS + 1): "long_prompt",
    "a" * 100_000: "long_prompt",
    "z" * 300: "many_tokens",
}


@pytest.mark.parametrize(("text", "code"), BAD_TEXTS.items(), ids=[repr(t[:12]) for t in BAD_TEXTS])
def test_useless_text_gets_one_sentence(engine: Engine, text: str, code: str) -> None:
    for use in (engine.look, lambda text: list(engine.generate(text))):
        with pytest.raises(UserError) as caught:
            use(text)
        assert caught.value.code == code
        assert str(caught.value).endswith(".") and "{" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 5, b"abc", ["a"]])
def test_what_is_no_text_is_refused(engine: Engine, value: object) -> None:
    with pytest.raises(UserError):
        engine.look(value)  # type: ignore[arg-type]


ODD_TEXTS = [
    "кот😀",
    "a\ud800b",
    "שלום cat",
    "<script>alert(1)</script>",
    "${1+1} {{x}} `",
    "e\u0301 и\u0306",
    "\u202ecat",
    "\x00кот",
]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=[ascii(t) for t in ODD_TEXTS])
def test_odd_text_is_read_as_what_it_becomes(engine: Engine, text: str) -> None:
    trace = engine.look(text)
    ids = [engine.bundle.tokenizer.token_to_id(t) for t in trace.texts[1:]]
    assert ids == trace.ids[1:].tolist()
    missing = engine.unknown(text)
    assert all(engine.bundle.tokenizer.token_to_id(c) is None for c in missing)
    assert ("<unk>" in trace.texts) == bool(missing)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert plain_text("и\u0306") == "й" and plain_text("a\r\nb\rc") == "a\nb\nc" and plain_text("\ud83d") == "\ufffd"


BAD_SETTINGS = [
    ("temperature", math.nan), ("temperature", math.inf), ("temperature", -0.1), ("temperature", 2.1),
    ("temperature", "hot"),
    ("top_k", -1), ("top_k", 1.5), ("top_k", 10**9), ("top_k", None), ("top_k", True),
    ("top_p", 0.0), ("top_p", 1.01), ("top_p", math.nan),
    ("seed", -1), ("seed", 0.5), ("seed", 2**64), ("seed", math.nan),
    ("new_tokens", 0), ("new_tokens", 129), ("new_tokens", math.inf), ("new_tokens", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS, ids=[f"{n}={v}" for n, v in BAD_SETTINGS])
def test_bad_settings_name_the_remedy(name: str, value: object) -> None:
    with pytest.raises(UserError) as caught:
        Sampling(**{name: value})  # type: ignore[arg-type]
    assert caught.value.code == f"bad_{name}"


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.6), (-0.5, 1.5), (math.nan, 1.0), ("a", "b"), (0.2, 0.3, 0.5)])
def test_bad_weights_are_refused(engine: Engine, weights: object) -> None:
    with pytest.raises(UserError, match="2 weights"):
        engine.look("Мама", weights)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped"])
def test_damaged_checkpoint_names_the_remedy(toy_bundle: Path, tmp_path: Path, damage: str) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(toy_bundle, folder)
    weights = folder / "model.safetensors"
    data = weights.read_bytes()
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(data[:1000] if damage == "truncated" else b"\xff" * 8 + data[8:])
    with pytest.raises(UserError, match=r"(?i:restore) the folder"):
        load_bundle(folder)
