"""Drawing a picture, on the page: its controls, and which listener answers what."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.intervene.stories import DrawingStory, read_stories
from app.web.assets import mount_script
from app.web.on_drawing import DrawingListeners
from app.web.patching_tab import Label
from app.wording.catalogue import say


@dataclass(frozen=True, eq=False)
class DrawingControls:
    """The components, from top to bottom; asked: the request that is on view."""

    asked: gr.State
    stories: list[gr.Button]
    text: gr.Textbox
    use: gr.Button
    fewest: gr.Button
    cancel: gr.Button
    status: gr.HTML
    editor: gr.HTML
    figure: gr.HTML
    flips: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, self.text, self.status, self.editor, self.figure, self.flips]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""
        stories: list[tuple[Any, Callable[[str], Any]]] = [
            (button, partial(story_button, story))
            for button, story in zip(self.stories, read_stories().drawings, strict=True)
        ]
        return [
            *stories,
            (self.text, lambda language: gr.update(label=say("draw_text", language))),
            (self.use, lambda language: say("draw_use", language)),
            (self.fewest, lambda language: say("flips_search", language)),
            (self.cancel, lambda language: say("cancel", language)),
        ]


def story_button(story: DrawingStory, language: str) -> str:
    """What the button of a story says: which picture becomes which in which text."""
    if story.drawn:
        return say("draw_story_typed", language, drawn=story.drawn, text=story.text)
    return say("draw_story", language, first=story.character, second=story.target, text=story.text)


def add_drawing() -> DrawingControls:
    """Build the instrument where the caller stands."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-examples"):
        stories = [gr.Button(story_button(story, "en"), size="sm", min_width=60) for story in read_stories().drawings]
    with gr.Row(elem_classes="gs-pair"):
        text = gr.Textbox(label=say("draw_text"), min_width=240, scale=4, max_lines=1, elem_id="draw-text")
        use = gr.Button(say("draw_use"), variant="primary", min_width=140, scale=1, elem_id="draw-use")
    editor = _html("editor", "drawing.js")
    with gr.Row(elem_classes="gs-pair"):
        fewest = gr.Button(say("flips_search"), min_width=200, scale=3, elem_id="draw-fewest")
        cancel = gr.Button(say("cancel"), min_width=80, scale=1, elem_id="draw-cancel")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="draw-status")
    flips, figure = _html("flips", "panel.js"), _html("drawing", "panel.js")
    return DrawingControls(asked, stories, text, use, fewest, cancel, status, editor, figure, flips)


def _html(name: str, script: str) -> gr.HTML:
    return gr.HTML("", html_template="${value}", js_on_load=mount_script(script), elem_id=name, elem_classes="gs-root")


def connect_drawing(page: DrawingControls, on: DrawingListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on([page.use.click, page.text.submit], on.on_text, [page.text, language], page.outputs, **hidden)
    for story, button in zip(read_stories().drawings, page.stories, strict=True):
        button.click(on.on_story(story), language, page.outputs, **hidden)
    asked = [page.asked, language]
    page.editor.select(on.on_ask, asked, page.outputs, **hidden)
    page.editor.input(on.on_stroke, asked, [page.status, page.figure], queue=False, trigger_mode="multiple", **hidden)
    page.fewest.click(on.on_fewest, asked, page.outputs, **hidden)
    page.cancel.click(on.on_cancel, None, None, queue=False, **hidden)
