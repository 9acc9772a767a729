"""Exchanging states of words: displayed numbers against a loop over one expert, refusals, anything for an argument."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.__main__ import exchange_lines
from app.intervene.exchange import measure_exchange, placed
from app.intervene.runs import open_network
from app.intervene.steps import run_to_end
from app.intervene.stories import ExchangeStory, read_stories
from app.intervene.transplant import transplant
from app.network.experts import StackedExperts
from app.panels.exchange import ExchangeRequest, exchange_request, exchange_view, read_exchange
from app.web.exchange_tab import ExchangeListeners
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine

ASKED = ExchangeRequest("the cat do", "cat", "我喝猫 the", "猫", "狗")
STORY = ExchangeStory(
    "toy", "zh", "the {} do", "我喝{}", "狗", (("cat", "猫"), ("dog", "狗"), ("a", "我"), ("catdog", "水"))
)
REQUEST: Any = SimpleNamespace(session_hash="visitor")
CELL = re.compile(r"<td class='[^']*' style='--p:([\d.]+)'>([\d.]+)%?</td>")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


@pytest.fixture
def listeners(engine: Engine) -> ExchangeListeners:
    model = SimpleNamespace(engine=engine)
    registry: Any = SimpleNamespace(of=lambda visitor: model, loaded={"tiny": model})
    return ExchangeListeners(registry, JobQueue())


def states(engine: Engine, expert: int, text: str) -> tuple[Recorder, list[int]]:
    model, seen = engine.model, Recorder()
    assert isinstance(model, StackedExperts)
    ids = [engine.bundle.start, *engine.encode(text)]
    plain(model, expert, model.embedding[torch.tensor(ids)], seen)
    return seen, ids


def moved(engine: Engine, expert: int, donor: str, word: str, layer: int) -> torch.Tensor:
    """Probabilities after "the cat do" with a foreign state, by an expert that knows no exchange."""
    model, (seen, there) = engine.model, states(engine, expert, donor)
    assert isinstance(model, StackedExperts)
    ids = [engine.bundle.start, *engine.encode("the cat do")]
    here, source = ([engine.text_of(i).strip() for i in row].index(w) for row, w in ((ids, "cat"), (there, word)))

    def hook(name: str, at: int, x: torch.Tensor) -> torch.Tensor:
        if (name, at) == ("state", layer):
            x = x.clone()
            x[here] = seen.seen["state", layer][source]
        return x

    return plain(model, expert, model.embedding[torch.tensor(ids)], hook)[-1].log_softmax(-1)


def test_every_share_and_its_bits_are_those_of_a_patched_run(engine: Engine) -> None:
    case = read_exchange(engine, ASKED)
    html = exchange_view(engine, ASKED, case, None, speaker("en"))
    tables = html.split("<tbody>")[1:]
    assert len(tables) == 3
    for expert in range(2):
        cells = CELL.findall(tables[expert])
        assert len(cells) == 4 * 4
        clean = states(engine, expert, "the cat do")[0]
        model = engine.model
        assert isinstance(model, StackedExperts)
        p = plain(model, expert, clean.seen["state", 0])[-1].softmax(-1)
        for row, (donor, word) in enumerate((("我喝猫 the", "猫"), ("我喝狗 the", "狗"))):
            for layer in range(4):
                q = moved(engine, expert, donor, word, layer).exp()
                assert float(cells[4 * row + layer][0]) == pytest.approx(float(q[case.answer]), abs=2e-3)
                m = (p + q) / 2
                bits = sum(float((a * (a / m).log2()).nansum()) for a in (p, q)) / 2
                assert float(cells[8 + 4 * row + layer][1]) == pytest.approx(bits, abs=0.006)
    assert html.count("gs-exact") == 3 * 4  # the last layer's state at another than the last token is read by nobody


def test_an_exchange_sets_the_translation_beside_other_words(engine: Engine) -> None:
    found = run_to_end(measure_exchange(engine, STORY))
    opened, rows = open_network(engine), []
    for own, _ in STORY.words[:3]:
        here = placed(engine, f"the {own} do", own)
        donors = [placed(engine, f"我喝{donor}", donor) for _, donor in STORY.words[:3]]
        rows.append(
            [transplant(opened, here.ids, here.position, d.ids, d.position, [0]).jensen_shannon[2, 1] for d in donors]
        )
    same = np.mean([rows[i][i] for i in range(3)])
    other = np.mean([rows[i][j] for i in range(3) for j in range(3) if i != j])
    assert found.same[2, 1] == pytest.approx(same, abs=1e-5) and found.other[2, 1] == pytest.approx(other, abs=1e-5)
    assert found.gain[2][1].mean == pytest.approx(other - same, abs=1e-5) and found.left_out == 1
    assert len(exchange_lines(found, engine)) == 3
    html = exchange_view(engine, ASKED, read_exchange(engine, ASKED), found, speaker("en"))
    one = found.gain[0][1]
    assert f"{one.mean:+.2f}<small>{one.low:.2f} … {one.high:.2f}".replace("-0.00", "0.00") in html.replace(
        "-0.00", "0.00"
    )
    pale = sum(e.low <= 0 <= e.high for layers in found.gain for e in layers)
    assert html.count("gs-unsure") == pale
    few = ExchangeStory("few", "zh", "the {} do", "我喝{}", "狗", (("cat", "猫"), ("catdog", "水")))
    with pytest.raises(UserError) as error:
        run_to_end(measure_exchange(engine, few))
    assert error.value.code == "exchange_few"


def test_a_large_network_takes_short_texts_and_few_words(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.intervene.exchange.LARGE", 0)
    monkeypatch.setattr("app.intervene.exchange.LARGE_WORDS", 2)
    assert run_to_end(measure_exchange(engine, STORY)).gain[0][0].count == 2
    with pytest.raises(UserError) as error:
        placed(engine, "the cat " * 8, "cat")
    assert error.value.code == "patch_long" and error.value.values["limit"] == 12


async def answers(steps: Any) -> list[list[Any]]:
    return [answer async for answer in steps]


def test_a_story_shows_its_case_and_then_what_holds_over_its_words(
    listeners: ExchangeListeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = SimpleNamespace(exchanges=(STORY,))
    monkeypatch.setattr("app.web.exchange_tab.read_stories", lambda: stories)
    first, *_, last = asyncio.run(answers(listeners.on_opening("en", REQUEST)))
    assert first[1:6] == ["the cat do", "cat", "我喝猫", "猫", "狗"]
    assert "gs-effects" in first[-1] and "gs-gains" not in first[-1] and "gs-gains" in last[-1] and last[-2] == ""
    again = asyncio.run(answers(listeners.on_story(STORY)("ru", REQUEST)))
    assert len(again) == 1 and "gs-gains" in again[0][-1]


ODD: list[Any] = [None, 7, "", " ", [], {}, "x" * 5000, "\x00", "the cat the dog" * 20, "水水"]


@pytest.mark.parametrize("field", range(5))
@pytest.mark.parametrize("value", ODD)
def test_anything_for_an_argument_is_a_sentence(listeners: ExchangeListeners, field: int, value: Any) -> None:
    given: list[Any] = ["the cat do", "cat", "我喝猫 the", "猫", "狗"]
    given[field] = value
    (found,) = asyncio.run(answers(listeners.on_exchange(*given, "zh", REQUEST)))  # type: ignore[call-arg]
    assert "alert" in found[-2] and found[-1] == ""


def test_a_word_in_pieces_is_refused_with_its_name(engine: Engine) -> None:
    with pytest.raises(UserError) as error:
        placed(engine, "the catdog do", "catdog")
    assert error.value.code == "exchange_word" and "catdog" in str(error.value)


def test_text_is_escaped(engine: Engine) -> None:
    own = Engine(engine.bundle)
    own.text_of = lambda token: "<img src=x onerror=alert(1)>'"  # type: ignore[method-assign]
    html = exchange_view(
        own, ExchangeRequest("<b>", "<b>", "<b>", "<b>", "<b>"), read_exchange(engine, ASKED), None, speaker("en")
    )
    assert "<img src=x" not in html and "<b>" not in html


def test_the_curated_exchanges_open_with_words_of_their_lists() -> None:
    for story in read_stories().exchanges:
        asked = exchange_request(story)
        assert asked.word in asked.text and asked.translation in asked.donor and "{}" not in asked.text
        assert story.other in [word for _, word in story.words[1:]]
