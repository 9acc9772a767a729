"""The texts: the same in three languages, asked for by the code, counted and numbered in the language's way."""

import ast
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from babel.numbers import format_decimal, format_percent

from app.intervene.silencing import Kind
from app.lesson.lesson import STEPS
from app.panels.settings import FUSIONS
from app.panels.words import CONCEPTS
from app.probing.control_record import KINDS, MERGES
from app.probing.probe_measures import MEASURES as PROBE_MEASURES
from app.probing.word_list import CARRIERS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.tabs import TABS
from app.wording import catalogue
from app.wording.catalogue import LANGUAGES, Plural, say, speaker, texts
from app.wording.errors import UserError
from app.wording.locales import number, percent, plural_form
from tests.wording.calls import STAR, Calls
from viz.strip import STRIP_MEASURES

ROOT = Path(__file__).parent.parent.parent
SOURCES = [ROOT / "app.py", *sorted((ROOT / "app").rglob("*.py")), *sorted((ROOT / "viz").rglob("*.py"))]
TEMPLATES = sorted((ROOT / "viz" / "templates").glob("*.html"))

FAMILIES = {
    "attention_*": ("moved", "bits", "patched", "previous", "start", "itself"),
    "colour_*": ("concept", "language", "script", "expert"),
    "concept_*": CONCEPTS,
    "fusion_*": FUSIONS,
    "layout_*": ("pca", "umap"),
    "lesson_*_title": STEPS,
    "measure_*": STRIP_MEASURES,
    "measure_of_*": PROBE_MEASURES,
    "merge_*": MERGES,
    "mode_*": ("words", "dots", "pictures"),
    "part_*": get_args(Kind),
    "proof_set_*": (*PROOF_SETS, "map"),
    "script_*": ("latin", "cyrillic", "han", "other"),
    "tab_*": TABS,
    "control_*": (*KINDS, "grown"),
    "verdict_*": ("unshared", "alone"),
    "verdict_*_not": ("unshared", "alone"),
    "voices_*": ("single", "joined", "mean", "weighted", "probabilities", "learned"),
    "word_set_*": PRESETS,
    "words_*": CARRIERS,
}
"""Codes with a part that the calls do not tell, and the values which that part takes."""

ELSEWHERE = {STAR}
"""A code out of an error or a piece of news, said where it was made."""


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """The codes that the code asks for, families written out, and the counted nouns in the sentences."""
    codes = Calls([*SOURCES, *TEMPLATES]).codes()
    assert {code for code in codes if STAR in code} == set(FAMILIES) | ELSEWHERE
    plain = {code for code in codes if STAR not in code}
    named = {family.replace(STAR, value) for family, values in FAMILIES.items() for value in values}
    nouns = {spec for text in texts("en").values() for _, spec in blanks(text) if spec.startswith("n_")}
    return plain | named | nouns


def forms(text: str | Plural) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text.forms.values())


def blanks(text: str | Plural) -> set[tuple[str, str]]:
    """(name, format) of the blanks of a text."""
    return {
        (name, spec or "") for form in forms(text) for _, name, spec, _ in string.Formatter().parse(form) if name
    } | ({(text.by, "")} if isinstance(text, Plural) else set())


def test_every_text_is_asked_for_and_every_code_has_a_text(asked: set[str]) -> None:
    assert asked - set(texts("en")) == set()
    assert set(texts("en")) - asked == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_texts_in_the_same_order(language: str) -> None:
    assert list(texts(language)) == list(texts("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_padded(language: str) -> None:
    for code, text in texts(language).items():
        for form in forms(text):
            assert form and form == form.strip() and "  " not in form, code


@pytest.mark.parametrize("language", LANGUAGES)
def test_blanks_agree_over_the_languages(language: str) -> None:
    for code, text in texts(language).items():
        assert {name for name, _ in blanks(text)} == {name for name, _ in blanks(texts("en")[code])}, code


@pytest.mark.parametrize("language", LANGUAGES)
def test_formats_are_counted_nouns_or_pythons(language: str) -> None:
    for code, text in texts(language).items():
        for _, spec in blanks(text):
            assert isinstance(texts(language).get(spec), Plural) if spec.startswith("n_") else format(1234, spec), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_texts_have_every_form_of_the_language_and_no_other(language: str) -> None:
    categories = {plural_form(count, language) for count in range(1000)}
    for code, text in texts(language).items():
        if isinstance(text, Plural):
            assert set(text.forms) == categories, code
            assert code.startswith("n_") == (text.by == "n"), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_plain_text_has_a_plural_noun_after_its_number(language: str) -> None:
    bare = r"\{(count|limit|length|orders|groups|words|lines|layers|experts|probes|n)\} "
    nouns = {"en": r"[a-z]+s\b", "ru": r"[а-я]+(ов|ей|а|ы|и)\b", "zh": r"$^"}[language]
    for code, text in texts(language).items():
        if isinstance(text, str):
            assert not re.search(bare + nouns, text), code


@pytest.mark.parametrize(
    ("language", "count", "sentence"),
    [
        ("en", 1, "1 text is waiting already"), ("en", 2, "2 texts are waiting already"), ("en", 0, "0 texts are"),
        ("ru", 1, "Уже ждёт 1 текст:"), ("ru", 21, "Уже ждёт 21 текст:"), ("ru", 3, "Уже ждут 3 текста:"),
        ("ru", 11, "Уже ждут 11 текстов:"), ("ru", 100, "Уже ждут 100 текстов:"), ("zh", 1, "已有 1 段文本在等候"),
    ],
)  # fmt: skip
def test_a_sentence_agrees_with_its_number(language: str, count: int, sentence: str) -> None:
    assert say("crowded", language, limit=count).startswith(sentence)


def test_one_sentence_counts_several_things() -> None:
    subject = {"set": "X", "read": "y"}
    assert say("proof_subject", "en", count=1, groups=2, **subject) == "X: 1 word, 2 groups; y"
    assert say("proof_subject", "ru", count=104, groups=1, **subject) == "X: 104 слова, 1 группа; y"
    assert say("proof_subject", "zh", count=104, groups=14, **subject) == "X：104 个词，14 个类别；y"


def test_counted_numbers_are_grouped_and_others_are_not() -> None:
    assert say("looked", "en", count=12345) == "12,345 tokens read."
    assert say("looked", "ru", count=12345) == "Прочитано 12\xa0345 токенов."
    assert say("bad_seed", "en", low=0, high=2147483647) == "Set the seed to a whole number from 0 to 2147483647."


def test_a_plural_text_takes_whole_numbers_only() -> None:
    with pytest.raises(AssertionError, match="done is chosen by count, a whole number, not '3'"):
        say("done", count="3", rate="1")


def test_decimals_in_sentences_follow_the_language() -> None:
    assert "2,5 ГБ памяти, свободно 1,0 ГБ" in say("no_memory", "ru", folder="x", needed=2.46, free=1.0)
    assert "от 0 до 1,5" in say("bad_temperature", "ru", low=0, high=1.5)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", [0.0, 0.125, 23.3, -7.75, 1234.5, 9876543.21])
def test_numbers_are_those_of_babel(language: str, value: float) -> None:
    assert number(value, language, 2) == format_decimal(value, "#,##0.00", locale=language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("share", [0.0, 0.233, 0.5, 1.0, 12.5])
def test_percentages_are_those_of_babel(language: str, share: float) -> None:
    pattern = {"en": "#,##0.0%", "ru": "#,##0.0\xa0%", "zh": "#,##0.0%"}[language]
    assert percent(share, language) == format_percent(share, pattern, locale=language)


def test_small_shares_never_read_as_none() -> None:
    assert [percent(1e-6, language) for language in LANGUAGES] == ["<0.1%", "<0,1\xa0%", "<0.1%"]
    assert percent(0, "en") == "0.0%" and percent(0.001, "en") == "0.1%"


def test_speech_has_signs_and_separators() -> None:
    russian, english = speaker("ru"), speaker("en")
    assert russian.signed(0.5, 3) == "+0,500" and english.signed(-0.5, 1) == "-0.5"
    assert russian.change(0.05) == "+5,0\xa0%" and english.change(-0.2) == "-20.0%"
    assert russian.separators == ",\xa0" and english.separators == ".,"


def test_sentences_and_lists_are_joined_with_the_marks_of_the_language() -> None:
    english, chinese = speaker("en"), speaker("zh")
    assert english.sentences(["One.", "Two."]) == "One. Two."
    assert chinese.sentences(["一。", "二。"]) == "一。二。"
    assert speaker("ru").listed(["RU 1", "ZH 2"]) == "RU 1, ZH 2"
    assert chinese.listed(["RU 1", "ZH 2"]) == "RU 1，ZH 2"
    assert english.clauses(["RU 1, 2", "ZH 3"]) == "RU 1, 2; ZH 3"
    assert chinese.clauses(["RU 1，2", "ZH 3"]) == "RU 1，2；ZH 3"


@pytest.mark.parametrize(("language", "written"), [("en", "13.6 million"), ("ru", "13,6\xa0млн"), ("zh", "1360万")])
def test_large_numbers_are_said_in_the_words_of_the_language(language: str, written: str) -> None:
    assert speaker(language).compact(13_600_000) == written


def test_no_space_follows_a_chinese_full_stop() -> None:
    for code, text in texts("zh").items():
        for sentence in [text] if isinstance(text, str) else text.forms.values():
            assert not re.search("[。！？] ", sentence), code


def test_unknown_language_reads_english() -> None:
    assert say("stop", "xx") == "Stop" and say("stop", "ru") == "Стоп" and speaker("xx")("stop") == "Stop"


def test_errors_read_english_by_themselves() -> None:
    assert str(UserError("many_tokens", length=1, limit=1)) == "The text has 1 token; shorten it to 1."


def test_a_key_in_two_sections_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xx.toml").write_text('[one]\nstop = "a"\n[two]\nstop = "b"\n', encoding="utf-8")
    monkeypatch.setattr(catalogue, "__file__", str(tmp_path / "catalogue.py"))
    with pytest.raises(AssertionError, match="stop stands in two sections"):
        texts("xx")


def test_the_texts_need_neither_numpy_nor_anything_else_of_ours() -> None:
    """What sets the environment speaks before NumPy and torch are imported."""
    code = "import sys, app.wording.errors; print(*{name.split('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    loaded = {name for name in found.split() if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert loaded - {"app", "babel"} <= {"sitecustomize", "distutils"}, loaded
    ours = {
        name
        for path in (ROOT / "app" / "wording").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for name in [node.module]
        if name.startswith(("app", "viz"))
    }
    assert all(name.startswith("app.wording.") for name in ours), ours
