"""What a token means in the visitor's language: the word list first, whole words only."""

import pytest

from app.probing.glosses import gloss_report, token_gloss


@pytest.mark.parametrize(
    ("text", "language", "meant"),
    [
        (" кошка", "en", "cat"),  # of the word list
        ("猫", "en", "cat"),
        (" Cat", "zh", "猫"),  # in small letters
        (" cat", "en", ""),  # the reader's own language
        ("кошка", "en", ""),  # no space before it: the rest of a longer word
        (" ко", "en", ""),
        ("。", "en", ""),
        ("", "en", ""),
        (" ", "ru", ""),
        ("<s>", "ru", ""),
    ],
)
def test_whole_words_are_glossed(text: str, language: str, meant: str) -> None:
    assert token_gloss(text, language) == meant


def test_a_word_beyond_the_list_is_in_the_dictionary_and_its_report_is_of_shares() -> None:
    assert token_gloss("因为", "en") == "because"
    for language in ("en", "ru", "zh"):
        report = gloss_report(language)
        assert report["words"] > 1_000 and 0.2 < report["covered"] < 1 and 0.5 < report["right"] <= 1
