"""The words of the first view: stored states are those that the model gives, and of no other model."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.checkpoint.bundle import MINI, load_bundle
from app.checkpoint.checksums import write_checksums
from app.engine.engine import Engine
from app.probing.showcase import SHOWCASE_FILE, carried_states, read_showcase, showcase_words, write_showcase
from app.probing.word_cache import WordCache
from app.probing.word_states import word_states
from app.wording.catalogue import LANGUAGES


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_bundle())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shipped_is_what_the_model_gives(engine: Engine, language: str) -> None:
    words = showcase_words(WordCache(engine), language)
    shown = carried_states(WordCache(engine, MINI), words)
    assert shown is not None and shown.words == words
    stored = read_showcase(MINI)
    assert stored is not None and stored.has(words), "they are not read anew"
    np.testing.assert_allclose(shown.states, word_states(engine, words).states, atol=2e-3)


def test_a_showcase_of_other_weights_or_a_damaged_one_is_not_used(toy_bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(toy_bundle, copy)
    toy = Engine(load_bundle(copy))
    write_showcase(copy, toy)
    known = read_showcase(copy)
    assert known is not None and known.words[:24] == showcase_words(WordCache(toy), "en")
    shutil.copy(MINI / SHOWCASE_FILE, copy)
    write_checksums(copy)
    assert read_showcase(copy) is None, "it names other weights"
    write_showcase(copy, toy)
    (copy / SHOWCASE_FILE).write_bytes((copy / SHOWCASE_FILE).read_bytes()[:-8])
    assert read_showcase(copy) is None, "it is cut"
    read = carried_states(WordCache(toy, copy), known.words)
    assert read is not None
    np.testing.assert_allclose(read.states, known.states, atol=1e-5)
