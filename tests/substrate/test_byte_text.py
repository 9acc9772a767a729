"""Tokens of a byte-level tokenizer that are parts of characters: named by their bytes, put together again."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from app.foreign.files.tokens import read_tokens, texts_of
from app.foreign.recover import find_pictures
from app.panels.strip import _whole
from app.substrate.byte_text import bytes_of, has_bytes, joined, named_bytes, shared_characters
from app.substrate.glyphs import code_points
from app.substrate.pictures import cell_borders, draw_bytes
from app.substrate.plain_text import plain_text
from app.substrate.scripts import script_of
from app.wording.catalogue import speaker
from viz.strip import STRIP_MEASURES, Chip, strip

IDS = 500
TEXTS = [
    "The cat sees the dog and 2 birds. " * 3,
    "Мама любит новый дом. Кот и собака живут вместе.",
    "我们喜欢这只猫，你呢？",
]
ODD = ["😀", "a😀b", "Мама 🎉 и 猫", "龘", "e\u0301", "  два  пробела", "\ufffd", "<0xF0>"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """A byte-level one of 500 ids, as GPT-2's are made, that knows no emoji."""
    made = Tokenizer(BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=IDS, initial_alphabet=alphabet, show_progress=False, min_frequency=1)
    made.train_from_iterator(TEXTS, trainer)
    return made


@pytest.fixture(scope="module")
def texts(tokenizer: Tokenizer) -> tuple[str, ...]:
    return texts_of(tokenizer, IDS)


def test_no_two_ids_read_alike_and_none_reads_as_the_replacement_character(texts: tuple[str, ...]) -> None:
    parts = [text for text in texts if has_bytes(text)]
    assert len(parts) >= 128, "every byte from 0x80 on is one"
    assert not any("\ufffd" in text for text in texts)
    assert len(set(parts)) == len(parts)
    assert "<0xF0>" in parts and not has_bytes("猫")


def test_no_two_parts_of_characters_share_a_picture(texts: tuple[str, ...]) -> None:
    table = np.random.default_rng(0).normal(size=(IDS, 16)).astype(np.float32)
    _, drawn, _ = find_pictures(texts, table / np.linalg.norm(table, axis=1, keepdims=True))
    parts = [i for i, text in enumerate(texts) if has_bytes(text)]
    pictures = [picture for picture in drawn[parts].reshape(len(parts), -1) if picture.any()]
    assert len(pictures) >= 128, "of every single byte"
    assert len(np.unique(pictures, axis=0)) == len(pictures)
    pairs = [f"<0x{a:02X}><0x{b:02X}>" for a in range(0xC2, 0xF5) for b in range(0x80, 0xC0)]
    assert len({draw_bytes(pair).tobytes() for pair in pairs}) == len(pairs)
    assert cell_borders("<0xF0>", "legible") == ()


@pytest.mark.parametrize("text", [*TEXTS, *ODD])
def test_tokens_put_together_are_the_text(text: str, tokenizer: Tokenizer, texts: tuple[str, ...]) -> None:
    ids = tokenizer.encode(text).ids
    assert joined(texts[i] for i in ids) == text
    assert joined(texts[i] for i in ids) == tokenizer.decode(ids), "the library's own decoder"


def test_the_chips_of_an_emoji_are_framed_together(tokenizer: Tokenizer, texts: tuple[str, ...]) -> None:
    tokens = [texts[i] for i in tokenizer.encode("a😀b").ids]
    assert tokens == ["a", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "b"]
    assert shared_characters(tokens) == [(range(1, 5), "😀")]
    blank = np.zeros((32, 32), bool)
    chips = _whole([Chip(i, text, blank, 0.0, False) for i, text in enumerate(tokens)])
    html = strip(chips, 0, STRIP_MEASURES["surprise"], ("A",), speaker("en"))
    assert html.count("gs-whole-text") == 1 and "&lt;0xF0&gt;: part of 😀" in html
    frame = html.split("<span class='gs-whole'>")[1]
    assert frame.index(">b</bdi>") > frame.index("0x80") and frame.count("<button") == 5
    assert html.count("<span") == html.count("</span>")


@pytest.mark.parametrize(
    ("tokens", "runs"),
    [
        ([" <0xF0><0x9F>", "<0x98>", "<0x80>a", "b"], [(range(3), " 😀a")]),
        (["<0xC3>", "<0xA9>", "<0xC3>", "<0xA9>"], [(range(2), "é"), (range(2, 4), "é")]),
        (["<0xF0>", "x", "<0x9F>"], []),
        (["<0xF0>"] * 30, []),
        (["<0x0A>", "a"], []),
    ],
)
def test_only_what_reads_together_is_a_run(tokens: list[str], runs: list[tuple[range, str]]) -> None:
    assert shared_characters(tokens) == runs


def test_a_part_has_no_letters_and_no_code_points() -> None:
    assert script_of("<0xF0>") == "other" and script_of("<b>") == "latin"
    assert code_points("<0xF0><0x9F>") == ("0xF0 BYTE", "0x9F BYTE")
    assert named_bytes(bytes(range(256))).startswith("\0") and bytes_of(named_bytes(bytes(range(256)))) == bytes(
        range(256)
    )


@pytest.mark.parametrize(("told", "start"), [(None, 0), (-1, 0), ([7, 8], 7), (True, 0), (2**40, 0), (9, 9), ([], 0)])
def test_any_start_that_a_folder_names_is_read(told: object, start: int, tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = read_tokens(tmp_path, {"bos_token_id": told, "eos_token_id": [-1, None, 3, IDS]}, IDS + 20, False)
    assert (found.start, found.ends) == (start, (3, IDS))
    assert len(set(found.texts)) == IDS + 20, "rows that no token fills have names too"


def test_tokens_of_a_vocabulary_with_bars_for_spaces_keep_every_space() -> None:
    made = Tokenizer(BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    made.train_from_iterator(TEXTS, BpeTrainer(vocab_size=200, show_progress=False))
    texts = texts_of(made, made.get_vocab_size())
    for text in ("The cat", "  The cat", "the  dog"):
        read = joined(texts[i] for i in made.encode(text).ids)
        assert read.removeprefix("" if text.startswith(" ") else " ") == text


def test_marks_that_turn_a_text_around_are_dropped() -> None:
    assert plain_text("The \u202ecat\u202c \u2066dog\u2069\u061c") == "The cat dog"
    assert plain_text("мо\u0438\u0306 e\u0301") == "мой é", "composed, as the vocabulary has them"
