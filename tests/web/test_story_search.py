"""The search behind other work: what it finds, that it makes way, and that a record stands for these weights only."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.engine.fair_line import Visitor
from app.engine.job_queue import JobQueue
from app.intervene.record import RECORD, finding_of, measured_on, plain_finding, read_record, write_record
from app.intervene.search import Finding, search
from app.intervene.stories import PairStory, read_stories
from app.web.findings_tab import FindingsListeners
from app.web.story_search import StorySearch
from app.wording.catalogue import say
from tests.intervene.test_search import STORY
from tests.intervene.tiny import tiny_engine

REQUEST: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture
def engine() -> Engine:
    return tiny_engine()


@pytest.fixture(autouse=True)
def one_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.story_search.read_stories", lambda: SimpleNamespace(pairs=(STORY,)))


async def finished(searching: StorySearch, engine: Engine) -> None:
    task = searching.start(engine).task
    assert task is not None
    await task


def test_it_finds_what_the_search_finds(engine: Engine) -> None:
    searching = StorySearch(JobQueue())
    asyncio.run(finished(searching, engine))
    state = searching.of(engine)
    (expected,) = [finding for _, finding in search(engine, [STORY]) if finding is not None]
    assert state.done and [plain_finding(f) for f in state.findings] == [plain_finding(expected)]


def test_a_visitors_job_waits_for_one_step_at_most(engine: Engine) -> None:
    jobs = JobQueue()
    searching = StorySearch(jobs)

    async def beside() -> tuple[float, bool]:
        state = searching.start(engine)
        while state.share == 0:
            await asyncio.sleep(0.001)
        before = state.share
        await jobs.run(Visitor("", "visitor"), lambda left: None)
        steps = (state.share - before) * (1 + len(STORY.choose) + len(STORY.fresh))
        done = state.done
        assert state.task is not None
        await state.task
        return steps, done

    steps, done = asyncio.run(beside())
    assert steps <= 2 and not done


def test_the_table_follows_the_search_and_says_when_nothing_is_found(engine: Engine) -> None:
    searching = StorySearch(JobQueue())
    registry: Any = SimpleNamespace(of=lambda visitor: SimpleNamespace(engine=engine))
    on = FindingsListeners(registry, searching)

    async def watched() -> list[list[Any]]:
        first = await anext(on.on_opening("en", REQUEST))
        task = searching.of(engine).task
        assert task is not None
        await task
        return [first, await on.on_tick("en", REQUEST)]

    first, last = asyncio.run(watched())
    assert first[1].active and "<progress" in first[2] and say("found_none_yet", "en") in first[2]
    assert not last[1].active and "<progress" not in last[2]
    (found,) = searching.of(engine).findings
    if found.offered:
        assert "data-pin='0'" in last[2] and "1 of 1" in last[2]
    else:
        assert say("found_none", "en") in last[2]


def test_a_closed_network_is_a_sentence(engine: Engine) -> None:
    closed: Any = type("Closed", (), {"shape": engine.model.shape, "trained": 1})()
    engine.model = closed
    searching = StorySearch(JobQueue())
    registry: Any = SimpleNamespace(of=lambda visitor: SimpleNamespace(engine=engine))
    asyncio.run(finished(searching, engine))
    shown = asyncio.run(FindingsListeners(registry, searching).on_tick("en", REQUEST))
    assert "runs by its own code" in shown[2] and not shown[1].active


def test_a_record_is_read_for_its_weights_only(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    story = read_stories().pairs[0]
    findings = [f for _, f in search(engine, [STORY]) if f is not None]
    write_record(engine, [Finding(story, *_rest(findings[0]))], path)
    again = read_record(engine, path)
    assert again is not None and again[0].story is story and again[0].offered == findings[0].offered
    for kept, found in zip(again[0].found, findings[0].found, strict=True):
        assert kept is not None and found is not None
        assert kept.heads == found.heads and np.allclose(kept.path, found.path, atol=1e-4)
        assert kept.moved.mean == pytest.approx(found.moved.mean, abs=1e-4) and kept.moved.count == found.moved.count
    other = tiny_engine()
    next(iter(other.model.parameters())).data.add_(1)  # type: ignore[attr-defined]
    assert read_record(other, path) is None and read_record(engine, tmp_path / "none.json") is None


def _rest(finding: Finding) -> tuple[Any, ...]:
    return finding.found, finding.opening, finding.offered, finding.refused


def test_what_is_shipped_was_measured_on_the_shipped_weights_and_stories() -> None:
    engine, record = Engine(load_bundle(MINI)), json.loads(RECORD.read_text(encoding="utf-8"))
    assert record["of"] == measured_on(engine), "measure anew: python -m app.intervene --save"
    stories: dict[str, PairStory] = {story.key: story for story in read_stories().pairs}
    found = [finding_of(stories[plain["key"]], plain) for plain in record["pairs"]]
    assert [f.story.key for f in found] == list(stories)
    offered = [f.story.language for f in found if f.offered]
    assert {language: offered.count(language) for language in ("en", "ru", "zh")} == {"en": 3, "ru": 3, "zh": 3}
