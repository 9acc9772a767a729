"""A public endpoint whose arguments and result are described where callers look: gradio_client's `view_api`, the API
page, and the tools of an MCP server.

Gradio reads a function's types and the first lines of its docstring; here the sentences under `Args:` and `Returns:`
reach the callers too, with an example of each argument and of the result.
"""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import get_blocks_context
from gradio.utils import get_function_params, get_return_types
from gradio_client.utils import python_type_to_json_schema

from app.web.example_results import EXAMPLE_RESULTS
from app.wording.errors import UserError


def described_value(name: str, kind: Any, text: str, value: Any = None, example: Any = None) -> Api:
    """An argument or a result of an endpoint: its type, what it means, its default value, an example."""
    schema = {**python_type_to_json_schema(kind), "description": text, "additional_description": text}
    component = Api(value, schema, name)
    # Not a class of our own: for each of those Gradio writes a file for editors beside its module.
    setattr(component, "example_payload", lambda: value if example is None else example)  # noqa: B010
    return component


def add_endpoint(
    function: Callable[..., Any], example: Mapping[str, Any], others: Mapping[str, Any] | None = None
) -> None:
    """Add a function as the public endpoint of its name to the page whose context the caller is in.

    example: values of arguments for a call that works; others: of those that it leaves out.
    """
    shown = {**(others or {}), **example}
    described = sections(function)
    inputs = [
        described_value(name, kind, described["Args"][name], value if default else None, _shown(kind, shown.get(name)))
        for name, default, value, kind in get_function_params(function)
    ]
    returned = " ".join(described["Returns"].values())
    result = EXAMPLE_RESULTS[function.__name__]
    told = f"{returned} Shortened, with made-up numbers: {json.dumps(result, ensure_ascii=False)}"
    outputs = [described_value("result", kind, told, example=result) for kind in get_return_types(function)]
    block = get_blocks_context()
    assert block is not None, "endpoints are added within a page"
    block.set_event_trigger(
        [],
        with_plain_docstring(function, described),
        inputs,
        outputs,
        preprocess=False,
        postprocess=False,
        show_progress="hidden",
        api_name=function.__name__,
        api_description=f"{described['']['']} Example: {example_call(function.__name__, example)}. Returns: {returned}",
        concurrency_limit=None,
        api_visibility="public",
        trigger_mode=None,
    )


_WIDGETS = {"str": "Textbox", "int": "Number", "float": "Number"}
"""Python types -> what Gradio calls a field for them; any other type is written as JSON."""


def name_fields(demo: gr.Blocks) -> None:
    """On the API page and in `view_api` each argument stands in a field of the kind that it is written in; Gradio would
    say "Api component" of all of them."""
    inquire = demo.get_api_info

    def named(*arguments: Any, **options: Any) -> Any:
        info = inquire(*arguments, **options)
        for endpoint in info["named_endpoints"].values() if info else ():
            for value in (*endpoint["parameters"], *endpoint["returns"]):
                value["component"] = _WIDGETS.get(value["python_type"]["type"], "JSON")
        return info

    setattr(demo, "get_api_info", named)  # noqa: B010


def take_short_calls(demo: gr.Blocks) -> None:
    """Let callers of plain HTTP leave out the last arguments, as gradio_client does: their default values are used."""
    check = demo.validate_inputs

    def filled(function: Any, values: list[Any]) -> None:
        if function.api_visibility == "public":
            values.extend(getattr(argument, "value", None) for argument in function.inputs[len(values) :])
        check(function, values)

    setattr(demo, "validate_inputs", filled)  # noqa: B010


def with_gradio_errors(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The same function with our error for people as Gradio's, which reaches the caller with its message."""

    @wraps(function)
    async def answered(*arguments: Any, **named: Any) -> Any:
        try:
            return await function(*arguments, **named)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return answered


def sections(function: Callable[..., Any]) -> dict[str, dict[str, str]]:
    """The sections of a docstring: title -> name -> text in one line; in `Returns` one text, named ""."""
    found: dict[str, dict[str, str]] = {"": {}, "Args": {}, "Returns": {}}
    title = name = ""
    for line in (inspect.getdoc(function) or "").splitlines():
        if (head := re.fullmatch(r"(Args|Returns):", line)) is not None:
            title, name = head[1], ""
            continue
        text = line.strip()
        if title == "Args" and (begun := re.fullmatch(r" {4}(\w+): (.+)", line)) is not None:
            name, text = begun[1], begun[2]
        found[title][name] = f"{found[title].get(name, '')} {text}".strip()
    return found


def example_call(name: str, example: Mapping[str, Any]) -> str:
    """A call with gradio_client that works."""
    given = "".join(f"{argument}={_short(value)}, " for argument, value in example.items())
    return f'client.predict({given}api_name="/{name}")'


def _short(value: Any) -> str:
    """A value as Python writes it, a list of equal parts as a product."""
    alike = isinstance(value, list) and len(value) > 2 and all(part == value[0] for part in value)
    return f"[{value[0]!r}] * {len(value)}" if alike else repr(value)


def _shown(kind: Any, value: Any) -> Any:
    """An example as the API page writes it: it puts quotation marks only around what is a text and nothing else."""
    return [value] if isinstance(value, str) and kind is not str else value


def with_plain_docstring(
    function: Callable[..., Any], described: Mapping[str, Mapping[str, str]]
) -> Callable[..., Any]:
    """The same function with every argument described in one line: as far as Gradio reads it for MCP."""
    function.__doc__ = "\n".join(["Args:", *(f"    {name}: {text}" for name, text in described["Args"].items())])
    return function
