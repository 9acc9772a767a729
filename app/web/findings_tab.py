"""Which stories hold for the model on view: a table that fills while the search runs behind other work."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.engine.engine import Engine
from app.models import ModelRegistry
from app.panels.findings import findings_view
from app.web.assets import mount_script
from app.web.on_patching import PatchingListeners
from app.web.opening import Answers
from app.web.patching_tab import Label, PatchingControls
from app.web.story_search import StorySearch
from app.web.visitor import model_of
from app.wording.catalogue import say, speaker

EVERY_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class FindingsControls:
    """asked: whether the tab was opened; timer: looks again while a search runs."""

    asked: gr.State
    timer: gr.Timer
    figure: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, self.timer, self.figure]

    def labels(self) -> list[Label]:
        return []


def add_findings() -> FindingsControls:
    """Build the table where the caller stands."""
    figure = gr.HTML(
        "", html_template="${value}", js_on_load=mount_script("panel.js"), elem_id="findings", elem_classes="gs-root"
    )
    return FindingsControls(gr.State(None), gr.Timer(EVERY_SECONDS, active=False), figure)


class FindingsListeners:
    """Answers of the table."""

    def __init__(self, registry: ModelRegistry, search: StorySearch) -> None:
        self.registry, self.search = registry, search

    async def on_opening(self, language: str, request: gr.Request) -> Answers:
        """The search begins where nothing is known yet."""
        yield self._shown(language, request)

    async def on_again(self, asked: bool, language: str, request: gr.Request) -> Answers:
        """The same in another language."""
        yield self._shown(language, request)

    async def on_tick(self, language: str, request: gr.Request) -> list[Any]:
        """The search has gone on."""
        return self._shown(language, request)

    def _shown(self, language: str, request: gr.Request) -> list[Any]:
        engine: Engine = model_of(request, self.registry).engine
        state = self.search.start(engine)
        failed = "" if state.error is None else say(state.error.code, language, **state.error.values)
        figure = findings_view(engine.bundle.experts, state.findings, state.share, failed, speaker(language))
        return [True, gr.Timer(EVERY_SECONDS, active=not state.done), figure]


def connect_findings(
    page: FindingsControls, on: FindingsListeners, patching: PatchingControls, moving: PatchingListeners,
    language: gr.Radio,
) -> None:  # fmt: skip
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    page.timer.tick(on.on_tick, language, page.outputs, **hidden)
    page.figure.select(moving.on_found, language, patching.outputs, **hidden)
