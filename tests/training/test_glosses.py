"""A dictionary made from sentence pairs: the alignment against plain loops, what is kept, and how it is checked."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from app.probing.glosses import GLOSSES
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.training.glosses import align, best, both_ways, check_glosses, make_glosses, through, write_glosses

PAIRS = [
    (["the", "cat"], ["кошка"]),
    (["the", "dog"], ["собака"]),
    (["the", "cat", "sleeps"], ["кошка", "спит"]),
    (["the", "dog", "sleeps"], ["собака", "спит"]),
]


def plain_alignment(pairs: list[tuple[list[str], list[str]]], rounds: int) -> dict[tuple[str, str], float]:
    """IBM Model 1 written as in the paper: t(target | source), over sources and the empty word."""
    likely = {(s, t): 1.0 for source, target in pairs for s in ["", *source] for t in target}
    for _ in range(rounds):
        counts = dict.fromkeys(likely, 0.0)
        totals: dict[str, float] = {}
        for source, target in pairs:
            for t in target:
                whole = sum(likely[s, t] for s in ["", *source])
                for s in ["", *source]:
                    counts[s, t] += likely[s, t] / whole
                    totals[s] = totals.get(s, 0.0) + likely[s, t] / whole
        likely = {(s, t): count / totals[s] for (s, t), count in counts.items()}
    return likely


def test_alignment_equals_plain_loops() -> None:
    plain = plain_alignment(PAIRS, 5)
    found = align(PAIRS, rounds=5)
    assert found["cat"]["кошка"] == pytest.approx(plain["cat", "кошка"])
    for (source, target), likely in plain.items():
        if source and likely > 0.01:
            assert found[source][target] == pytest.approx(likely)
    assert max(found["sleeps"], key=found["sleeps"].__getitem__) == "спит"


def test_a_word_has_to_stand_in_enough_pairs_and_be_likely_both_ways() -> None:
    pairs = [(f"cat {word}", f"кошка {other}") for word, other in zip("abcd", "эюяы", strict=True)]
    there, here = both_ways(pairs, str.split, str.split)
    assert set(there) == {"cat"} and set(here) == {"кошка"}  # all others stand in one pair
    assert there["cat"]["кошка"] == here["кошка"]["cat"]
    assert best(there, 0.0) == {"cat": "кошка"} and best(there, 1.1) == {}


def test_two_languages_meet_through_a_third() -> None:
    found = through({"кошка": {"cat": 0.8, "pet": 0.2}}, {"cat": {"猫": 0.9}, "pet": {"猫": 0.1, "宠物": 0.9}})
    assert found["кошка"] == pytest.approx({"猫": 0.8 * 0.9 + 0.2 * 0.1, "宠物": 0.2 * 0.9})


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    letters = {*"abcdefghijklmnopqrstuvwxyz абвгдежзийклмнопрстуфхцчшщъыьэюя猫狗. "}
    return build_tokenizer(mini_vocabulary(letters, [" cat", " dog", " кошка", " собака", "ко"]), spaced_words=True)


def test_only_words_that_are_one_token_are_glossed_and_the_report_counts_them(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    animals = [("cat", "кошка", "猫"), ("dog", "собака", "狗"), ("bird", "птица", "鸟")] * 6
    pairs = {"en-ru": [(a, b) for a, b, _ in animals], "en-zh": [(a, c) for a, _, c in animals]}
    glosses = make_glosses(pairs, tokenizer)
    assert glosses["en"] == {"кошка": "cat", "собака": "dog", "猫": "cat", "狗": "dog"}
    assert glosses["ru"] == {"cat": "кошка", "dog": "собака", "猫": "кошка", "狗": "собака"}
    assert glosses["zh"]["кошка"] == "猫"
    assert check_glosses(glosses)["en"] == {"checked": 4, "right": 1.0}
    wrong = {**glosses, "en": {**glosses["en"], "猫": "dog"}}
    assert check_glosses(wrong)["en"] == {"checked": 4, "right": 0.75}
    write_glosses(tmp_path / "glosses.json", glosses, tokenizer)
    report = json.loads((tmp_path / "glosses.json").read_text(encoding="utf-8"))["report"]
    assert report["en"] == {"words": 4, "covered": 1.0, "checked": 4, "right": 1.0}


def test_the_shipped_dictionary_says_of_itself_what_is_so() -> None:
    record = json.loads(GLOSSES.read_text(encoding="utf-8"))
    for reader, found in check_glosses(record["glosses"]).items():
        assert {name: record["report"][reader][name] for name in found} == pytest.approx(found)
        assert found["checked"] > 100 and found["right"] > 0.5
