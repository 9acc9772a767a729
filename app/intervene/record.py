"""What the stories gave on the bundled network, measured once and shipped: `assets/stories_measured.json`.

It is used only over the very weights and stories that it was measured on; over others the search runs.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.engine.engine import Engine
from app.intervene.pairs import LARGE
from app.intervene.search import Estimate, Finding, Found
from app.intervene.stories import STORIES, PairStory, Prompt, read_stories
from app.network.experts import StackedExperts

RECORD = STORIES.with_name("stories_measured.json")


def measured_on(engine: Engine) -> str:
    """What tells a network and the pair stories from others; empty for networks that are not ours, or large."""
    if not isinstance(engine.model, StackedExperts) or engine.model.trained > LARGE:
        return ""
    digest = hashlib.sha256(repr(read_stories().pairs).encode())
    for _, weight in sorted(engine.model.state_dict().items()):
        digest.update(weight.detach().contiguous().float().numpy().tobytes())
    return digest.hexdigest()


def write_record(engine: Engine, findings: Sequence[Finding], path: Path = RECORD) -> None:
    """Keep what was measured on a network."""
    record = {"of": measured_on(engine), "pairs": [plain_finding(finding) for finding in findings]}
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_record(engine: Engine, path: Path = RECORD) -> tuple[Finding, ...] | None:
    """What was measured on this network; None where it was another, or the stories were others."""
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if (of := measured_on(engine)) != record["of"] or not of:
        return None
    stories = {story.key: story for story in read_stories().pairs}
    return tuple(finding_of(stories[plain["key"]], plain) for plain in record["pairs"])


def plain_finding(finding: Finding) -> dict[str, Any]:
    """A finding as JSON takes it."""
    opening = finding.opening
    return {
        "key": finding.story.key,
        "opening": None if opening is None else [opening.first, opening.second, list(opening.answers or ())],
        "offered": finding.offered,
        "refused": finding.refused,
        "found": [None if found is None else _plain_found(found) for found in finding.found],
    }


def finding_of(story: PairStory, plain: dict[str, Any]) -> Finding:
    """The reverse of `plain_finding`."""
    opening = None
    if plain["opening"] is not None:
        first, second, answers = plain["opening"]
        opening = Prompt(first, second, (answers[0], answers[1]) if answers else None)
    found = tuple(None if one is None else _found_of(one) for one in plain["found"])
    return Finding(story, found, opening, bool(plain["offered"]), dict(plain["refused"]))


def _plain_found(found: Found) -> dict[str, Any]:
    estimates = {name: getattr(found, name) for name in ("moved", "restored", "by_chance")}
    return {
        "nats": round(found.nats, 4),
        "layer": found.layer,
        "path": np.round(found.path.astype(float), 4).tolist(),
        "heads": [list(head) for head in found.heads],
        **{
            name: None if e is None else [round(e.mean, 4), round(e.low, 4), round(e.high, 4), e.count]
            for name, e in estimates.items()
        },
    }


def _found_of(plain: dict[str, Any]) -> Found:
    moved, restored, by_chance = (
        None if plain[name] is None else Estimate(*plain[name]) for name in ("moved", "restored", "by_chance")
    )
    assert moved is not None
    heads = tuple((int(layer), int(head)) for layer, head in plain["heads"])
    path = np.array(plain["path"], np.float32)
    return Found(plain["nats"], plain["layer"], moved, path, heads, restored, by_chance)
