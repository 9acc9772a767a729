"""Links to the instruments: each opens as it was when the link was made, and what it does not have is refused."""

import asyncio
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.silencing import Silenced
from app.panels.attention import AttentionRequest
from app.panels.attribution import AttributionRequest
from app.panels.exchange import ExchangeRequest
from app.panels.patching import PatchRequest
from app.web.attention_tab import AttentionListeners
from app.web.attribution_tab import AttributionListeners
from app.web.canvases import DrawingRequest
from app.web.deep_link import PageLink, packed, unpacked
from app.web.exchange_tab import ExchangeListeners
from app.web.linked_instruments import (
    ComparedPictures,
    ExchangedState,
    Instruments,
    LookedAt,
    MovedState,
    SplitMargin,
    said_of,
)
from app.web.on_drawing import DrawingListeners
from app.web.on_patching import PatchingListeners
from app.web.story_search import StorySearch
from app.wording.errors import UserError
from tests.intervene.tiny import tiny_engine

REQUEST: Any = SimpleNamespace(session_hash="visitor")
ALL = ["patching", "exchange", "drawing", "attribution", "attention", "lab"]
BITS = "".join("01"[pixel] for pixel in np.random.default_rng(1).integers(0, 2, 1024))
EXCHANGED = ExchangeRequest("the cat do", "cat", "我喝猫 the", "猫", "狗")
FIRST, SECOND = "the cat do", "the dog do"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


@pytest.fixture
def registry(engine: Engine) -> Any:
    model = SimpleNamespace(engine=engine)
    return SimpleNamespace(of=lambda visitor: model, loaded={"tiny": model})


def through_a_link(seen: dict[str, Any], **shown: Any) -> PageLink:
    return unpacked(packed(PageLink(**said_of({"folds": ALL, **seen}, Instruments(**shown)))))


def every(steps: Any) -> list[list[Any]]:
    async def gathered() -> list[list[Any]]:
        return [answer async for answer in steps]

    return asyncio.run(gathered())


def told(answer: list[Any]) -> list[Any]:
    """What an answer puts on the page, without what only the server keeps of it."""
    return answer[1:]


def test_a_link_takes_what_stands_in_the_unfolded_instruments() -> None:
    seen = {"place": [2, 5, 7], "pixels": BITS, "share": 0.55, "noise": 16, "fewest": True}
    parts = (Silenced(0, "block", 2), Silenced(1, "head", 3, 1))
    link = through_a_link(
        {**seen, "folds": [*ALL, "attic"]},
        moved=PatchRequest("I drink", "I read", (81, 4), back=True),
        drawn_on=DrawingRequest("他喝了一", 2, "开", typed="ö"),
        exchanged=EXCHANGED,
        split=AttributionRequest("他喝了一", (5, 6), 2),
        looked=AttentionRequest("I drink", 1, 8, (1, 3, 2), parts),
        lab_first="己",
        lab_second="已",
    )
    assert link.folds == ("patching", "exchange", "drawing", "attribution", "attention")
    assert link.moved == MovedState(first="I drink", second="I read", answers=(81, 4), back=True, cell=(2, 5, 7))
    assert link.drawn is not None and link.drawn.bits == BITS
    drawn = (link.drawn.index, link.drawn.share, link.drawn.noise, link.drawn.typed, link.drawn.fewest)
    assert drawn == (2, 0.55, 16, "ö", True)
    assert link.exchanged == ExchangedState(**vars(EXCHANGED))
    assert link.split == SplitMargin(text="他喝了一", answers=(5, 6), position=2)
    looked = LookedAt(text="I drink", index=1, token=8, head=(1, 3, 2), parts=((0, "block", 2, 0), (1, "head", 3, 1)))
    assert link.looked == looked
    assert link.lab == ComparedPictures(first="己", second="已")
    assert len(packed(link)) < 900


def test_a_folded_instrument_is_left_out_and_so_is_what_no_link_could_say() -> None:
    whole = Instruments(PatchRequest("a", "b"), EXCHANGED, DrawingRequest("a", 1, "b"), AttributionRequest("a"))
    assert set(said_of({"folds": ["patching"], "pixels": BITS}, whole)) == {"folds", "moved"}, "others show those texts"
    refused = Instruments(
        PatchRequest(None, "x" * 600, ("tea", None)),
        replace(EXCHANGED, word=None),
        DrawingRequest(None),
        AttributionRequest(["a"]),
        AttentionRequest("a", index="b"),
        "x" * 99,
    )
    for odd in ({}, {"folds": 7, "place": "x", "pixels": 5}, {"pixels": "01"}, {"folds": [[]], "place": [1, 2]}):
        assert said_of(odd, refused) == {"folds": ()}
    assert set(said_of({"folds": ALL, "pixels": BITS}, refused)) == {"folds"}
    slid = said_of({"folds": ALL, "pixels": BITS, "share": "x"}, replace(whole, looked=None))
    assert "drawn" not in slid and {"moved", "exchanged", "split"} <= set(slid)
    typed = PageLink(**said_of({}, Instruments(PatchRequest("a", "b", ("tea", None))))).moved
    assert typed == MovedState(first="a", second="b"), "answers that were refused are not said"


def test_moved_states_open_as_they_were(registry: Any) -> None:
    on = PatchingListeners(registry, JobQueue(), StorySearch(JobQueue()))
    before = every(on.on_move(FIRST, SECOND, None, None, "back", "en", None, REQUEST))[-1]
    link = through_a_link({"place": None}, moved=before[0]).moved
    assert link is not None and told(every(on.on_linked(link, "en", REQUEST))[-1]) == told(before)
    with pytest.raises(UserError, match="no such cell"):
        every(on.on_linked(link.model_copy(update={"cell": (0, 99, 0)}), "en", REQUEST))


def test_texts_that_were_only_compared_open_so(registry: Any) -> None:
    on = PatchingListeners(registry, JobQueue(), StorySearch(JobQueue()))
    before = every(on.on_move(FIRST, SECOND + " cat", None, None, "forward", "en", None, REQUEST))[-1]
    assert "gs-compare-strip" in before[-1] and "alert" in before[6]
    link = through_a_link({}, moved=before[0]).moved
    assert link is not None and told(every(on.on_linked(link, "en", REQUEST))[-1]) == told(before)
    with pytest.raises(UserError):  # nothing of it can be shown
        every(on.on_linked(MovedState(first="", second="the"), "en", REQUEST))


def test_an_exchange_opens_as_it_was(registry: Any) -> None:
    on = ExchangeListeners(registry, JobQueue())
    (before,) = every(on.on_exchange("the cat do", "cat", "我喝猫 the", "猫", "狗", "zh", REQUEST))
    link = through_a_link({}, exchanged=before[0]).exchanged
    assert link is not None and every(on.on_linked(link, "zh", REQUEST)) == [before]
    unknown = link.model_copy(update={"story": "of another version"})
    assert every(on.on_linked(unknown, "zh", REQUEST)) == [before]
    with pytest.raises(UserError):
        every(on.on_linked(link.model_copy(update={"word": "catdog"}), "zh", REQUEST))


def test_a_margin_opens_as_it_was(registry: Any) -> None:
    on = AttributionListeners(registry, JobQueue())
    press: Any = SimpleNamespace(_data={"pin": 2})
    (opened,) = every(on.on_linked(SplitMargin(text=FIRST), "en", REQUEST))
    before = asyncio.run(on.on_position(opened[0], "en", press, REQUEST))
    link = through_a_link({}, split=before[0]).split
    assert link is not None and link.position == 2 and link.answers is not None
    assert every(on.on_linked(link, "en", REQUEST)) == [before]
    with pytest.raises(UserError):
        every(on.on_linked(link.model_copy(update={"position": 99}), "en", REQUEST))


@pytest.mark.parametrize("pair", [None, PatchRequest(FIRST, SECOND)])
def test_a_head_and_silenced_parts_open_as_they_were(registry: Any, pair: PatchRequest | None) -> None:
    on = AttentionListeners(registry, JobQueue())
    answer = asyncio.run(on.on_text(FIRST, pair, "en", REQUEST))
    block = {"kind": "block", "expert": 0, "layer": 2}
    for sent in ({"look": {"expert": 1, "layer": 1, "head": 2}}, {"part": block}):
        answer = asyncio.run(on.on_press(answer[0], pair, "en", SimpleNamespace(_data=sent), REQUEST))  # type: ignore[arg-type]
    link = through_a_link({}, looked=answer[0], moved=pair).looked
    assert link is not None and link.head == (1, 1, 2) and link.parts is not None and len(link.parts) == 2
    assert (link.pair is None) == (pair is None)
    assert told(every(on.on_linked(link, "en", REQUEST))[0]) == told(answer)
    for odd in ({"head": (0, 9, 0)}, {"parts": ((7, "head", 1, 0),)}, {"index": 99}, {"token": 10**6}):
        with pytest.raises(UserError):
            every(on.on_linked(link.model_copy(update=odd), "en", REQUEST))


def test_a_drawing_opens_with_its_sliders_its_note_and_the_fewest_pixels(registry: Any) -> None:
    on = DrawingListeners(registry, JobQueue())
    drawn = DrawingRequest("他喝了一", 2, "开", typed="ö")
    seen = {"pixels": BITS, "share": 0.55, "noise": 16, "fewest": True}
    link = through_a_link(seen, drawn_on=drawn).drawn
    assert link is not None
    first, *_, last = every(on.on_linked(link, "en", REQUEST))
    assert first[0] == drawn and f"data-drawn='{BITS}'" in first[3]
    values = re.findall(r"class='gs-(morph|noise)'[^>]* value='([^']*)'", first[3])
    assert values == [("morph", "0.55"), ("noise", "16")]
    assert any("ö" in note for note in re.findall(r"gs-outside'>([^<]*)", first[3]))
    searched = every(on.on_fewest(drawn, "en", REQUEST))[-1]
    assert last[-1] == searched[-1] and "gs-flips" in last[-1]
    assert last[3:5] == [gr.skip()] * 2, "what is on the grid stays"
