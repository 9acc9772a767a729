"""Drawing on the page: displayed numbers, refusals, and anything for an argument."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.adversarial import fewest_pixels
from app.intervene.drawing import Canvas, draw, open_canvas, picture_of, random_tokens
from app.intervene.pixels import morph, noise, shift
from app.intervene.steps import run_to_end
from app.network.experts import StackedExperts
from app.panels.drawing import drawing_view, editor_view, pixels_of, turning_share
from app.substrate.embedding import embed
from app.web.canvases import KEPT, CanvasCache, DrawingRequest
from app.web.on_drawing import COUNT, DrawingListeners
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine
from viz.drawing import bits
from viz.drawing_path import path_chart

TEXT, INDEX = "他喝了一", 2
REQUEST: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


@pytest.fixture(scope="module")
def canvas(engine: Engine) -> Canvas:
    return open_canvas(engine, TEXT, INDEX)


@pytest.fixture
def listeners(engine: Engine) -> DrawingListeners:
    return DrawingListeners(registry(engine), JobQueue())


def registry(engine: Engine) -> Any:
    model = SimpleNamespace(engine=engine)
    return SimpleNamespace(of=lambda visitor: model, loaded={"tiny": model})


def event(data: Any) -> gr.EventData:
    return gr.EventData(None, data)  # type: ignore[arg-type]


def test_displayed_probabilities_are_those_of_a_network_with_another_table(engine: Engine, canvas: Canvas) -> None:
    """Against a loop over one expert at a time that knows no drawing."""
    model = engine.model
    assert isinstance(model, StackedExperts)
    pixels = shift(canvas.picture, 2, 1)
    html = drawing_view(canvas, pixels, speaker("en"))
    columns = re.findall(r"gs-column gs-(\w+)'.*?</ol>", html)
    assert columns == ["first", "fused", "second"]
    first = html[html.index("gs-column gs-first") : html.index("gs-column gs-fused")]
    rows = model.embedding[torch.from_numpy(canvas.ids)].clone()
    before = plain(model, 0, rows, Recorder())[-1].softmax(-1)
    rows[INDEX] = torch.from_numpy(embed(pixels[None], engine.bundle.substrate.basis)[0])
    after = plain(model, 0, rows, Recorder())[-1].softmax(-1)
    shown = re.findall(r"<bdi class='gs-tok'>([^<]*)</bdi><span class='gs-number'>([\d.]+)% → ([\d.]+)%", first)
    best = after.topk(5)
    assert [float(now) / 100 for _, _, now in shown[:5]] == pytest.approx(best.values.tolist(), abs=1.1e-3)
    assert [float(old) / 100 for _, old, _ in shown[:5]] == pytest.approx(before[best.indices].tolist(), abs=1.1e-3)
    mean = (before + after) / 2
    jsd = float((before * (before / mean).log2() + after * (after / mean).log2()).sum() / 2)
    assert float(re.findall(r"changed by ([\d.]+) bits", first)[0]) == pytest.approx(jsd, abs=1e-3)


def test_paths_and_neighbours_are_those_that_were_measured(canvas: Canvas) -> None:
    pixels = noise(canvas.picture, 64)
    html, found = drawing_view(canvas, pixels, speaker("en")), draw(canvas, pixels)
    rows = [list(map(float, re.findall(r"'>([\d.]+)</td>", row))) for row in html.split("<tr")[2:]]
    assert found.untrained_path is not None
    expected = [*found.path, found.untrained_path, np.ones(4)]
    assert np.allclose(rows, expected, atol=0.0051)
    cosines = re.findall(r"gs-number'>(-?[\d.]+)</span></li>", html)
    assert list(map(float, cosines)) == pytest.approx(found.cosines, abs=0.0051)
    assert "64 of 1,024 pixels" in html


def test_the_chart_draws_those_paths_and_tells_lines_apart_without_colour(canvas: Canvas) -> None:
    """Points of the picture, brought back to distances by the ticks of its axis."""
    pixels = noise(canvas.picture, 64)
    html, found = drawing_view(canvas, pixels, speaker("en")), draw(canvas, pixels)
    chart = html[html.index("gs-path-chart") : html.index("<figcaption>")]
    ticks = [(float(y), float(at)) for y, at in re.findall(r"y='([\d.]+)' dy='4' text-anchor='end'>([\d.]+)<", chart)]
    (foot, zero), (top, reach) = ticks[0], ticks[-1]
    assert zero == 0 and reach >= max(1, found.path.max())
    groups = re.findall(r"<g class='gs-(\w+)-line gs-(\w+)'><path d='M([^']*)'/>(.*?)</g>", chart)
    drawn = {
        side: [(foot - float(p.split()[1])) / (foot - top) * reach for p in d.split("L")] for _, side, d, _ in groups
    }
    assert found.untrained_path is not None
    for side, wanted in zip(("first", "second", "fused"), (*found.path, found.untrained_path), strict=True):
        assert drawn[side] == pytest.approx(wanted.tolist(), abs=0.01 * reach)
    marks = {tuple(re.findall(r"' d='([^']*)'", marked)[:1]) for *_, marked in groups}
    assert len(marks) == 3 and [kind for kind, *_ in groups].count("control") == 1
    level = float(re.findall(r"gs-random' d='M\d+ ([\d.]+)H", chart)[0])
    assert (foot - level) / (foot - top) * reach == pytest.approx(1, abs=0.01)
    said = re.findall(r"after layer 3, with a random token at 1: ([^<]*)\.</figcaption>", html)[0]
    values = [float(part.rsplit(" ", 1)[1]) for part in said.split(" · ")]
    assert values == pytest.approx([*found.path[:, -1], found.untrained_path[-1]], abs=0.0051)


def test_a_chart_of_large_distances_keeps_few_ticks_and_one_without_a_control_its_lines() -> None:
    html = path_chart(["<b>"], np.array([[0.1, 730.0]], np.float32), None, speaker("ru"))
    assert 3 <= len(re.findall("gs-rule", html)) <= 6 and "<b>: " not in html and "&lt;b&gt; 730" in html
    assert "gs-control-line" not in html and html.count("gs-expert-line") == 2  # in the picture and in its key


def test_an_untouched_picture_changes_nothing(canvas: Canvas) -> None:
    html = drawing_view(canvas, canvas.picture, speaker("en"))
    assert "as it is" in html and set(re.findall(r"changed by ([\d.]+) bits", html)) == {"0.000"}


def test_the_editor_morphs_and_adds_noise_as_python_does(canvas: Canvas, engine: Engine) -> None:
    """What the script does with the order that it is given, done here."""
    target = picture_of(engine, "开")
    html = editor_view(canvas, "开", canvas.picture, (0, 0), speaker("en"))
    found = dict(re.findall(r"data-(own|target|drawn|order)='([\d,]+)'", html))
    own, goal = (np.array(list(found[name])) == "1" for name in ("own", "target"))
    order = list(map(int, found["order"].split(",")))
    differing = [i for i in order if own[i] != goal[i]]
    for share in (0, 0.35, 1):
        mine = own.copy()
        mine[differing[: round(share * len(differing))]] ^= True
        assert np.array_equal(mine.reshape(32, 32), morph(canvas.picture, target, share))
    mine = own.copy()
    mine[order[:40]] ^= True
    assert np.array_equal(mine.reshape(32, 32), noise(canvas.picture, 40))
    assert found["drawn"] == found["own"] == bits(canvas.picture)


def test_a_story_stops_where_the_answer_turns_or_at_the_end(canvas: Canvas, engine: Engine) -> None:
    target = picture_of(engine, "开")
    share = turning_share(canvas, target)
    winner = int(canvas.logits[-1].argmax())
    turned = [
        int(draw(canvas, morph(canvas.picture, target, s)).change.after.ids[-1, 0]) != winner
        for s in np.arange(0.1, 1.05, 0.1)
    ]
    assert share == pytest.approx(0.1 * (turned.index(True) + 1) if any(turned) else 1)


@pytest.mark.parametrize(
    "sent", [None, 5, "", "0" * 1023, "2" * 1024, "0" * 1025, ["0" * 32] * 32, {"a": 1}, "٠" * 1024]
)
def test_pixels_may_be_anything(sent: Any) -> None:
    with pytest.raises(UserError, match="A picture is 32 strings"):
        pixels_of(sent)


def test_blank_and_full_pictures_are_drawings_too(canvas: Canvas) -> None:
    for sent in ("0" * 1024, "1" * 1024):
        html = drawing_view(canvas, pixels_of(sent), speaker("ru"))
        assert "nan" not in html.lower()


STROKES: list[Any] = [None, [], "x", {}, {"pixels": None}, {"pixels": "01"}, {"pixels": ["0" * 32] * 32}]


@pytest.mark.parametrize("sent", STROKES)
def test_a_stroke_of_anything_is_a_sentence(listeners: DrawingListeners, sent: Any) -> None:
    asked = DrawingRequest(TEXT, INDEX, "开")
    status, figure = asyncio.run(listeners.on_stroke(asked, "en", event(sent), REQUEST))
    assert "A picture is 32 strings" in status and figure == gr.skip()


PLACES: list[Any] = [None, -1, 0, 99, 1.5, True, "1", []]
TEXTS: list[Any] = [None, "", "x" * 17, 7, [], {}]
ASKED: list[tuple[Any, str]] = [
    *(({"ask": "token", "index": index}, "count from") for index in PLACES),
    *(({"ask": ask, "text": t, "pixels": "0" * 1024}, "one to sixteen") for ask in ("target", "type") for t in TEXTS),
    *(({"ask": "target", "text": "开", "pixels": pixels}, "A picture is") for pixels in STROKES[:2]),
]


@pytest.mark.parametrize(("sent", "sentence"), ASKED)
def test_anything_asked_of_the_editor_is_a_sentence(listeners: DrawingListeners, sent: Any, sentence: str) -> None:
    found = asyncio.run(listeners.on_ask(DrawingRequest(TEXT, INDEX, "开"), "en", event(sent), REQUEST))
    assert sentence in found[2] and "alert" in found[2] and found[3] == found[4] == gr.skip()


@pytest.mark.parametrize("sent", [None, {}, {"ask": "x"}, {"ask": []}, "token"])
def test_what_is_no_question_is_ignored(listeners: DrawingListeners, sent: Any) -> None:
    assert (
        asyncio.run(listeners.on_ask(DrawingRequest(TEXT, INDEX, "开"), "en", event(sent), REQUEST))
        == [gr.skip()] * COUNT
    )


def test_a_model_without_pictures_leaves_no_drawing_of_another_one(
    listeners: DrawingListeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*asked: Any) -> Canvas:
        raise UserError("no_pictures", model="other")

    monkeypatch.setattr(listeners.canvases, "open", none)
    found = asyncio.run(first(listeners.on_opening("en", REQUEST)))
    assert "alert" in found[2] and found[3:] == ["", "", ""]


@pytest.mark.parametrize("text", [None, 7, "", " ", [], {}, "x" * 5000, "\x00"])
def test_texts_may_be_anything(listeners: DrawingListeners, text: Any) -> None:
    found = asyncio.run(listeners.on_text(text, "zh", REQUEST))
    assert "alert" in found[2] and found[3] == gr.skip()


def test_a_character_outside_the_vocabulary_is_drawn(listeners: DrawingListeners) -> None:
    asked = DrawingRequest(TEXT, INDEX, "开")
    sent = {"ask": "type", "text": "ö", "pixels": "0" * 1024}
    found = asyncio.run(listeners.on_ask(asked, "en", event(sent), REQUEST))
    assert found[2] == "" and f"data-drawn='{bits(picture_of(listeners.registry.of('').engine, 'ö'))}'" in found[3]


async def first(answers: AsyncIterator[list[Any]]) -> list[Any]:
    return await anext(answers)


def test_the_story_opens_finished(listeners: DrawingListeners) -> None:
    asked, text, status, editor, figure, flips = asyncio.run(first(listeners.on_opening("en", REQUEST)))
    assert (asked.index, text, status, flips) == (2, TEXT, "", "") and "gs-grid" in editor and "gs-drawn" in figure


def test_text_is_escaped(engine: Engine, canvas: Canvas) -> None:
    own = Engine(engine.bundle)
    own.text_of = lambda token: "<img src=x onerror=alert(1)>'"  # type: ignore[method-assign]
    hostile = open_canvas(own, TEXT, INDEX)
    target = "'><img src=x>"
    for html in (
        editor_view(hostile, target, hostile.picture, (0, 0), speaker("en")),
        drawing_view(hostile, ~hostile.picture, speaker("ru")),
    ):
        assert "<img src=x" not in html


def test_few_canvases_are_kept_and_none_of_models_that_are_gone(engine: Engine) -> None:
    models = registry(engine)
    cache = CanvasCache(models)
    first = cache.open(engine, DrawingRequest(TEXT, INDEX))
    assert cache.open(engine, DrawingRequest(TEXT, INDEX)) is first
    for number in range(KEPT + 2):
        cache.open(engine, DrawingRequest("cat" * (number + 1), 1))
    assert len(cache._kept) == KEPT
    other = tiny_engine()
    models.loaded = {"other": SimpleNamespace(engine=other)}
    cache.open(other, DrawingRequest(TEXT, INDEX))
    assert len(cache._kept) == 1


async def answers(steps: Any) -> list[list[Any]]:
    return [answer async for answer in steps]


def test_the_fewest_pixels_stand_on_the_grid_and_beside_random_ones(
    listeners: DrawingListeners, canvas: Canvas
) -> None:
    """Against a search of its own, and every count against the pictures that are shown."""
    asked = DrawingRequest(TEXT, INDEX, "开")
    *_, last = asyncio.run(answers(listeners.on_fewest(asked, "en", REQUEST)))
    found = run_to_end(fewest_pixels(canvas))
    _, _, status, editor, figure, flips = last
    assert status == "" and f"data-drawn='{bits(found.picture)}'" in editor
    marked = [len(re.findall("gs-lost|gs-added", frame)) for frame in flips.split("<figure>")[2:4]]
    assert marked == [len(found.pixels)] * 2
    assert f"{len(found.pixels)} of 1,024 pixels" in flips and "adversarial" in flips
    assert f"{found.random_turned} of 16 draws" in flips
    assert f"{len(found.pixels)} of 1,024" in figure


def test_a_search_for_pixels_can_be_cancelled(listeners: DrawingListeners) -> None:
    async def cancelled() -> list[Any]:
        asked, said = DrawingRequest(TEXT, INDEX, "开"), []
        listeners.jobs._pool.submit(time.sleep, 0.5)  # somebody else's job goes first
        async for answer in listeners.on_fewest(asked, "en", REQUEST):
            said.append(answer[2])
            listeners.on_cancel(REQUEST)
        return said

    *before, last = asyncio.run(cancelled())
    assert before and all("<progress" in line for line in before) and "<progress" not in last


@pytest.mark.parametrize("asked", [DrawingRequest(None), DrawingRequest(TEXT, 99, "开"), DrawingRequest("", 1)])
def test_a_search_in_nothing_is_a_sentence(listeners: DrawingListeners, asked: DrawingRequest) -> None:
    *_, last = asyncio.run(answers(listeners.on_fewest(asked, "ru", REQUEST)))
    assert "alert" in last[2] and last[3] == gr.skip()


def test_what_two_pixels_of_shift_do_is_told_beside_random_tokens(engine: Engine, canvas: Canvas) -> None:
    ways = [(2, 0), (-2, 0), (0, 2), (0, -2)]
    moved = np.mean([draw(canvas, shift(canvas.picture, *way)).change.jensen_shannon[-1] for way in ways])
    pictures = engine.bundle.substrate.pictures
    others = random_tokens(engine, int(canvas.ids[INDEX]))
    random = np.mean([draw(canvas, pictures[int(i)]).change.jensen_shannon[-1] for i in others])
    html = drawing_view(canvas, canvas.picture, speaker("en"))
    shown = re.search(r"gs-fragile'>.*? by (\d\.\d+) bits; a random token in its place by (\d\.\d+)", html)
    assert shown and [float(n) for n in shown.groups()] == pytest.approx([moved, random], abs=0.006)


def test_the_editor_says_what_the_tokenizer_does_not_know(engine: Engine) -> None:
    unknown = open_canvas(engine, "the öcat", 2)
    assert "Not in the vocabulary: ö." in editor_view(unknown, "o", unknown.picture, (0, 0), speaker("en"))
    known = open_canvas(engine, TEXT, INDEX)
    plain_editor = editor_view(known, "开", known.picture, (0, 0), speaker("en"))
    typed = [editor_view(known, "开", known.picture, (0, 0), speaker("en"), text) for text in ("ö", "b")]
    assert "gs-outside" not in plain_editor
    assert "it has no token" in typed[0] and "are in the vocabulary" in typed[1]
