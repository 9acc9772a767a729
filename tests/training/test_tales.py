"""Chinese stories that are begun as tales."""

import pytest

from app.training.tales import tale_of, tales, with_short_start

STORY = "量体裁衣有一个老裁缝，他店里生意特别好。一次，店里来了一位官员。他很神气。老裁缝打量了他。"


def test_a_story_begins_where_somebody_is_introduced() -> None:
    assert tale_of(STORY) == "从前" + STORY[4:]
    assert tale_of("天黑了。" + STORY) == "从前" + STORY[4:]  # in a later sentence


@pytest.mark.parametrize("opening", ["从前，", "很久很久以前，", "古时候，", "“从前，"])
def test_a_tale_that_begins_so_is_kept(opening: str) -> None:
    assert tale_of(opening + STORY[4:]) == "从前" + STORY[4:]


@pytest.mark.parametrize(
    "line",
    [
        "有一个老裁缝。他很好。他很老。",  # three sentences
        "他来了。她走了。天黑了。雨停了。有一个人。他很好。他很老。他很高。",  # introduced too late
        "他指着前面的那座大房子对我们大家说有一个人。他很好。他很老。他很高。",  # far into its sentence
        "他说：“有一个人。”他很好。他很老。他很高。",  # somebody speaks
        "我喜欢喝茶。他也喜欢。她不喜欢。你呢？",
    ],
)
def test_what_is_no_tale_is_left_out(line: str) -> None:
    assert tale_of(line) is None


def test_a_short_first_clause_may_be_a_sentence() -> None:
    tale = "从前" + STORY[4:]
    assert with_short_start(tale) == "从前有一个老裁缝。" + STORY[11:]
    assert with_short_start("从前有一个很老很老很老很老的裁缝，他很好。") is None  # a long clause
    assert with_short_start("从前，有一个人。") is None
    assert tales([STORY, "我喜欢喝茶。"]) == [tale, "从前有一个老裁缝。" + STORY[11:]]
