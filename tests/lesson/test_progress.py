"""Options in their places, and answers of a visitor, also those that no page would send."""

import numpy as np
import pytest

from app.lesson.changes import doublings
from app.lesson.lesson import STEPS
from app.lesson.progress import LAST, Progress, finished, open_questions
from app.lesson.record import Asked, Question, Step, ladder, placed
from app.lesson.words import LEAST_APART, LEAST_NEAR, choose_word

STEP = Step(
    "kinds", "title", "lead",
    (Asked("first", "?", ("a", "b"), 0, "told"), Asked("second", "?", ("a", "b", "c"), 2, "told")),
    "learned", "seen", "task", "words",
)  # fmt: skip


@pytest.mark.parametrize("right", [0, 1, 7, 28, 44, 93, 100])
def test_a_ladder_has_the_right_number_at_the_place_it_names(right: int) -> None:
    numbers, place = ladder(right, 20, "key")
    assert numbers[place] == right
    assert len(set(numbers)) == 4 and min(numbers) >= 0 and max(numbers) <= 100
    assert set(np.diff(numbers)) == {20}
    assert max(ladder(right, 60, "key")[0]) <= 100


def test_the_right_one_does_not_always_stand_at_one_place() -> None:
    assert len({ladder(n, 5, "key")[1] for n in range(20, 60)}) == 4
    assert len({placed("right", ("a", "b", "c"), str(n))[1] for n in range(40)}) == 4
    options, place = placed("right", ("a", "b", "c"), "key")
    assert options[place] == "right" and sorted(options) == ["a", "b", "c", "right"]
    assert placed("right", ("a", "b", "c"), "key") == (options, place)


@pytest.mark.parametrize("right", range(3, 97))
def test_doublings_are_four_numbers(right: int) -> None:
    numbers, place = doublings(right)
    assert numbers[place] == right
    assert len(set(numbers)) == 4 and min(numbers) >= 1


def test_a_question_is_consistent() -> None:
    for wrong in ({"right": 2}, {"options": ("a", "a")}, {"picture": ("01",)}):
        fields = {"key": "k", "step": 1, "prompt": "?", "options": ("a", "b"), "right": 0} | wrong
        with pytest.raises(AssertionError):
            Question(**fields)  # type: ignore[arg-type]


def test_the_second_question_comes_after_the_first() -> None:
    begun = Progress()
    assert [asked.key for asked in open_questions(STEP, begun)] == ["first"]
    assert begun.answered(STEP, "second", 0) == begun, "it is not its turn"
    one = begun.answered(STEP, "first", 1)
    assert one.answers == {"first": 1} and not finished(STEP, one)
    assert one.answered(STEP, "first", 0) == one, "an answer stays"
    both = one.answered(STEP, "second", 2)
    assert finished(STEP, both) and both.answers == {"first": 1, "second": 2}
    assert both.answered(STEP, "second", 0) == both


@pytest.mark.parametrize("option", [-1, 2, 10**9, True, 0.0, "0", None, [0], {"a": 1}])
@pytest.mark.parametrize("question", ["first"])
def test_an_answer_that_is_none_changes_nothing(question: str, option: object) -> None:
    assert Progress().answered(STEP, question, option) == Progress()


@pytest.mark.parametrize("question", ["", "none", None, 0, ["first"], "<b>"])
def test_a_question_that_is_none_changes_nothing(question: object) -> None:
    assert Progress().answered(STEP, question, 0) == Progress()


@pytest.mark.parametrize("place", [-1, LAST + 1, True, 1.0, "1", None, [1], 10**30])
def test_a_step_that_is_none_is_not_gone_to(place: object) -> None:
    assert Progress(3).moved(place) == Progress(3)


def test_the_place_behind_the_last_step_is_the_result() -> None:
    assert len(STEPS) == LAST == 8
    assert Progress().key == next(iter(STEPS))
    assert Progress().moved(LAST).key is None


def test_the_word_asked_about_is_the_clearest_of_all() -> None:
    """Against a search over every word and every four."""
    generator = np.random.default_rng(3)
    groups = [name for name in "abc" for _ in range(4)]
    looks, meaning = (generator.uniform(-0.4, 0.8, (12, 12)).astype(np.float32) for _ in range(2))
    found = choose_word(looks, meaning, groups, list(range(12)))
    assert found is not None
    word, four = found

    def near(word: int) -> float:
        others = [i for i in range(12) if i != word]
        alike = max((i for i in others if groups[i] != groups[word]), key=lambda i: looks[word, i])
        kin = max((i for i in others if groups[i] == groups[word]), key=lambda i: meaning[word, i])
        clear = looks[word, alike] > looks[word, kin] and meaning[word, kin] > meaning[word, alike]
        return min(float(looks[word, alike]), float(meaning[word, kin])) if clear else -1.0

    assert looks[word, four[0]] >= max(looks[word, i] for i in four[1:]) + LEAST_APART - 1e-6
    assert meaning[word, four[1]] >= max(meaning[word, i] for i in (four[0], *four[2:])) + LEAST_APART - 1e-6
    assert groups[four[0]] != groups[word] == groups[four[1]] == groups[four[3]]
    assert LEAST_NEAR <= near(word) <= max(map(near, range(12)))
    assert choose_word(0 * looks, 0 * meaning, groups, list(range(12))) is None
    assert choose_word(looks, meaning, groups, [0, 1]) is None
