"""Which stories hold on fresh prompts: a table with intervals, and what to open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from viz.html import Say, panel
from viz.templates import rendered

Interval = tuple[float, float, float]
"""A mean and the bounds of its 95 % interval."""


@dataclass(frozen=True)
class FoundLine:
    """What holds for one expert, or the fusion.  nats: mean change of the margin; block: through which most of it
    reaches the last position; moved: how much of it does.  heads: the two chosen, (block, head); restored, by_chance:
    what they restore, and what two random heads do; None where heads were not searched.  prompts: how many fresh."""

    name: str
    side: str
    nats: float
    block: int
    moved: Interval
    heads: tuple[tuple[int, int], ...]
    restored: Interval | None
    by_chance: Interval | None
    prompts: int


@dataclass(frozen=True)
class FoundStory:
    """label: both texts in one line, None where nothing opens it; offered: whether what was chosen is large."""

    label: str | None
    offered: bool
    lines: tuple[FoundLine, ...]


def findings_panel(stories: Sequence[FoundStory], share: float, failed: str, say: Say) -> str:
    """The table; share: of the search that is done; failed: the sentence that ended it, if one did."""
    codes = ("found_story", "found_source", "found_nats", "found_moved", "found_heads", "found_chance")
    body = rendered(
        "findings.html",
        say=say,
        searching=share < 1 and not failed,
        share=f"{share:.2f}",
        columns=[say(code) for code in codes],
        stories=[
            (number, story.label or "–", [_line(line, say) for line in story.lines])
            for number, story in enumerate(stories)
            if story.offered
        ],
    )
    return panel(say, "findings", body, failed or findings_summary(stories, share, say))


def findings_summary(stories: Sequence[FoundStory], share: float, say: Say) -> str:
    """How many of the stories hold for this model."""
    offered = sum(story.offered for story in stories)
    if not offered:
        return say("found_none") if share >= 1 else say("found_none_yet")
    return say("found_summary", offered=offered, total=len(stories))


def _line(line: FoundLine, say: Say) -> dict[str, Any]:
    """What holds for one expert, in words and numbers; a press on the story's name opens it above."""
    return {
        "name": line.name,
        "side": line.side,
        "nats": say.number(line.nats, 1),
        "moved": _interval(line.moved, say),
        "where": say("found_block", block=line.block, prompts=line.prompts),
        "restored": None if line.restored is None else _interval(line.restored, say),
        "heads": ", ".join(f"{block}.{head}" for block, head in line.heads),
        "by_chance": None if line.by_chance is None else _interval(line.by_chance, say),
    }


def _interval(value: Interval, say: Say) -> list[str]:
    return [say.number(0.0 if abs(v) < 0.005 else v, 2) for v in value]
