"""The gate in front of every instrument: when it opens, and that nothing changes where nothing is due."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.utils import get_type_hints

from app.web.break_tab import _if_linked
from app.web.opening import LinkedGate, OpeningGate
from app.wording.errors import UserError

REQUEST: Any = SimpleNamespace(session_hash="one")
NOTHING = [[gr.skip()] * 2]
OPENED, AGAIN = [["opening ru", 1], ["opening ru", 2], *NOTHING], [["again ru", "asked"], *NOTHING]


class Instrument:
    """Shows its opening in two steps, and says what it was asked for again."""

    async def on_opening(self, language: str, request: gr.Request) -> AsyncIterator[list[Any]]:
        for step in (1, 2):
            yield [f"opening {language}", step]

    async def on_again(self, asked: Any, language: str, request: gr.Request) -> AsyncIterator[list[Any]]:
        yield [f"again {language}", asked]

    async def on_linked(self, link: Any, language: str, request: gr.Request) -> AsyncIterator[list[Any]]:
        if link == "broken":
            raise UserError("no_cell")
        yield [f"linked {language}", link]


@pytest.mark.parametrize(
    ("listener", "asked", "answers"),
    [
        ("on_language", None, NOTHING),
        ("on_language", "asked", AGAIN),
        ("on_switch", None, NOTHING),
        ("on_switch", "asked", OPENED),
    ],
)
def test_only_what_is_due_is_shown(listener: str, asked: Any, answers: list[Any]) -> None:
    assert found(getattr(OpeningGate(Instrument(), 2), listener)(asked, "ru", REQUEST)) == answers


def test_another_language_leaves_what_is_typed_alone() -> None:
    gate = OpeningGate(Instrument(), 2, range(1, 2))
    assert found(gate.on_language("asked", "ru", REQUEST)) == [["again ru", gr.skip()], *NOTHING]
    assert found(gate.on_switch("asked", "ru", REQUEST)) == OPENED, "another model: the tokens may be others"


def test_what_is_typed_before_the_first_answer_stays() -> None:
    gate = OpeningGate(Instrument(), 2, range(1, 2))
    other: Any = SimpleNamespace(session_hash="two")
    gate.on_typed(None, REQUEST)
    kept = [["opening ru", gr.skip()], ["opening ru", gr.skip()], *NOTHING]
    assert found(gate.on_first(None, None, "ru", REQUEST)) == kept
    gate.on_typed("asked", REQUEST)
    assert found(gate.on_first(None, None, "ru", REQUEST)) == OPENED, "that typing was over what the instrument showed"
    assert found(gate.on_first(None, None, "ru", other)) == OPENED


@pytest.mark.parametrize(
    ("tab", "asked", "answers"), [("break", None, OPENED), ("break", "asked", NOTHING), ("read", None, NOTHING)]
)
def test_an_address_can_open_the_tab(tab: str, asked: Any, answers: list[Any]) -> None:
    gate = OpeningGate(Instrument(), 2)
    assert found(gate.on_shown(None, tab, asked, "ru", REQUEST)) == answers
    assert tab == "read" or found(gate.on_first(None, asked, "ru", REQUEST)) == answers


def test_a_tab_that_is_told_twice_is_opened_once_and_another_visitors_too() -> None:
    """A second answer would come over what the visitor presses after the first."""
    gate = OpeningGate(Instrument(), 2)
    other: Any = SimpleNamespace(session_hash="two")

    async def both() -> list[list[Any]]:
        opened = gate.on_first(None, None, "ru", REQUEST)
        answers = [await anext(opened)]
        for request in (REQUEST, other):
            answers.append([answer async for answer in gate.on_shown(None, "break", None, "ru", request)])
        return [[answers[0], *[answer async for answer in opened]], *answers[1:]]

    assert asyncio.run(both()) == [OPENED, NOTHING, OPENED]
    assert found(gate.on_first(None, None, "ru", REQUEST)) == OPENED, "that opening has ended"


def test_a_visitor_who_leaves_while_a_tab_opens_can_open_it_again() -> None:
    gate = OpeningGate(Instrument(), 2)

    async def left() -> None:
        opened = gate.on_first(None, None, "ru", REQUEST)
        await anext(opened)
        await opened.aclose()  # type: ignore[attr-defined]

    asyncio.run(left())
    assert found(gate.on_first(None, None, "ru", REQUEST)) == OPENED


@pytest.mark.parametrize("link", [None, SimpleNamespace(moved=None), SimpleNamespace(drawn=7)])
def test_a_link_that_says_nothing_of_the_instrument_opens_it_as_usual(link: Any) -> None:
    gate = LinkedGate(Instrument(), 2, "moved", 1)
    assert found(gate.on_first(link, None, "ru", REQUEST)) == OPENED


def test_a_link_opens_the_instrument_as_it_was_once_and_else_as_usual_with_a_sentence() -> None:
    gate, good, broken = (
        LinkedGate(Instrument(), 2, "moved", 1),
        SimpleNamespace(moved="this"),
        SimpleNamespace(moved="broken"),
    )
    assert found(gate.on_first(good, None, "ru", REQUEST)) == [["linked ru", "this"], *NOTHING]
    assert found(gate.on_shown(good, "break", None, "ru", REQUEST)) == [["linked ru", "this"], *NOTHING]
    assert found(gate.on_first(good, "asked", "ru", REQUEST)) == NOTHING
    assert found(gate.on_switch("asked", "ru", REQUEST)) == OPENED, "another model: the link was of the first"
    told = found(gate.on_first(broken, None, "ru", REQUEST))[: -len(NOTHING)]
    assert [answer[0] for answer in told] == ["opening ru"] * 2
    assert all("alert" in answer[1] and "нет такой клетки" in answer[1] for answer in told)


def test_what_a_link_unfolds_is_filled_and_its_listener_is_told_who_asks() -> None:
    gate = LinkedGate(Instrument(), 2, "moved", 1)
    listener = _if_linked("drawing", gate)
    assert gr.Request in get_type_hints(listener).values(), "else the request would be None"
    shut, silent, unfolded = (SimpleNamespace(moved="this", folds=folds) for folds in ((), None, ("drawing",)))
    assert found(listener(unfolded, None, "ru", REQUEST)) == [["linked ru", "this"], *NOTHING]
    assert found(listener(unfolded, "asked", "ru", REQUEST)) == NOTHING
    assert all(found(listener(link, None, "ru", REQUEST)) == NOTHING for link in (shut, silent, None))


def found(answers: AsyncIterator[list[Any]]) -> list[Any]:
    async def gathered() -> list[Any]:
        return [answer async for answer in answers]

    return asyncio.run(gathered())


def test_a_link_that_comes_late_ends_the_usual_opening() -> None:
    gate, link = LinkedGate(Instrument(), 2, "moved", 1), SimpleNamespace(moved="a state")

    async def late() -> tuple[list[list[Any]], list[list[Any]]]:
        usual = gate.on_first(None, None, "ru", REQUEST)
        first = await anext(usual)
        by_link = [answer async for answer in gate.on_linked(link, "break", "ru", REQUEST)]
        return [first, *[answer async for answer in usual]], by_link

    usual, by_link = asyncio.run(late())
    assert by_link == [["linked ru", "a state"], *NOTHING]
    assert usual == OPENED[:1], "it would come over what the link says"
    for tab, other in (("read", link), ("break", SimpleNamespace(moved=None)), ("break", None)):
        assert found(gate.on_linked(other, tab, "ru", REQUEST)) == NOTHING


def test_while_a_link_is_opened_the_usual_opening_says_nothing_more() -> None:
    gate, link = LinkedGate(Instrument(), 2, "moved", 1), SimpleNamespace(moved="a state")

    async def during() -> list[list[Any]]:
        usual, by_link = gate.on_first(None, None, "ru", REQUEST), gate.on_linked(link, "break", "ru", REQUEST)
        answers = [await anext(usual), await anext(by_link)]
        return [*answers, *[answer async for answer in usual]]

    assert asyncio.run(during()) == [OPENED[0], ["linked ru", "a state"]]
