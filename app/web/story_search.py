"""Which stories hold for a model, found behind the visitors' own work: prompt by prompt, each a job of its own, so that
nobody waits for more than one of them.  What was measured before on the same weights is read instead."""

import asyncio
import logging
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from app.engine.engine import Engine
from app.engine.fair_line import Visitor
from app.engine.job_queue import JobQueue
from app.intervene.record import read_record
from app.intervene.search import Finding, Search, search
from app.intervene.stories import read_stories
from app.wording.errors import UserError

NAME = "story search"
"""The visitor that these jobs are counted under."""
PAUSE_SECONDS = 1.0
"""Pause before the next attempt if too many wait."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class SearchState:
    """Of one model: what is found so far, the share that is done, and why it ended early, if it did."""

    findings: list[Finding] = field(default_factory=list)
    share: float = 0.0
    error: UserError | None = None
    task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        return self.share >= 1 or self.error is not None


class StorySearch:
    """One search a model, begun when somebody first opens the tab over it."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs
        self._states: WeakKeyDictionary[Engine, SearchState] = WeakKeyDictionary()

    def of(self, engine: Engine) -> SearchState:
        """How far the search over a model is; a model that was measured before is done at once."""
        if engine not in self._states:
            recorded = read_record(engine)
            found = SearchState() if recorded is None else SearchState(list(recorded), 1.0)
            self._states[engine] = found
        return self._states[engine]

    def start(self, engine: Engine) -> SearchState:
        """Start the search unless it was started; needs a running event loop."""
        state = self.of(engine)
        if not state.done and (state.task is None or state.task.done()):
            state.task = asyncio.get_running_loop().create_task(self.run(engine, state))
        return state

    async def run(self, engine: Engine, state: SearchState) -> None:
        """Search from the beginning to the end."""
        steps = search(engine, read_stories().pairs)
        state.findings.clear()
        try:
            while not state.done:
                await self._step(steps, state)
        except UserError as error:
            state.error = error
        except Exception:
            log.exception("the search for stories failed")
            state.error = UserError("busy")

    async def _step(self, steps: Search, state: SearchState) -> None:
        try:
            share, finding = await self._jobs.run(Visitor(session=NAME), lambda left: next(steps))
        except UserError as error:
            if error.code not in ("crowded", "hurried"):
                raise
            await asyncio.sleep(PAUSE_SECONDS)
            return
        if finding is not None:
            state.findings.append(finding)
        state.share = share
