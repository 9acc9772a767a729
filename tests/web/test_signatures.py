"""Signatures that are found once are those that `inspect` finds."""

import inspect

import gradio as gr
import pytest

from app.web.signatures import remember_signatures


@pytest.mark.parametrize("kind", [gr.HTML, gr.Textbox, gr.Button, gr.State, gr.Row, gr.Tab, gr.Blocks])
def test_a_kept_signature_is_the_real_one(kind: type) -> None:
    remember_signatures()
    function = inspect.unwrap(kind.__init__)  # type: ignore[misc]
    kept, arguments = function.__signature__, inspect.getfullargspec(function)  # type: ignore[attr-defined]
    assert inspect.signature(kind.__init__) is kept  # type: ignore[misc]
    try:
        del function.__signature__  # type: ignore[attr-defined]
        assert inspect.signature(function) == kept and inspect.getfullargspec(function) == arguments
    finally:
        function.__signature__ = kept  # type: ignore[attr-defined]
