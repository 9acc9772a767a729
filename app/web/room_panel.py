"""The classroom in the page: the teacher's panel, and which questions its rooms ask."""

import gradio as gr

from app.engine.fair_line import NOBODY
from app.engine.job_queue import JobQueue
from app.lesson import Question, questions
from app.models import LoadedModel, ModelRegistry
from app.web.assets import mount_script
from app.web.room_api import Questions
from app.web.room_pages import room_html

WAITING = 12
"""Rooms whose questions are computed or waited for at once."""


def add_room() -> gr.HTML:
    """The component; what is in it comes with the page's other words, `room_view`."""
    script = mount_script("room.js")
    return gr.HTML("", html_template="${value}", js_on_load=script, elem_id="room-panel", elem_classes="gs-root")


def room_view(model: LoadedModel, language: str) -> str:
    """The panel over a model, in a language."""
    return room_html(model.key, language)


def lesson_questions(registry: ModelRegistry) -> Questions:
    """The lesson's questions over the model of a key, or over the one that all see if it is not loaded any more."""
    jobs = JobQueue(WAITING, WAITING)  # its own: what opens a room has no session

    async def asked(key: str, language: str) -> list[Question]:
        model = dict(registry.loaded).get(key) or registry.of("")
        return await jobs.run(NOBODY, lambda left: questions(model, language))

    return asked
