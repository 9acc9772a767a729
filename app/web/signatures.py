"""Signatures of Gradio's components, found once: it asks for them again whenever it describes a component, hundreds of
times for a page that is built, for every visitor who comes, and for every component that an answer changes."""

import inspect
from collections.abc import Iterator
from typing import Any

from gradio.blocks import Block


def remember_signatures() -> None:
    """Have `inspect.signature` find the constructors' signatures where PEP 362 has it look first."""
    for kind in _kinds(Block):
        function = inspect.unwrap(kind.__init__)
        if inspect.isfunction(function):
            function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]


def _kinds(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
