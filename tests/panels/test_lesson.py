"""The lesson's panel and sheet: no answer before it is due, everything escaped, sensible without any step."""

import re
from dataclasses import replace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.lesson import lesson
from app.lesson.progress import LAST, Progress
from app.lesson.record import Asked, Step
from app.models import LoadedModel, ModelRegistry
from app.panels.lesson import is_ready, lesson_view, sheet_view
from app.web.lesson_sheet import sheet_route
from app.wording.catalogue import LANGUAGES, say
from tests.intervene.tiny import tiny_engine
from viz.lesson_charts import Bar, Bars, Curve, Line, chart_html

HOSTILE = "<img src=x onerror=alert(1)>${1+1}{{7*7}}`\\'\"&"
BITS = "".join("01"[bit] for bit in np.random.default_rng(0).integers(0, 2, 1024))


def hostile_step(key: str) -> Step:
    bars = Bars(HOSTILE, (Bar(HOSTILE, 0.5, HOSTILE, True, "first"), Bar("b", 7.0, "1")))
    curve = Curve(HOSTILE, HOSTILE, (Line(HOSTILE, (0.1, 3.0), "dim"),), ("0", "½", "1"), (HOSTILE, 0.2), 1)
    asked = (
        Asked(
            f"{key} one", HOSTILE, (HOSTILE, "b"), 0, f"TOLD {HOSTILE}", bars, (BITS, BITS), (HOSTILE, BITS),
            ("c", BITS),
        ),
        Asked(f"{key} two", HOSTILE, ("a", "b"), 1, "TOLD", curve),
    )  # fmt: skip
    return Step(key, HOSTILE, HOSTILE, asked, "LEARNED", HOSTILE, HOSTILE, "words", HOSTILE)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    """A model whose first step is hostile, and whose others are left out."""
    made = {key: (lambda word_cache, say: None) for key in lesson.STEPS}
    made["kinds"] = lambda word_cache, say: hostile_step("kinds")  # type: ignore[assignment,return-value]
    for key, function in made.items():
        monkeypatch.setitem(lesson.STEPS, key, function)  # type: ignore[arg-type]
    return LoadedModel.over(HOSTILE, replace(tiny_engine().bundle, name=HOSTILE), None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_is_drawn_after_the_click_only(model: LoadedModel, language: str) -> None:
    begun = Progress()
    assert not is_ready(model, begun, language)
    page = lesson_view(model, begun, language)
    assert is_ready(model, begun, language)
    for later in ("TOLD", "LEARNED", "gs-right", "gs-wrong", "kinds two", "gs-lesson-chart"):
        assert later not in page, later
    step = lesson.made_steps(model, language)["kinds"]
    assert step is not None
    one = begun.answered(step, "kinds one", 1)
    page = lesson_view(model, one, language)
    assert "TOLD" in page and "gs-lesson-chart" in page and "kinds two" in page and "LEARNED" not in page
    assert say("lesson_wrong", language) in page
    both = one.answered(step, "kinds two", 1)
    page = lesson_view(model, both, language)
    assert "LEARNED" in page and "data-text=" in page
    end = lesson_view(model, both.moved(LAST), language)
    assert say("lesson_score", language, right=1, count=2) in end and end.count("gs-out") == 7


def test_only_a_bar_below_zero_is_hollow() -> None:
    rows = (Bar("a", 0.7, "-0.32", side="first", minus=True), Bar("b", 1.0, "+0.46", right=True, side="second"))
    assert re.findall("class='(gs-(?:first|second)[^']*)'", chart_html(Bars("", rows))) == [
        "gs-first gs-minus",
        "gs-second",
    ]


def test_hostile_texts_stay_texts(model: LoadedModel) -> None:
    progress = Progress(0, {"kinds one": 0, "kinds two": 0})
    pages = [lesson_view(model, progress, "en"), lesson_view(model, progress.moved(LAST), "en")]
    pages += [sheet_view(model, "en", answers) for answers in (False, True)]
    for page in pages:
        assert "<img src=x" not in page and "&lt;img src=x" in page
        assert "${1+1}" in page and "{{7*7}}" in page
        assert not re.search(r"['\"]\\'\"", page), "no attribute is left open"


def test_a_step_that_is_left_out_says_so(model: LoadedModel) -> None:
    page = lesson_view(model, Progress(2), "en")
    assert say("lesson_left_out") in page and "gs-lesson-options" not in page


def test_the_sheet_has_no_answers_unless_asked_for(model: LoadedModel) -> None:
    plain, solved = (sheet_view(model, "ru", answers) for answers in (False, True))
    assert "TOLD" not in plain and 'class="right"' not in plain
    assert "TOLD" in solved and solved.count('class="right"') == 2
    assert "size: A4" in plain and 'lang="ru"' in plain


@pytest.mark.parametrize(
    "query",
    [
        "",
        "lang=ru&answers=1",
        "lang=xx",
        "model=../../etc",
        "lang=%3Cb%3E&model=%00",
        "answers=yes&answers=1",
        "a=" + 2000 * "b",
    ],
)
def test_the_sheet_answers_any_query(model: LoadedModel, query: str) -> None:
    registry = ModelRegistry({}, {model.key: model}, model.key)
    client = TestClient(Starlette(routes=[sheet_route(registry)]))
    answer = client.get(f"/lesson/sheet?{query}")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    language = "ru" if "lang=ru" in query else "en"
    assert f'<html lang="{language}">' in answer.text and "<img src=x" not in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_colon_as_wide_as_a_character_needs_no_space_after_it(model: LoadedModel, language: str) -> None:
    lesson_view(model, Progress(), language)
    step = lesson.made_steps(model, language)["kinds"]
    assert step is not None
    page = lesson_view(model, Progress().answered(step, "kinds one", 1).answered(step, "kinds two", 1), language)
    (after,) = re.findall(rf"<b>{say('lesson_task', language)}</b>(\s*)", page)
    assert after == ("" if language == "zh" else " ")
