"""Text that networks are trained on: how it is read, ordered and split, and held-out lines that stay out."""

import lzma
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from app.substrate.translation_frame import frame
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.training.batches import order_rows, token_stream
from app.training.corpus import (
    LANGUAGES,
    LONGEST_LINE,
    TextError,
    breaks_off,
    cut_line,
    is_fit,
    is_held_out,
    read_lines,
    read_pairs,
    story_from_opening,
    stream_names,
)
from app.training.pairs import fold, repeats_test, sentences, split_pairs, training_lines
from app.training.prepare import SEPARATOR, Plan, prepare
from tests.conftest import TEXT


def test_rows_of_a_longer_run_begin_with_those_of_a_shorter_one() -> None:
    streams = {"a": np.arange(1000, dtype=np.uint16), "b": np.arange(2000, 4000, dtype=np.uint16)}
    short = order_rows(streams, {"a": 0.5, "b": 0.5}, 40, 16, seed=1)
    long = order_rows(streams, {"a": 0.5, "b": 0.5}, 400, 16, seed=1)
    assert np.array_equal(short.batch(0, 40), long.batch(0, 40))
    assert short.batch(0, 40).shape == (40, 17)


def test_rows_follow_the_mix_and_repeat_only_after_a_whole_epoch() -> None:
    streams = {"a": np.arange(10_000, dtype=np.uint16), "b": np.arange(10_000, dtype=np.uint16)}
    rows = order_rows(streams, {"a": 0.8, "b": 0.2}, 600, 20, seed=0)
    assert 0.75 < rows.languages.count("a") / 600 < 0.85
    first = [s for s, name in zip(rows.starts, rows.languages, strict=True) if name == "a"][:450]
    assert len(set(first)) == len(first)


def test_too_short_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="add text"):
        order_rows({"a": np.arange(10, dtype=np.uint16)}, {"a": 1.0}, 5, 16, seed=0)


def test_token_stream_joins_all_lines_behind_separators() -> None:
    tokenizer = build_tokenizer(mini_vocabulary("abc", []))
    stream = token_stream(["ab", "c"], tokenizer, SEPARATOR, seed=0)
    ids = tokenizer.get_vocab()
    pieces = {(SEPARATOR, ids["a"], ids["b"]), (SEPARATOR, ids["c"])}
    assert {tuple(part) for part in (stream[:3].tolist(), stream[3:].tolist())} == pieces or {
        tuple(part) for part in (stream[:2].tolist(), stream[2:].tolist())
    } == pieces


def test_held_out_lines_are_never_in_the_training_stream(toy_work: Path) -> None:
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    for language in LANGUAGES:
        lines = read_lines(TEXT, language)
        assert not set(lines.train) & set(lines.held_out)
        held = (toy_work / f"{language}.held_out.txt").read_text(encoding="utf-8").split("\n")
        assert held == list(lines.held_out) and all(map(is_held_out, held))
        stream = np.load(toy_work / f"{language}.npy").tolist()
        starts = [i for i, token in enumerate(stream) if token == SEPARATOR]
        trained = {tuple(stream[a + 1 : b]) for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)}
        assert len(trained) > 100
        assert not any(tuple(tokenizer.encode(line).ids) in trained for line in held)


def test_about_two_per_cent_are_held_out() -> None:
    share = sum(is_held_out(f"line {i}") for i in range(20_000)) / 20_000
    assert 0.015 < share < 0.025


@pytest.mark.parametrize(
    ("line", "language", "fit"),
    [
        ("He was murdered.", "en", False),
        ("She has a class today.", "en", True),
        ("Он убил медведя.", "ru", False),
        ("Мама любит чай.", "ru", True),
        ("他想自杀。", "zh", False),
        ("我喜欢猫。", "zh", True),
    ],
)
def test_lines_unfit_for_a_class_are_dropped(line: str, language: str, fit: bool) -> None:
    assert is_fit(line, language) is fit


def test_pairs_keep_off_held_out_and_unfit_lines(tmp_path: Path) -> None:
    held = next(f"Line {i}." for i in range(999) if is_held_out(f"Line {i}."))
    rows = [
        "I see.\tЯ вижу.",
        f"{held}\tДа.",
        "He was murdered.\tНет.",
        "Alone.",
        "Two.\t",
        "I see.\tЯ вижу.",
        "No.\tНет.",
    ]
    (tmp_path / "en-ru.tsv").write_text("\r\n".join(rows), encoding="utf-8")
    assert read_pairs(tmp_path).train["en-ru"] == (("I see.", "Я вижу."), ("No.", "Нет."))
    assert read_pairs(tmp_path).train.get("en-zh", ()) == ()


def many_pairs() -> dict[str, list[tuple[str, str]]]:
    """300 English sentences; each has a Russian one, every second a Chinese one, some share a translation."""
    english = [f"This is sentence number {i}." for i in range(300)]
    return {
        "en-ru": [(text, f"Это предложение {i % 290}.") for i, text in enumerate(english)],
        "en-zh": [(text.upper(), f"这是第{i}句话。") for i, text in enumerate(english) if i % 2 == 0],
    }


def test_nothing_of_a_test_pair_is_in_training() -> None:
    """Whatever side and pivot, case and punctuation aside; and the test would see it if it were."""
    pairs = split_pairs(many_pairs())
    folded_test = {fold(side) for rows in pairs.test.values() for pair in rows for side in pair}
    trained = {fold(side) for rows in pairs.train.values() for pair in rows for side in pair}
    assert len(pairs.test["ru-zh"]) > 20 and len(pairs.train["ru-zh"]) > 20
    assert not folded_test & trained
    assert folded_test & {fold(side) for pair in many_pairs()["en-ru"] for side in pair}
    assert repeats_test(f"Once. {pairs.test['en-ru'][0][0].upper()} Then.", frozenset(folded_test))
    assert not repeats_test("Nothing of it.", frozenset(folded_test))


def test_training_lines_name_their_target() -> None:
    assert training_lines([("I see.", "我明白。")], "en-zh") == ["= I see. = zh:我明白。", "= 我明白。 = en: I see."]
    assert training_lines([("I see.", "我明白。")], "en-zh")[0].startswith(frame("I see.", "zh"))


def test_prepared_streams_hold_no_test_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text"
    shutil.copytree(TEXT, text)
    for name, rows in many_pairs().items():
        (text / f"{name}.tsv").write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    sentence = split_pairs(many_pairs()).test["en-ru"][0][0]
    story = [f"Once upon a time. {sentence} The end of story {i}." for i in range(40)] + [
        f"Story {i}." for i in range(40)
    ]
    (text / "en_stories.txt").write_text("\n".join(story), encoding="utf-8")
    work = tmp_path / "work"
    prepare(text, work, Plan(700, 32))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    streams = {path.stem: np.load(path).tolist() for path in work.glob("*.npy")}
    assert {"en", "en_stories", "en-ru", "en-zh", "ru-zh"} <= streams.keys()
    assert len(lines_of(streams["en_stories"])) <= 40
    tests = [line.split("\t") for path in work.glob("*.test.tsv") for line in path.read_text("utf-8").splitlines()]
    forbidden = {fold(side) for row in tests for side in row}
    for stream in streams.values():
        for ids in lines_of(stream):
            line = tokenizer.decode(ids, skip_special_tokens=False)
            parts = [line, *sentences(line), *line.replace("=", "\n").replace(":", "\n").split("\n")]
            assert not forbidden & {fold(part) for part in parts}, line


def lines_of(stream: list[int]) -> list[list[int]]:
    """The lines of a token stream, without their separators."""
    starts = [i for i, token in enumerate(stream) if token == SEPARATOR]
    return [stream[a + 1 : b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]


def test_text_is_read_as_the_page_reads_it(tmp_path: Path) -> None:
    """Byte order mark, Windows' line ends, decomposed letters, odd spaces, invisible characters, Unicode's line
    separator, a packed file."""
    odd = "\ufeffи\u0306од\r\nне\u00a0тот\u200b дом\u2028и сад\r\n"
    (tmp_path / "ru.txt").write_bytes(odd.encode("utf-8"))
    lines = read_lines(tmp_path, "ru")
    assert sorted(lines.train + lines.held_out) == ["йод", "не тот дом и сад"]
    (tmp_path / "ru_more.txt.xz").write_bytes(lzma.compress(odd.encode("utf-8")))
    assert read_lines(tmp_path, "ru_more") == lines


@pytest.mark.parametrize(("name", "content"), [("ru.txt", "Мама".encode("cp1251")), ("ru.txt.xz", b"no archive")])
def test_text_in_another_encoding_is_refused_by_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TextError, match=f"{name} is not UTF-8"):
        read_lines(tmp_path, "ru")


def test_a_line_too_long_is_cut_at_sentence_ends_and_counted(tmp_path: Path) -> None:
    story = " ".join(f"The cat sat on mat {i} and looked at the door." for i in range(200))
    (tmp_path / "en.txt").write_text(story + "\n" + "".join(map(str, range(2000))), encoding="utf-8")
    lines = read_lines(tmp_path, "en")
    parts = lines.train + lines.held_out
    assert lines.cut == 2 and len(parts) > 3 and all(len(part) <= LONGEST_LINE for part in parts)
    assert sum(part.count("cat") for part in parts) == 200
    assert sum(map(len, (part for part in parts if "cat" not in part))) == len("".join(map(str, range(2000))))
    assert cut_line("一二三。四五六。七八九。", 8) == ["一二三。四五六。", "七八九。"]
    assert cut_line("One. Two. Three.", 9) == ["One. Two.", "Three."]


def test_streams_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("en.txt", "en_stories.txt.xz", "ru.txt", "zh_stories-sa.txt", "notes.txt", "en-ru.tsv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    with pytest.raises(TextError, match="no text for zh"):
        stream_names(tmp_path)
    (tmp_path / "zh.txt").write_text("x", encoding="utf-8")
    assert stream_names(tmp_path) == ["en", "en_stories", "ru", "zh", "zh_stories-sa"]


@pytest.mark.parametrize(
    ("line", "language", "story", "broken"),
    [
        ("A. Once upon a time there was B. C. D. E. F.", "en", "Once upon a time there was B. C. D. E. F.", False),
        ("Once upon a time there was a cat.", "en", None, True),
        ("The cat sat. It ate. It slept. It ran. It hid.", "en", None, False),
        ("他说。从前有只猫。甲。乙。丙。丁。", "zh", "从前有只猫。甲。乙。丙。丁。", False),
        ("Жила-была кошка.", "ru", None, True),
    ],
)
def test_openings_are_followed_by_stories(line: str, language: str, story: str | None, broken: bool) -> None:
    assert story_from_opening(line, language) == story and breaks_off(line, language) is broken
