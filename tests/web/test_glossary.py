"""The glossary: few words, each in three languages, and its terms stand in the page's texts."""

import re

import pytest

from app.web.glossary import MARKED, PLAIN, glossary_html
from app.wording.catalogue import LANGUAGES, Plural, say, texts

WORDS = (*PLAIN, *MARKED)


def test_there_are_at_most_25_words_each_once() -> None:
    assert len(WORDS) == len(set(WORDS)) <= 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_has_one_sentence_of_its_own_language(language: str) -> None:
    for word in WORDS:
        sentence = say(f"gloss_{word}", language)
        assert re.fullmatch(r"[^.。!?]+(\.\d[^.。!?]*)*[.。]", sentence), (word, sentence)
        assert language == "en" or sentence != say(f"gloss_{word}", "en"), word
        assert f"id='glossary-{word}'" in glossary_html(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_stands_in_a_text_of_the_page(language: str) -> None:
    said = [
        form
        for code, text in texts(language).items()
        if not code.startswith(("term_", "gloss_", "forms_"))
        for form in (text.forms.values() if isinstance(text, Plural) else [text])
    ]
    for word in MARKED:
        forms = [re.escape(form).replace(r"\*", r"\w*") for form in say(f"forms_{word}", language).split(" | ")]
        assert any(re.search("|".join(forms), text, re.IGNORECASE) for text in said), word
