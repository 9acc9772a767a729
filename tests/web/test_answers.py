"""Listeners of every kind answer by name, and their errors are sentences."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import gradio as gr
import pytest

from app.web.answers import Answer, by_component, told_in
from app.wording.errors import UserError


class Layout:
    one, two = "first component", "second component"


def plain(fails: bool) -> Answer:
    if fails:
        raise UserError("empty_prompt")
    return {"one": 1}


async def later(fails: bool) -> Answer:
    return plain(fails)


def stepwise(fails: bool) -> Iterator[Answer]:
    yield plain(fails)


async def awaited(fails: bool) -> AsyncIterator[Answer]:
    yield plain(fails)


def answers(listener: Callable[..., Any], *arguments: Any) -> list[Any]:
    """All that a listener answers, of whichever kind it is."""

    async def gather() -> list[Any]:
        if inspect.isasyncgenfunction(listener):
            return [answer async for answer in listener(*arguments)]
        if inspect.iscoroutinefunction(listener):
            return [await listener(*arguments)]
        if inspect.isgeneratorfunction(listener):
            return list(listener(*arguments))
        return [listener(*arguments)]

    return asyncio.run(gather())


@pytest.mark.parametrize("listener", [plain, later, stepwise, awaited])
def test_names_become_components_whatever_kind_the_listener_is(listener: Callable[..., Any]) -> None:
    first, *more = answers(by_component(Layout, listener), False)
    assert first == {Layout.one: 1} and all(answer == gr.skip() for answer in more)
    with pytest.raises(UserError):
        answers(by_component(Layout, listener), True)


@pytest.mark.parametrize("listener", [plain, later, stepwise, awaited])
def test_an_error_becomes_a_sentence_whatever_kind_the_listener_is(listener: Callable[..., Any]) -> None:
    def shown(fails: bool) -> list[Any]:
        return answers(by_component(Layout, told_in("two")(listener)), fails)

    assert shown(False)[0] == {Layout.one: 1}
    (failed,) = shown(True)[0].items()
    assert failed[0] == Layout.two and "gs-failed" in failed[1]
