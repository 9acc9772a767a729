"""Moving a state, on the page: its controls, and what answers them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.intervene.stories import read_stories
from app.panels.patching import story_label
from app.web.assets import mount_script
from app.web.on_patching import DIRECTIONS, PatchingListeners
from app.wording.catalogue import say

Label = tuple[Any, Callable[[str], Any]]
"""A component with words of its own, and how to say them in a language."""


@dataclass(frozen=True, eq=False)
class PatchingControls:
    """The components, from top to bottom; asked: the request that is on view."""

    asked: gr.State
    stories: list[gr.Button]
    first: gr.Textbox
    second: gr.Textbox
    answer: gr.Dropdown
    rival: gr.Dropdown
    direction: gr.Radio
    move: gr.Button
    cancel: gr.Button
    status: gr.HTML
    figure: gr.HTML
    cell: gr.HTML
    comparison: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        return [self.first, self.second, self.answer, self.rival, self.direction]

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, *self.inputs, self.status, self.figure, self.cell, self.comparison]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""

        def labelled(code: str) -> Callable[[str], Any]:
            return lambda language: gr.update(label=say(code, language))

        return [
            (self.first, labelled("lab_first")),
            (self.second, labelled("lab_second")),
            (self.answer, labelled("patch_first_answer")),
            (self.rival, labelled("patch_second_answer")),
            (self.direction, lambda language: gr.update(choices=directions(language))),
            (self.move, lambda language: say("patch_move", language)),
            (self.cancel, lambda language: say("cancel", language)),
        ]


def directions(language: str) -> list[tuple[str, str]]:
    """(label, value) of both directions."""
    return [
        (say(code, language), value) for code, value in zip(("patch_forward", "patch_back"), DIRECTIONS, strict=True)
    ]


def add_patching() -> PatchingControls:
    """Build the instrument where the caller stands, all but the comparison: the caller renders that in its place."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-examples"):
        stories = [gr.Button(story_label(story.opening), size="sm", min_width=60) for story in read_stories().pairs]
    with gr.Row(elem_classes="gs-pair"):
        first = gr.Textbox(label=say("lab_first"), min_width=240, elem_id="patch-first", max_lines=1)
        second = gr.Textbox(label=say("lab_second"), min_width=240, elem_id="patch-second", max_lines=1)
        answer = gr.Dropdown(
            [], label=say("patch_first_answer"), allow_custom_value=True, min_width=130, elem_id="patch-answer"
        )
        rival = gr.Dropdown(
            [], label=say("patch_second_answer"), allow_custom_value=True, min_width=130, elem_id="patch-rival"
        )
    with gr.Row(elem_classes="gs-pair"):
        direction = gr.Radio(
            directions("en"), value="forward", show_label=False, container=False, min_width=280,
            elem_id="patch-direction",
        )  # fmt: skip
        move = gr.Button(say("patch_move"), variant="primary", min_width=160, elem_id="patch-move")
        cancel = gr.Button(say("cancel"), min_width=130, scale=0, elem_id="patch-cancel")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="patch-status")
    figure, cell, comparison = (
        gr.HTML(
            "", html_template="${value}", js_on_load=mount_script(script), elem_id=name, elem_classes="gs-root",
            render=name != "comparison",
        )
        for name, script in (
            ("patching", "patching.js"), ("patch-cell", "patching.js"), ("comparison", "comparison.js"),
        )
    )  # fmt: skip
    return PatchingControls(
        asked, stories, first, second, answer, rival, direction, move, cancel, status, figure, cell, comparison
    )


def connect_patching(page: PatchingControls, on: PatchingListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on(
        [page.move.click, page.first.submit, page.second.submit, page.direction.input],
        on.on_move, [*page.inputs, language, page.asked], page.outputs, **hidden,
    )  # fmt: skip
    gr.on(
        [page.answer.input, page.rival.input],
        on.on_chosen, [*page.inputs, language, page.asked], page.outputs, **hidden,
    )  # fmt: skip
    for story, button in zip(read_stories().pairs, page.stories, strict=True):
        button.click(on.on_story(story), language, page.outputs, **hidden)
    # Answers belong to their texts: other texts begin with the model's own.  (Gradio tells of keys, not of pasting.)
    gr.on(
        [page.first.input, page.second.input], lambda: [None, None], None, [page.answer, page.rival], queue=False,
        **hidden,
    )  # fmt: skip
    page.figure.select(on.on_cell, [page.asked, language], page.cell, **hidden)
    page.figure.input(on.on_answer, [page.asked, language], page.outputs, **hidden)
    page.cancel.click(on.on_cancel, None, None, queue=False, **hidden)
