"""What was found out about a model that is not ours: a list of names and sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from viz.html import Say, panel
from viz.templates import rendered


def report_panel(rows: Sequence[tuple[str, str]], facts: Mapping[str, Any], summary: str, say: Say) -> str:
    """One line a fact; facts: the same as data."""
    return panel(say, "report", rendered("report.html", rows=rows), summary, dict(facts))
