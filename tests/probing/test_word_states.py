"""Hidden states of words: read at their last token, in carrier sentences or in real ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.probing.contexts import MOST, find_contexts
from app.probing.control_states import ControlStates, read_control_states, write_control_states
from app.probing.word_list import (
    CARRIERS,
    Word,
    preset,
)
from app.probing.word_states import word_states
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.wording.errors import UserError


def test_states_are_those_of_the_words_last_tokens(engine: Engine) -> None:
    """One word, carrier by carrier, through the whole model; layer 0 is the frozen vector."""
    word = Word("кошка", "ru", "animals")
    states = word_states(engine, (Word("cat", "en", "animals"), word)).states
    total = torch.zeros(())
    for carrier in CARRIERS["ru"]:
        ids = [engine.bundle.start, *engine.encode(carrier.format("кошка"))]
        with torch.inference_mode():
            hidden = engine.model(torch.tensor([ids])).hidden
        total = total + torch.stack([layer[:, 0, -1] for layer in hidden], 1)
        assert np.allclose(hidden[0][0, 0, -1], engine.bundle.substrate.table[ids[-1]], atol=1e-6)
    expected = (total / len(CARRIERS["ru"])).numpy()
    assert states.shape == (2, 3, 2, 64)
    assert np.allclose(states[:, :, 1], expected, atol=1e-5)


def test_reading_can_be_cancelled(engine: Engine) -> None:
    with pytest.raises(UserError, match="Cancelled"):
        word_states(engine, preset("few_en"), lambda share: share < 0.3)


def test_contexts_are_beginnings_of_real_sentences_that_end_with_the_word(engine: Engine) -> None:
    lines = ["A cat. Where is the cat? The cat is big.", "Catch the cats!", "the cat", "cat", "No word here."]
    found = find_contexts(lines, [Word("cat", "en", "animals"), Word("dog", "en", "animals")], engine.bundle.tokenizer)
    assert found == {Word("cat", "en", "animals"): ("A cat", "the cat")}
    many = find_contexts(["I see the cat."] * 50, [Word("cat", "en", "")], engine.bundle.tokenizer)
    assert [len(texts) for texts in many.values()] == [MOST]


def test_a_han_word_counts_only_between_borders_of_tokens() -> None:
    tokenizer = build_tokenizer(mini_vocabulary("花钱红我买不", ["花钱"]), spaced_words=True)
    found = find_contexts(["我不花钱", "我买红花"], [Word("花", "zh", "")], tokenizer)
    assert list(found.values()) == [("我买红花",)]


def test_words_are_read_in_real_sentences_where_there_are_any(engine: Engine) -> None:
    cat, dog = Word("cat", "en", "animals"), Word("dog", "en", "animals")
    texts = ("The red cat", "Where is the cat", "I see the big cat")
    both = word_states(engine, (cat, dog), readings={cat: texts})
    assert both.sentences == (3, 0) and both.in_text == 1
    one = [engine.model(torch.tensor([[engine.bundle.start, *engine.ids_of(t)]])).hidden for t in texts]
    expected = np.mean([[layer[:, 0, -1].numpy() for layer in hidden] for hidden in one], axis=0)
    assert np.allclose(both.states[:, :, 0], expected.swapaxes(0, 1), atol=1e-5)
    assert np.allclose(both.states[:, :, 1], word_states(engine, (dog, cat)).states[:, :, 0], atol=1e-5)
    assert both.subset((dog,)).sentences == (0,)


def test_states_of_controls_come_back_nearly_as_they_were(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    controls = ControlStates(
        generator.normal(size=(3, 9, 8)).astype(np.float32), generator.normal(size=(2, 3, 9, 8)).astype(np.float32)
    )
    write_control_states(tmp_path, controls)
    back = read_control_states(tmp_path, (3, 9, 8))
    assert (
        back is not None
        and read_control_states(tmp_path, (3, 9, 7)) is None
        and read_control_states(Path(), (1,)) is None
    )
    for name, states in vars(controls).items():
        error = np.abs(getattr(back, name) - states) / np.abs(states).max(axis=-1, keepdims=True)
        assert error.max() <= 0.5 / 127 + 1e-6
    assert np.array_equal(back.rows([4, 1]).unfrozen, back.unfrozen[:, :, [4, 1]])


def test_the_token_before_a_word_is_read_in_its_sentences(engine: Engine) -> None:
    cat = Word("cat", "en", "animals")
    texts = ("The red cat", "Where is the cat")
    before = word_states(engine, (cat,), readings={cat: texts}, before=True)
    own = [engine.ids_of(text)[: -len(engine.ids_of("cat"))] for text in texts]
    one = [engine.model(torch.tensor([[engine.bundle.start, *ids]])).hidden for ids in own]
    expected = np.mean([[layer[:, 0, -1].numpy() for layer in hidden] for hidden in one], axis=0)
    assert np.allclose(before.states[:, :, 0], expected.swapaxes(0, 1), atol=1e-5)
