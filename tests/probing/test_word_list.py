"""Word lists: what ships, and what a visitor may type."""

import hashlib
from collections import Counter
from typing import Any

import pytest

from app.panels.words import CONCEPTS
from app.probing.word_list import (
    CARRIERS,
    FEWEST_EVEN,
    KEPT_OUT,
    MAX_WORDS,
    PRESETS,
    SECOND_FILE,
    WORD_CLASSES,
    all_words,
    even,
    gloss,
    kept_out,
    nouns,
    parse_words,
    preset,
    second,
    second_list,
)
from app.wording.errors import UserError


def test_the_list_has_the_same_concepts_in_three_languages() -> None:
    words = all_words()
    assert len(words) == 3 * 19 * 11 and {word.concept for word in words} == set(CONCEPTS)
    for language in CARRIERS:
        texts = [word.text for word in words if word.language == language]
        assert len(set(texts)) >= len(texts) - 2
    assert all(len(carriers) == len(CARRIERS["en"]) and carriers[0] == "{}" for carriers in CARRIERS.values())


def test_presets_are_parts_of_the_list() -> None:
    assert [len(preset(name)) for name in PRESETS] == [55, 55, 55, 99, 99, 99, 44, 44, 44, 132, 154, 154, 154]
    assert {word.concept for word in preset("ru")} - {word.concept for word in nouns("ru")} == set(WORD_CLASSES)
    assert set(nouns("ru")) < set(preset("ru"))
    assert set(preset("few_ru")) < set(preset("ru")) and set(preset("few_ru")) < set(preset("mixed"))
    assert len(kept_out("ru")) == 55 and {word.concept for word in kept_out("ru")} == set(KEPT_OUT)
    assert not set(kept_out("ru")) & set(preset("ru"))


def test_the_second_list_is_the_one_that_was_fixed_before_measuring() -> None:
    assert hashlib.sha256(SECOND_FILE.read_bytes()).hexdigest() == (
        "c202f6aeaa1ab1f83c99c0cd66deb3fa92f82923f9688eccf7093d7783eaded4"
    )
    sizes = Counter((word.language, word.concept) for word in second_list())
    assert len(sizes) == 3 * 12 and set(sizes.values()) == {10}
    for language in CARRIERS:
        own = [word.text.casefold() for word in second(language)]
        known = {word.text.casefold() for word in all_words() if word.language == language}
        assert len(set(own)) == 120 and not known & set(own)


def test_words_of_the_list_are_glossed() -> None:
    assert gloss("狗", "en") == "dog" and gloss("собака", "zh") == "狗" and gloss("dog", "ru") == "собака"
    assert gloss("dog", "en") == "" and gloss("zebra", "ru") == ""


def test_own_words_come_in_groups() -> None:
    words = parse_words("fruit: apple, банан 苹果\n\nweather： rain снег;风 apple")
    assert [(w.text, w.language, w.concept) for w in words] == [
        ("apple", "en", "fruit"), ("банан", "ru", "fruit"), ("苹果", "zh", "fruit"),
        ("rain", "en", "weather"), ("снег", "ru", "weather"), ("风", "zh", "weather"),
    ]  # fmt: skip
    assert {word.concept for word in parse_words("a b c\nd e f")} == {"1", "2"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "few_words"),
        ("one two", "few_words"),
        ("a " * 400, "few_words"),
        ("a b c d e f", "few_groups"),
        ("a b c\nd e f\ng h", "few_groups"),
        ("a b c\nd e f a b c\ng c d", "few_groups"),
        ("\n".join(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(200)), "few_groups"),
        (" ".join(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(MAX_WORDS + 1)), "many_words"),
        ("x" * 100_000, "many_words"),
        (None, "many_words"),
        ("a b c d e " + "x" * 41, "odd_word"),
        ("a b c\nd e f\u0000", "odd_word"),
        ("a b c d e \u202ef", "odd_word"),
        ("a b c d e 😀", "other_script"),
        ("a b c d e שלום", "other_script"),
        ("a b c d e f\ud800", "odd_word"),
    ],
    ids=lambda value: str(value)[:12].encode("ascii", "replace").decode(),
)
def test_words_that_cannot_be_shown_get_a_sentence(text: Any, code: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_words(text)
    assert caught.value.code == code and str(caught.value).endswith(".")


def test_words_of_one_length_are_of_one_length() -> None:
    for language, spread in (("en", 2), ("ru", 2), ("zh", 0)):
        words = even(language)
        lengths = [len(word.text) for word in words]
        assert max(lengths) - min(lengths) == spread and set(words) < set(preset(language))
        assert min(Counter(word.concept for word in words).values()) >= FEWEST_EVEN
