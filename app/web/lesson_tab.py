"""The tab "Lesson": its controls, and what answers them."""

import threading
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.engine.job_queue import JobQueue
from app.lesson.lesson import made_steps, make_step
from app.lesson.progress import Progress
from app.models import LoadedModel, ModelRegistry
from app.panels.lesson import is_ready, lesson_view
from app.web.answers import failure_html
from app.web.assets import mount_script
from app.web.visitor import model_of, visitor_of

HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
"""Options of every listener: the queue of the jobs limits them, not Gradio's."""


@dataclass(frozen=True, eq=False)
class LessonTab:
    """room: an empty place at the top, for the panel of a class; progress: the visitor's, None before it is opened."""

    room: gr.Column
    progress: gr.State
    status: gr.HTML
    lesson: gr.HTML
    listeners: "LessonListeners"

    @property
    def outputs(self) -> list[Any]:
        return [self.progress, self.status, self.lesson]


class LessonListeners:
    """Answers to what a visitor does in the lesson."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs

    async def on_first(self, progress: Progress | None, language: str, request: gr.Request) -> list[Any]:
        """The tab is opened: the first time, it shows its first step."""
        return [gr.skip()] * 3 if progress is not None else await self._show(Progress(), language, request)

    async def on_shown(self, tab: Any, progress: Progress | None, language: str, request: gr.Request) -> list[Any]:
        """The shown tab has changed, by an address for example; fill this one if it is shown."""
        return await self.on_first(progress, language, request) if tab == "lesson" else [gr.skip()] * 3

    async def on_anew(self, progress: Progress | None, language: str, request: gr.Request) -> list[Any]:
        """Another language or model: other questions, so the answers do not hold; nothing while it was never opened."""
        return [gr.skip()] * 3 if progress is None else await self._show(Progress(progress.at), language, request)

    async def on_act(
        self, progress: Progress | None, language: str, event: gr.EventData, request: gr.Request
    ) -> list[Any]:
        """An answer, or another step."""
        sent: dict[str, Any] = event._data if isinstance(event._data, dict) else {}
        known = progress or Progress()
        model = model_of(request, self.registry)
        if "question" in sent:
            step = made_steps(model, language).get(known.key or "")
            return await self._show(
                known if step is None else known.answered(step, sent["question"], sent.get("option")), language, request
            )
        if "again" in sent:
            return await self._show(Progress(), language, request)
        if "next" in sent:
            return await self._show(known.moved(known.at + 1), language, request, skip=True)
        return await self._show(known.moved(sent.get("goto")), language, request)

    async def on_ahead(self, progress: Progress | None, language: str, request: gr.Request) -> None:
        """The next step is computed while the visitor looks at this one."""
        ahead = None if progress is None else progress.moved(progress.at + 1).key
        model = model_of(request, self.registry)
        if ahead is None or ahead in made_steps(model, language):
            return
        try:
            await self.jobs.run(visitor_of(request), lambda left: make_step(model, language, ahead))
        except Exception as error:  # the visitor is told when the step is asked for
            failure_html(error, language)

    async def _show(self, progress: Progress, language: str, request: gr.Request, skip: bool = False) -> list[Any]:
        """The panel; where it fails, the sentence in the place of the status.  skip: pass by what is left out."""
        model = model_of(request, self.registry)

        def job(left: threading.Event | None = None) -> list[Any]:
            there = present(model, progress, language) if skip else progress
            return [there, "", lesson_view(model, there, language)]

        try:
            if is_ready(model, progress, language) and not skip:
                return job()
            return await self.jobs.run(visitor_of(request), job)
        except Exception as error:
            return [gr.skip(), failure_html(error, language), gr.skip()]


def present(model: LoadedModel, progress: Progress, language: str) -> Progress:
    """The first step from here on that this model shows."""
    while progress.key is not None and make_step(model, language, progress.key) is None:
        progress = progress.moved(progress.at + 1)
    return progress


def add_lesson_tab(registry: ModelRegistry, jobs: JobQueue) -> LessonTab:
    """Build the content of the tab where the caller stands."""
    room = gr.Column(elem_id="room")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="lesson-status")
    lesson = gr.HTML(
        "", html_template="${value}", js_on_load=mount_script("lesson.js"), elem_id="lesson", elem_classes="gs-root"
    )
    return LessonTab(room, gr.State(None), status, lesson, LessonListeners(registry, jobs))


def connect_lesson_tab(page: LessonTab, own: gr.Tab, shown: gr.State, language: gr.Radio, on_view: gr.State) -> None:
    """Join controls and listeners, inside the page's `Blocks`; arguments as of `connect_break_tab`."""
    on, asked = page.listeners, [page.progress, language]
    events = (
        own.select(on.on_first, asked, page.outputs, **HIDDEN),
        shown.change(on.on_shown, [shown, *asked], page.outputs, **HIDDEN),
        language.input(on.on_anew, asked, page.outputs, **HIDDEN),
        on_view.change(on.on_anew, asked, page.outputs, **HIDDEN),
        page.lesson.select(on.on_act, asked, page.outputs, **HIDDEN),
    )
    for event in events:
        event.then(on.on_ahead, asked, None, **HIDDEN)
