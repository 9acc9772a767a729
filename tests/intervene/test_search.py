"""The search over stories: what it chooses, on which prompts it reports, and the curated file."""

from collections.abc import Generator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from app.engine.engine import Engine
from app.intervene.__main__ import drawing_line, pair_lines
from app.intervene.pairs import make_pair
from app.intervene.patching import patch_heads, patch_map, patch_together
from app.intervene.search import Finding, Search, estimate, measure, search
from app.intervene.steps import run_to_end
from app.intervene.stories import DrawingStory, PairStory, Prompt, read_stories
from app.wording.errors import UserError


def prompts(templates: str, pairs: list[tuple[str, str]]) -> tuple[Prompt, ...]:
    return tuple(Prompt(t.replace("_", a), t.replace("_", b)) for t, (a, b) in product(templates.split(), pairs))


CHOOSE, FRESH = (
    prompts("_on _er _is", [("猫", "狗"), ("你", "他")]),
    prompts("_at _ог _茶", [("我", "他"), ("你", "我")]),
)
STORY = PairStory("toy", "zh", Prompt("猫on", "狗on"), CHOOSE, FRESH)


@pytest.fixture(scope="module")
def finding(tiny: Engine) -> Finding:
    return run_to_end(measure(tiny, STORY))


def test_what_is_chosen_comes_from_the_choosing_prompts(tiny: Engine, finding: Finding) -> None:
    reads = [make_pair(tiny, p.first, p.second) for p in CHOOSE]
    for expert, found in enumerate(finding.found):
        assert found is not None
        use = [read for read in reads if read.explained[expert]]
        moved = np.mean([np.diff(patch_map(read).effect[expert, :, -1]) for read in use], 0)
        assert found.layer == int(moved.argmax()) + 1
        heads = np.mean([patch_heads(read)[expert] for read in use], 0)
        best = sorted(product(range(3), range(4)), key=lambda at: -heads[at])[:2]
        assert found.heads == tuple((layer + 1, head) for layer, head in best)


def test_what_is_reported_comes_from_the_fresh_prompts(tiny: Engine, finding: Finding) -> None:
    reads = [make_pair(tiny, p.first, p.second) for p in FRESH]
    for expert, found in enumerate(finding.found):
        assert found is not None
        use = [read for read in reads if read.explained[expert]]
        path = np.mean([patch_map(read).effect[expert, :, -1] for read in use], 0)
        assert np.allclose(found.path, path, atol=2e-3)
        assert found.moved.count == len(use)
        assert found.moved.mean == pytest.approx(path[found.layer] - path[found.layer - 1], abs=2e-3)
        restored = np.mean([patch_together(read, found.heads)[expert] for read in use])
        assert found.restored is not None and found.restored.mean == pytest.approx(restored, abs=2e-3)
        assert found.nats == pytest.approx(np.mean([abs(np.diff(read.margins[expert])) for read in use]), abs=1e-3)


def test_in_a_large_network_no_heads_are_searched(
    tiny: Engine, finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.intervene.search.LARGE", 0)
    large = run_to_end(measure(tiny, STORY))
    for here, there in zip(large.found, finding.found, strict=True):
        assert here is not None and there is not None
        assert (here.heads, here.restored, here.by_chance) == ((), None, None)
        assert (here.layer, here.moved) == (there.layer, there.moved)
    assert "  " in pair_lines(large, tiny)[0]


def test_prompts_that_explain_nothing_are_counted_by_reason(tiny: Engine) -> None:
    odd = (Prompt("on猫", "on狗"), Prompt("on", "on"), Prompt("猫on", "猫猫on"))
    found = run_to_end(measure(tiny, replace(STORY, choose=odd, fresh=CHOOSE)))
    assert found.refused == {"trivial": 1, "patch_same": 1, "patch_lengths": 1}
    assert found.found == (None, None, None) and not found.offered


def test_another_prompt_opens_a_story_whose_own_explains_nothing(tiny: Engine, finding: Finding) -> None:
    assert finding.opening == STORY.opening
    found = run_to_end(measure(tiny, replace(STORY, opening=Prompt("on", "on"))))
    sizes = [float(np.abs(np.diff(make_pair(tiny, p.first, p.second).margins[-1])).max()) for p in CHOOSE]
    assert found.opening == CHOOSE[int(np.argmax(sizes))]


def test_a_search_goes_in_steps_and_can_be_closed(tiny: Engine) -> None:
    steps = list(search(tiny, [STORY, replace(STORY, key="again")]))
    shares = [share for share, _ in steps]
    assert shares == sorted(shares) and shares[-1] == 1 and len(steps) > len(CHOOSE) + len(FRESH)
    assert [found.story.key for _, found in steps if found is not None] == ["toy", "again"]
    run: Search = search(tiny, [STORY])
    next(run)
    run.close()
    with pytest.raises(StopIteration):
        next(run)


def test_a_closed_network_ends_the_search(tiny: Engine) -> None:
    closed = Engine(replace(tiny.bundle))
    stub: Any = type("Closed", (), {"shape": tiny.model.shape})()
    closed.model = stub
    with pytest.raises(UserError) as error:
        list(search(closed, [STORY]))
    assert error.value.code == "cannot_open"


def test_an_estimate_is_a_mean_with_its_bootstrap_interval() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.2, 200).astype(np.float32)
    found = estimate(values)
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean()) and found.count == 200
    assert found.low == pytest.approx(found.mean - error, abs=0.01)
    assert found.high == pytest.approx(found.mean + error, abs=0.01)


def test_rows_of_the_printed_table(tiny: Engine, finding: Finding) -> None:
    lines = pair_lines(finding, tiny)
    assert [line.split("|")[2].strip() for line in lines[:3]] == ["RU", "ZH", "fusion"]
    found = finding.found[0]
    assert found is not None and f"{found.moved.mean:.2f} ({found.moved.low:.2f}" in lines[0]
    line = drawing_line(tiny, DrawingStory("toy", "zh", "他喝了一", "喝", "开"))
    assert line.startswith("| 他喝了一: ") and "pixels" in line


def test_the_curated_stories_are_three_a_language_and_keep_prompts_apart() -> None:
    stories = read_stories()
    assert sorted(story.language for story in stories.pairs) == ["en"] * 3 + ["ru"] * 3 + ["zh"] * 3
    assert len({story.key for story in stories.pairs}) == len(stories.pairs)
    for story in stories.pairs:
        chosen = {prompt.first for prompt in (story.opening, *story.choose)}
        assert not chosen & {prompt.first for prompt in story.fresh}
        assert len(story.fresh) >= 6 and "{}" not in story.opening.first
    assert all(len(story.words) >= 6 for story in stories.exchanges) and len(stories.reference) >= 6


def test_finished_returns_what_a_run_in_steps_does() -> None:
    def steps() -> Generator[int, None, str]:
        yield 1
        return "done"

    assert run_to_end(steps()) == "done"
