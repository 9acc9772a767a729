"""Between listeners and components: answers by name, and errors as sentences.

A listener answers with a dictionary {attribute of the layout: value}; what it leaves out stays as it is on the page.
Functions and generators, plain and asynchronous, are treated alike.
"""

import inspect
import logging
from collections.abc import Callable
from contextlib import aclosing
from functools import wraps
from typing import Any

import gradio as gr

from app.panels.status import status_html
from app.wording.catalogue import say
from app.wording.errors import UserError

Answer = dict[str, Any]

log = logging.getLogger(__name__)


def by_component(layout: Any, listener: Callable[..., Any]) -> Callable[..., Any]:
    """A listener as Gradio takes it: its answers by components instead of by their names."""

    def translated(answer: Answer) -> Any:
        return {getattr(layout, name): value for name, value in answer.items()} or gr.skip()

    return ended_by_nothing(_around(listener, translated, None))


def properties(value: Any) -> Answer:
    """What a value of an answer changes of a component."""
    if isinstance(value, dict) and value.get("__type__") == "update":
        return {name: part for name, part in value.items() if name != "__type__"}
    return {"value": value}


def ended_by_nothing(listener: Callable[..., Any]) -> Callable[..., Any]:
    """A listener that answers in steps, with one more step that changes nothing: when it has ended, Gradio sends its
    last answer again, whole panels that the page has already."""

    @wraps(listener)
    async def longer(*arguments: Any) -> Any:
        async with aclosing(listener(*arguments)) as answers:
            async for answer in answers:
                yield answer
        yield gr.skip()

    return longer if inspect.isasyncgenfunction(listener) else listener


_LATER = {"crowded", "hurried", "cancelled"}
"""Errors that are not about what was asked: the same will be answered later."""


def told_in(line: str, refused: Answer | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: an error becomes a sentence in the component of this name. A listener's last argument is the
    language.  refused: what else the answer holds when the input itself is refused, so that nothing of an earlier one
    stands under it."""

    def failed(error: Exception, language: Any) -> Answer:
        about_input = isinstance(error, UserError) and error.code not in _LATER
        return {**((refused or {}) if about_input else {}), line: failure_html(error, language)}

    def decorated(listener: Callable[..., Any]) -> Callable[..., Any]:
        return _around(listener, lambda answer: answer, failed)

    return decorated


def failure_html(error: Exception, language: Any) -> str:
    """The sentence about an error; an error that is not meant for visitors is logged and gets a general sentence."""
    if isinstance(error, UserError):
        return status_html(say(error.code, str(language), **error.values), failed=True)
    log.error("a listener failed", exc_info=error)
    return status_html(say("busy", str(language)), failed=True)


def _around(
    listener: Callable[..., Any], change: Callable[[Answer], Any], failed: Callable[[Exception, Any], Answer] | None
) -> Callable[..., Any]:
    """A listener of the same kind whose answers are changed, and whose errors are answers if there is `failed`."""

    def failure(error: Exception, arguments: tuple[Any, ...]) -> Any:
        if failed is None:
            raise error
        return failed(error, arguments[-1])

    @wraps(listener)
    def plain(*arguments: Any) -> Any:
        try:
            return change(listener(*arguments))
        except Exception as error:
            return failure(error, arguments)

    @wraps(listener)
    async def later(*arguments: Any) -> Any:
        try:
            return change(await listener(*arguments))
        except Exception as error:
            return failure(error, arguments)

    @wraps(listener)
    def stepwise(*arguments: Any) -> Any:
        try:
            for answer in listener(*arguments):
                yield change(answer)
        except Exception as error:
            yield failure(error, arguments)

    @wraps(listener)
    async def awaited(*arguments: Any) -> Any:
        try:
            async with aclosing(listener(*arguments)) as answers:  # one who leaves frees the model at once
                async for answer in answers:
                    yield change(answer)
        except Exception as error:
            yield failure(error, arguments)

    if inspect.isasyncgenfunction(listener):
        return awaited
    if inspect.iscoroutinefunction(listener):
        return later
    return stepwise if inspect.isgeneratorfunction(listener) else plain
