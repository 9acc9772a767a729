"""Who adds what, on the page: displayed parts add up to margins that were read elsewhere; anything for an argument."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.network.experts import StackedExperts
from app.panels.attribution import AttributionRequest, attribution_of, attribution_view
from app.web.attribution_tab import COUNT, AttributionListeners
from app.wording.catalogue import LANGUAGES, speaker
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine

TEXT = "the cat do"
REQUEST: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def shown(html: str) -> np.ndarray[Any, Any]:
    """Numbers of the table, a row a part, the sum last."""
    rows = re.findall(r"<tr><th scope='row'>.*?</tr>", html)
    return np.array([[float(n) for n in re.findall(r"</i>([+-][\d.]+)</td>", row)] for row in rows])


def test_displayed_parts_add_up_to_margins_of_a_plain_loop(engine: Engine) -> None:
    model = engine.model
    assert isinstance(model, StackedExperts)
    ids, found, _ = attribution_of(engine, TEXT, (None, None))
    table = shown(attribution_view(engine, ids, found, speaker("en")))
    assert table.shape == (1 + 2 * 3 + 1, 3)
    a, b = found.answers
    for expert in range(2):
        logits = plain(model, expert, model.embedding[torch.tensor(ids)].clone(), Recorder())[-1]
        assert table[-1, expert] == pytest.approx(float(logits[a] - logits[b]), abs=2e-3)
    assert np.allclose(table[:-1].sum(0), table[-1], atol=0.006)  # eight roundings
    assert np.allclose(table[:, 2], table[:, :2].mean(1), atol=0.0011)


def test_the_summary_states_the_cancellation(engine: Engine) -> None:
    ids, found, _ = attribution_of(engine, TEXT, (None, None))
    html = attribution_view(engine, ids, found, speaker("en"))
    for factor in found.cancellation:
        assert f"{factor:,.1f} times the margin" in html
    for language in LANGUAGES:
        assert "nan" not in attribution_view(engine, ids, found, speaker(language)).lower()


def test_one_given_answer_is_compared_with_the_likeliest_other(engine: Engine) -> None:
    _, own, likely = attribution_of(engine, TEXT, (None, None))
    first, second = own.answers
    assert attribution_of(engine, TEXT, (first, ""))[1].answers == (first, second)
    assert attribution_of(engine, TEXT, (None, first))[1].answers == (second, first)
    assert {*likely.ids[-1].tolist()} >= {first, second}


@pytest.mark.parametrize("text", [None, 7, "", " ", [], {}, "x" * 5000, "\x00", True])
def test_texts_may_be_anything(engine: Engine, text: Any) -> None:
    with pytest.raises(UserError):
        attribution_of(engine, text, (None, None))


@pytest.mark.parametrize("answer", [[], {}, -1, 10**9, 1.5, float("nan"), True, "\x00", "☃", "x" * 999])
@pytest.mark.parametrize("side", [0, 1])
def test_answers_may_be_anything(engine: Engine, answer: Any, side: int) -> None:
    given: list[Any] = [None, None]
    given[side] = answer
    with pytest.raises(UserError):
        attribution_of(engine, TEXT, (given[0], given[1]))


def test_a_refusal_is_a_sentence(engine: Engine) -> None:
    model = SimpleNamespace(engine=engine)
    listeners = AttributionListeners(SimpleNamespace(of=lambda visitor: model), JobQueue())  # type: ignore[arg-type]
    token = engine.bundle.tokenizer.token_to_id("c")
    found = asyncio.run(listeners.on_split(None, TEXT, token, token, "en", REQUEST))
    assert "choose two different ones" in found[4] and found[5] == ""
    found = asyncio.run(listeners.on_split(None, TEXT, None, None, "en", REQUEST))
    assert found[4] == "" and "gs-adds" in found[5]


def test_answers_belong_to_their_text(engine: Engine) -> None:
    model = SimpleNamespace(engine=engine)
    on = AttributionListeners(SimpleNamespace(of=lambda visitor: model), JobQueue())  # type: ignore[arg-type]
    own = attribution_of(engine, TEXT, (None, None))[1].answers
    found = asyncio.run(on.on_split(AttributionRequest("other", own[::-1]), TEXT, *own[::-1], "en", REQUEST))
    assert found[0].answers == own
    asked = AttributionRequest(TEXT, own)
    assert asyncio.run(on.on_chosen(asked, TEXT, *own, "en", REQUEST)) == [gr.skip()] * COUNT
    assert asyncio.run(on.on_chosen(asked, TEXT, *own[::-1], "en", REQUEST))[0].answers == own[::-1]


def test_text_is_escaped(engine: Engine) -> None:
    ids, found, _ = attribution_of(engine, TEXT, (None, None))
    own = Engine(engine.bundle)
    own.text_of = lambda token: "<img src=x onerror=alert(1)>'"  # type: ignore[method-assign]
    assert "<img src=x" not in attribution_view(own, ids, found, speaker("en"))


def test_a_margin_in_the_middle_of_a_text_is_that_of_its_beginning(engine: Engine) -> None:
    ids, found, _ = attribution_of(engine, TEXT, (None, None), 2)
    beginning = "".join(engine.text_of(i) for i in ids[1:3])
    _, alone, _ = attribution_of(engine, beginning, (None, None))
    assert found.answers == alone.answers and np.allclose(found.parts, alone.parts, atol=1e-4)
    html = attribution_view(engine, ids, found, speaker("en"), 2)
    assert html.count("data-pin=") == len(ids) - 1 and "data-pin='2' aria-pressed='true'" in html


@pytest.mark.parametrize("sent", [None, {}, "pin", {"pin": None}, {"pin": True}, {"pin": "2"}, {"pin": 0.5}])
def test_what_is_no_position_changes_nothing(engine: Engine, sent: Any) -> None:
    on = AttributionListeners(SimpleNamespace(of=lambda visitor: SimpleNamespace(engine=engine)), JobQueue())  # type: ignore[arg-type]
    event = gr.EventData(None, sent)  # type: ignore[arg-type]
    assert asyncio.run(on.on_position(AttributionRequest(TEXT), "en", event, REQUEST)) == [gr.skip()] * COUNT


@pytest.mark.parametrize("position", [0, -1, 99])
def test_a_position_outside_is_a_sentence(engine: Engine, position: int) -> None:
    on = AttributionListeners(SimpleNamespace(of=lambda visitor: SimpleNamespace(engine=engine)), JobQueue())  # type: ignore[arg-type]
    event = gr.EventData(None, {"pin": position})  # type: ignore[arg-type]
    assert "alert" in asyncio.run(on.on_position(AttributionRequest(TEXT), "en", event, REQUEST))[4]
