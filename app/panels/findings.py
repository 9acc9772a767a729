"""Which stories hold on fresh prompts: from findings to their table."""

from collections.abc import Sequence

from app.intervene.search import Estimate, Finding
from app.panels.patching import story_label
from viz.findings import FoundLine, FoundStory, Interval, findings_panel
from viz.html import Say, sides


def findings_view(experts: tuple[str, ...], findings: Sequence[Finding], share: float, failed: str, say: Say) -> str:
    """The table of what a search has found so far."""
    return findings_panel([_story(experts, finding, say) for finding in findings], share, failed, say)


def _story(experts: tuple[str, ...], finding: Finding, say: Say) -> FoundStory:
    names, classes = (*experts, say("fused")), (*sides(len(experts)), "fused")
    lines = tuple(
        FoundLine(
            name=name,
            side=side,
            nats=found.nats,
            block=found.layer,
            moved=_interval(found.moved),
            heads=found.heads,
            restored=None if found.restored is None else _interval(found.restored),
            by_chance=None if found.by_chance is None else _interval(found.by_chance),
            prompts=found.moved.count,
        )
        for name, side, found in zip(names, classes, finding.found, strict=True)
        if found is not None
    )
    label = None if finding.opening is None else story_label(finding.opening)
    return FoundStory(label, finding.offered, lines)


def _interval(value: Estimate) -> Interval:
    return value.mean, value.low, value.high
