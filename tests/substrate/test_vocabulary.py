"""Vocabulary and tokenizer: the published one to the last id, and the small one."""

import ast
import json

import numpy as np
import pytest

from app.probing.contexts import find_contexts
from app.probing.word_list import Word
from app.substrate.vocabulary import (
    Vocabulary,
    build_tokenizer,
    by_length,
    merges,
    mini_vocabulary,
    published_grams,
    published_vocabulary,
    with_start,
)
from app.training.batches import token_stream
from app.training.evaluate import chunks
from app.training.prepare import PIECE_SHARES, corpus_vocabulary
from tests.conftest import SHARED

PUBLISHED = SHARED / "bvv241"
needs_lists = pytest.mark.skipif(
    not (PUBLISHED / "parity.json").exists(), reason="the published n-gram lists are not beside the project"
)


@pytest.fixture(scope="module")
def published() -> tuple[list[str], list[str], Vocabulary]:
    languages = ast.literal_eval((PUBLISHED / "ngrams-2-3-4-5.txt").read_text(encoding="utf-8"))
    counts = {entry["lang"]: entry["top_ngrams"] for entry in languages}
    shared = [line.strip() for line in (PUBLISHED / "ngrams-intersection.txt").read_text(encoding="utf-8").split("\n")]
    grams = published_grams(counts, shared)
    return published_grams(counts, []), grams, published_vocabulary(grams)


@needs_lists
def test_published_counts(published: tuple[list[str], list[str], Vocabulary]) -> None:
    counted, grams, vocabulary = published
    expected = json.loads((PUBLISHED / "parity.json").read_text(encoding="utf-8"))["counts"]
    used = [token for token in vocabulary.tokens if not token.startswith("<unused_")]
    assert {
        "single_code_points_and_special": len(used) - len(vocabulary.grams),
        "ngrams_from_languages": len(counted),
        "ngrams_with_intersection": len(grams),
        "vocabulary_before_unused": len(used),
        "vocabulary": len(vocabulary.tokens),
        "merges": len(merges(vocabulary)),
    } == expected


@needs_lists
def test_published_encodings(published: tuple[list[str], list[str], Vocabulary]) -> None:
    tokenizer = build_tokenizer(published[2])
    for sample in json.loads((PUBLISHED / "parity.json").read_text(encoding="utf-8"))["encodings"]:
        assert tokenizer.encode(sample["text"]).ids == sample["ids"], sample["text"]


def test_published_layout_needs_no_lists() -> None:
    vocabulary = published_vocabulary(["the", "th"])
    assert len(vocabulary.tokens) == 131_072
    assert (vocabulary.tokens[0x41], vocabulary.tokens[0x9F99]) == ("A", "龙")
    assert vocabulary.tokens[0xD800:0xD802] == ("the", "th")
    assert vocabulary.tokens[0xE003] == "<unk>" and vocabulary.tokens[0xE0FF] == "<special_token_57599>"
    assert vocabulary.tokens[0x1FFFF] == "<unused_131071>"


def test_order_is_by_length_then_text() -> None:
    assert by_length(["ab", "abc", "aa", "ab", "b c"]) == ["abc", "b c", "aa", "ab"]


def test_merges_are_all_splits_into_known_tokens() -> None:
    vocabulary = mini_vocabulary("abc", ["abc", "ab"])
    assert merges(vocabulary) == [("ab", "c"), ("a", "b")]


def test_spaced_tokenizer_gives_a_first_word_the_token_of_a_later_one() -> None:
    tokenizer = build_tokenizer(mini_vocabulary(" cat猫", [" cat", " ca", " c"]), spaced_words=True)
    assert tokenizer.encode("cat cat").tokens == [" cat", " cat"]
    assert tokenizer.encode("猫cat").tokens == ["猫", "c", "a", "t"]
    assert tokenizer.decode(tokenizer.encode("cat cat").ids, skip_special_tokens=False) == " cat cat"
    assert tokenizer.encode("é").tokens == [" ", "<unk>"]


def test_corpus_vocabulary_has_the_asked_size_and_the_basics() -> None:
    hanzi = "".join(chr(0x4E00 + i) for i in range(600))
    lines = {"en": ("the cat sees the cat",) * 30, "ru": ("мама и мама",) * 30, "zh": (hanzi, hanzi)}
    vocabulary = corpus_vocabulary(lines, 600, PIECE_SHARES)
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == 600
    assert {"~", "я", "ё", "\n", " the", " мама"} <= set(vocabulary.tokens)


def test_a_marked_tokenizer_puts_the_start_before_every_text_and_can_leave_it_out() -> None:
    plain = build_tokenizer(mini_vocabulary(" cat猫", [" cat", " ca", " c"]), spaced_words=True)
    marked = with_start(plain, "</s>")
    assert marked.encode("cat猫").tokens == ["</s>", " cat", "猫"] and plain.encode("cat猫").tokens == [" cat", "猫"]
    assert marked.encode("cat", "猫").tokens == ["</s>", " cat", "猫"]
    assert marked.encode("cat猫", add_special_tokens=False).ids == plain.encode("cat猫").ids
    lines = ["cat", "猫 cat"]
    assert np.array_equal(token_stream(lines, marked, 2, seed=0), token_stream(lines, plain, 2, seed=0))
    assert chunks(lines, marked, 2, 9) == chunks(lines, plain, 2, 9)
    word = Word("cat", "en", "")
    assert find_contexts(["a cat"], [word], marked) == find_contexts(["a cat"], [word], plain)
