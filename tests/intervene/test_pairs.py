"""Which pairs of texts are refused, and with which sentence."""

from itertools import pairwise

import pytest

from app.engine.engine import Engine
from app.intervene.pairs import answer_id, make_pair, unlike
from app.wording.errors import UserError


@pytest.mark.parametrize(
    ("first", "second", "answers", "code"),
    [
        ("cat", "cat", None, "patch_same"),
        ("the cat", "the cat dog", None, "patch_lengths"),
        ("abcd" * 10, "abce" * 10, None, "patch_long"),
        ("the cat", "the dog", ("a", "a"), "patch_answers_same"),
        ("the cat", "the dog", ("a", "☂"), "patch_answer"),
        ("the cat", "the dog", ("a", " "), "patch_answer"),
        ("the cat", "the dog", ("a", 10_000), "patch_answer"),
        ("", "the dog", None, "empty_prompt"),
    ],
)
def test_refusals(
    tiny: Engine, first: str, second: str, answers: tuple[str | int, str | int] | None, code: str
) -> None:
    with pytest.raises(UserError) as error:
        make_pair(tiny, first, second, answers)
    assert error.value.code == code and str(error.value)


def test_unequal_lengths_name_the_tokens(tiny: Engine) -> None:
    with pytest.raises(UserError) as error:
        make_pair(tiny, "the cat", "the dog cat")
    assert "3" in str(error.value) and " dog" in str(error.value)


def test_a_margin_that_hardly_changes_is_refused(tiny: Engine) -> None:
    pair = make_pair(tiny, "the cat", "the dog")
    moved = {tiny.text_of(i) for i in pair.pair.answers}
    assert abs(pair.margins[-1, 0] - pair.margins[-1, 1]) >= 1 and len(moved) == 2
    refused = []
    for a, b in pairwise("abcdefghijklmnop"):
        try:
            make_pair(tiny, "the cat", "the dog", (a, b))
        except UserError as error:
            refused.append(error.code)
    assert set(refused) == {"patch_margin"}


def test_default_answers_are_those_whose_margin_moves_most(tiny: Engine) -> None:
    pair = make_pair(tiny, "the cat", "the dog")
    before, after = pair.margins[-1]
    assert before > after


def test_an_answer_is_the_token_it_begins_with(tiny: Engine) -> None:
    cases = {" catcat": " cat", "cat": " cat", "ca": "ca", "a": "a", "猫狗": "猫"}
    assert {text: tiny.text_of(answer_id(tiny, text)) for text in cases} == cases
    assert answer_id(tiny, 7) == 7


def test_tokens_without_a_counterpart() -> None:
    assert unlike([1, 2, 3, 4], [1, 9, 8, 3, 4]) == ([1], [1, 2])
    assert unlike([1, 2], [1, 2, 3]) == ([], [2])
