"""Moving a state on the page: displayed numbers, refusals, and anything for an argument."""

import asyncio
import re
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.pairs import make_pair
from app.intervene.patching import patch_block, patch_map
from app.intervene.stories import read_stories
from app.network.experts import StackedExperts
from app.panels.answers import with_answer
from app.panels.patching import (
    PatchRequest,
    best_place,
    cell_view,
    checked_place,
    patching_rows,
    patching_view,
    read_request,
    story_label,
)
from app.web.on_patching import COUNT, PatchingListeners
from app.web.story_search import StorySearch
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine
from viz.answers import answer_rows

FIRST, SECOND = "the cat do", "the dog do"
CELL = re.compile(
    r"<td class='gs-cell[^']*' style='--p:([\d.]+)'[^>]*"
    r"data-expert='(\d)' data-layer='(\d)' data-position='(\d)'>([^<]+)"
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def answers(engine: Engine) -> tuple[int, int]:
    return make_pair(engine, FIRST, SECOND).pair.answers


def test_every_cell_shows_the_effect_that_was_measured(engine: Engine) -> None:
    read = make_pair(engine, FIRST, SECOND)
    found = patch_map(read)
    html = patching_view(engine, read, found, None, speaker("en"))
    cells = CELL.findall(html)
    explained = np.flatnonzero(~np.isnan(found.effect[:, 0, 0]))
    assert len(cells) == len(explained) * 4 * len(read.pair.first)
    for shade, expert, layer, position, shown in cells:
        effect = found.effect[int(expert), int(layer), int(position)]
        assert float(shown) == pytest.approx(effect, abs=0.0051)
        assert float(shade) == pytest.approx(np.clip(effect, 0, 1), abs=0.00051)


def test_a_cell_of_layer_0_is_a_run_with_the_other_picture(engine: Engine) -> None:
    """Against a loop over one expert at a time that knows no patching."""
    model, read = engine.model, make_pair(engine, FIRST, SECOND)
    assert isinstance(model, StackedExperts)
    position = int(read.pair.changed[0])
    html = cell_view(engine, read, (0, 0, position), speaker("en"))
    rows = model.embedding[torch.from_numpy(read.pair.first)].clone()
    rows[position] = model.embedding[int(read.pair.second[position])]
    log_probs = plain(model, 0, rows, Recorder())[-1].log_softmax(-1)
    shown = re.findall(r"gs-number'>([\d.]+)%", html)[8:16]  # the list in the middle
    assert [float(s) / 100 for s in shown] == pytest.approx(log_probs.exp().topk(8).values.tolist(), abs=1e-3)
    a, b = read.pair.answers
    assert f"{float(log_probs[a] - log_probs[b]):+.2f} with the state moved" in html


def test_a_cell_shows_the_parts_of_its_block(engine: Engine) -> None:
    read = make_pair(engine, FIRST, SECOND)
    last = len(read.pair.first) - 1
    expert = int(np.flatnonzero(read.explained)[0])
    html = cell_view(engine, read, (expert, 2, last), speaker("en"))
    shown = [float(v) for v in re.findall(r"<i></i>(-?[\d.]+)</td>", html)]
    block = patch_block(read, 2, last)
    assert shown == pytest.approx([*block.heads[expert], block.attention[expert], block.mlp[expert]], abs=0.0051)


def test_the_other_direction_swaps_texts_and_margins(engine: Engine) -> None:
    there, back = (read_request(engine, PatchRequest(FIRST, SECOND, answers(engine), way)) for way in (False, True))
    assert np.array_equal(there.margins[:, ::-1], back.margins)
    assert patch_map(back).effect[-1, -1, -1] == pytest.approx(1)


def test_one_answer_of_the_visitor_and_one_of_the_model(engine: Engine) -> None:
    own = answers(engine)
    assert read_request(engine, PatchRequest(FIRST, SECOND, (own[0], ""))).pair.answers == own


def test_the_opened_cell_is_none_that_is_exact(engine: Engine) -> None:
    found = patch_map(make_pair(engine, FIRST, SECOND))
    place = best_place(found)
    assert place is not None and 0 < place[1] < 3 and place[2] == found.effect.shape[-1] - 1


@pytest.mark.parametrize(
    "clicked",
    [None, [], "x", {}, {"expert": 0, "layer": 1}, {"expert": 9, "layer": 0, "position": 0},
     {"expert": 0, "layer": -1, "position": 0}, {"expert": 0, "layer": 0, "position": 99},
     {"expert": True, "layer": 0, "position": 0}, {"expert": 0.5, "layer": 0, "position": 0},
     {"expert": [0], "layer": {}, "position": "0"}],
)  # fmt: skip
def test_a_click_may_name_anything(engine: Engine, clicked: Any) -> None:
    assert checked_place(make_pair(engine, FIRST, SECOND), clicked) is None


@pytest.mark.parametrize("text", [None, 7, "", " ", [], {"a": 1}, "a" * 5000, "\x00", "中" * 400, True])
@pytest.mark.parametrize("side", [0, 1])
def test_texts_may_be_anything(engine: Engine, text: Any, side: int) -> None:
    texts = [FIRST, SECOND]
    texts[side] = text
    with pytest.raises(UserError):
        read_request(engine, PatchRequest(texts[0], texts[1]))


@pytest.mark.parametrize("answer", [[], {}, -1, 10**9, 1.5, float("nan"), True, "\x00", "☃", "x" * 999, ["a"]])
@pytest.mark.parametrize("side", [0, 1])
def test_answers_may_be_anything(engine: Engine, answer: Any, side: int) -> None:
    given: list[Any] = list(answers(engine))
    given[side] = answer
    with pytest.raises(UserError):
        read_request(engine, PatchRequest(FIRST, SECOND, (given[0], given[1])))


def test_text_in_the_maps_is_escaped(engine: Engine) -> None:
    engine = Engine(engine.bundle)
    read = make_pair(engine, FIRST, SECOND)
    engine.text_of = lambda token: "<img src=x onerror=alert(1)>"  # type: ignore[method-assign]
    for html in (
        patching_view(engine, read, patch_map(read), None, speaker("ru")),
        cell_view(engine, read, (0, 1, 2), speaker("zh")),
    ):
        assert "<img" not in html and "&lt;img" in html


def test_labels_of_stories_name_what_differs_once() -> None:
    labels = {story.key: story_label(story.opening) for story in read_stories().pairs}
    assert labels["ru_gender"] == "Маша / Миша никогда не"
    assert labels["en_object"] == "I drink / read a lot of"
    assert labels["zh_measure"] == "他喝 / 写了一" or labels["zh_measure"] == "他喝 / 写了一".replace(" ", "")


@pytest.mark.parametrize("back", [False, True])
def test_each_answer_is_chosen_from_what_is_likeliest_after_its_own_text(engine: Engine, back: bool) -> None:
    """In both directions, against a loop over the experts; a typed answer that is not likely stands last."""
    model = engine.model
    assert isinstance(model, StackedExperts)
    fused = []
    for text in (FIRST, SECOND):
        ids = torch.tensor([engine.bundle.start, *engine.encode(text)])
        logits = [plain(model, expert, model.embedding[ids].clone(), Recorder())[-1] for expert in range(2)]
        fused.append(torch.stack(logits).mean(0))
    tops = [logits.topk(8).indices.tolist() for logits in fused]
    moved = fused[0] - fused[1]
    moved[tops[1]] = torch.inf
    rare = int(moved.argmin())  # unlikely after the second text, and its margin changes
    read = read_request(engine, PatchRequest(FIRST, SECOND, (answers(engine)[0], rare), back))
    html = answer_rows(patching_rows(engine, read, back, speaker("en")), speaker("en"))
    for answer, likely in enumerate(tops):
        shown = re.findall(rf"data-answer='{answer}' data-id='(\d+)' aria-pressed='(true|false)'", html)
        chosen = read.pair.answers[answer]
        assert [int(token) for token, _ in shown] == likely + [chosen] * (chosen not in likely)
        assert [int(token) for token, pressed in shown if pressed == "true"] == [chosen]


def test_a_press_chooses_one_answer_or_changes_both_places() -> None:
    assert with_answer((3, 4), {"answer": 0, "token": 9}) == (9, 4)
    assert with_answer((3, 4), {"answer": 1, "token": 9}) == (3, 9)
    assert with_answer((3, 4), {"answer": 0, "token": 4}) == with_answer((3, 4), {"answer": 1, "token": 3}) == (4, 3)
    nothing: tuple[Any, ...] = (
        None,
        [],
        "x",
        {},
        {"answer": 2, "token": 1},
        {"answer": True, "token": 1},
        {"answer": 0},
    )
    assert [with_answer((3, 4), pressed) for pressed in nothing] == [None] * len(nothing)


def listeners(engine: Engine) -> PatchingListeners:
    registry: Any = SimpleNamespace(of=lambda visitor: SimpleNamespace(engine=engine))
    return PatchingListeners(registry, JobQueue(), StorySearch(JobQueue()))


REQUEST: Any = SimpleNamespace(session_hash="visitor")


def last(steps: Any) -> list[Any]:
    async def answers() -> list[list[Any]]:
        return [answer async for answer in steps]

    return asyncio.run(answers())[-1]


def test_a_refusal_is_a_sentence_and_leaves_no_old_figure(engine: Engine) -> None:
    found = last(listeners(engine).on_move(FIRST, FIRST, None, None, "forward", "ru", None, REQUEST))
    assert "Тексты одинаковы" in found[6] and "alert" in found[6] and found[7:9] == ["", ""]


def test_texts_of_unequal_length_are_refused_and_compared(engine: Engine) -> None:
    found = last(listeners(engine).on_move(FIRST, SECOND + " cat", None, None, "forward", "en", None, REQUEST))
    assert "alert" in found[6] and found[7:9] == ["", ""] and "gs-compare-strip" in found[9]


def test_a_visitors_own_texts_are_answered(engine: Engine) -> None:
    odd: Any = ["?"]
    found = last(listeners(engine).on_move(FIRST, SECOND, None, None, odd, "zh", None, REQUEST))
    assert len(found) == COUNT and found[6] == "" and "gs-map" in found[7] and "gs-patched" in found[8]
    assert found[0].answers == answers(engine) and "gs-compare-strip" in found[9]


def test_a_long_run_tells_its_share_and_can_be_cancelled(engine: Engine) -> None:
    on = listeners(engine)

    async def cancelled() -> list[str]:
        said = []
        on.jobs._pool.submit(time.sleep, 0.7)  # somebody else's job goes first
        async for answer in on.on_move(FIRST, SECOND, None, None, "forward", "en", None, REQUEST):
            said.append(answer[6])
            on.on_cancel(REQUEST)
        return said

    *before, end = asyncio.run(cancelled())
    assert before and all("<progress" in line for line in before) and "alert" in end


def test_a_visitor_who_leaves_ends_the_run(engine: Engine) -> None:
    on = listeners(engine)

    async def left() -> None:
        on.jobs._pool.submit(time.sleep, 0.5)
        answers = on.on_move(FIRST, SECOND, None, None, "forward", "en", None, REQUEST)
        assert "<progress" in (await anext(answers))[6]
        await answers.aclose()  # type: ignore[attr-defined]

    asyncio.run(left())
    on.jobs._pool.shutdown()
    assert on.jobs._under_way == [] and on.cancellations._events == {}


def test_an_answer_that_explains_nothing_leaves_what_is_on_view(engine: Engine) -> None:
    asked = PatchRequest(FIRST, SECOND, answers(engine))
    event = gr.EventData(None, {"answer": 0, "token": 10**9})  # type: ignore[arg-type]
    found = last(listeners(engine).on_answer(asked, "en", event, REQUEST))
    assert "alert" in found[6] and [*found[:6], *found[7:]] == [gr.skip()] * (COUNT - 1)
    event = gr.EventData(None, {"answer": 0, "token": asked.answers[1]})  # type: ignore[arg-type]
    found = last(listeners(engine).on_answer(asked, "en", event, REQUEST))
    assert found[0].answers == asked.answers[::-1] and "gs-map" in found[7]


def test_answers_belong_to_their_texts(engine: Engine) -> None:
    """Those of the texts before are the model's own again, one that was chosen since stays; a list that is only left
    asks for nothing."""
    own, on = answers(engine), listeners(engine)
    before = PatchRequest("other", "texts", own)
    found = last(on.on_move(FIRST, SECOND, *own[::-1], "forward", "en", replace(before, answers=own[::-1]), REQUEST))
    assert found[0].answers == own
    found = last(on.on_move(FIRST, SECOND, own[0], 7, "forward", "en", replace(before, answers=(own[1], 7)), REQUEST))
    assert found[0].answers == own
    asked = PatchRequest(FIRST, SECOND, own)
    given: list[tuple[Any, Any]] = [own, (None, None), ("", None)]
    for a, b in given:
        assert last(on.on_chosen(FIRST, SECOND, a, b, "forward", "en", asked, REQUEST)) == [gr.skip()] * COUNT
    found = last(on.on_chosen(FIRST, SECOND, *own[::-1], "forward", "en", asked, REQUEST))
    assert found[0].answers == own[::-1]


def test_a_click_before_anything_is_shown_does_nothing(engine: Engine) -> None:
    event = gr.EventData(None, {"expert": 0, "layer": 0, "position": 0})  # type: ignore[arg-type]
    assert asyncio.run(listeners(engine).on_cell(None, "en", event, REQUEST)) == gr.skip()


@pytest.mark.parametrize("sent", [None, {}, {"pin": 9}, {"pin": -1}, {"pin": "0"}, {"pin": []}, "pin"])
def test_a_story_that_is_none_opens_nothing(engine: Engine, sent: Any) -> None:
    event = gr.EventData(None, sent)  # type: ignore[arg-type]
    assert last(listeners(engine).on_found("en", event, REQUEST)) == [gr.skip()] * COUNT
