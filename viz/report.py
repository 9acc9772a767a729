"""What was found out about a model that is not ours: a list of names and sentences."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from viz.html import Say, panel


def report_panel(rows: Sequence[tuple[str, str]], facts: Mapping[str, Any], summary: str, say: Say) -> str:
    """One line a fact; facts: the same as data."""
    cells = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    body = f"<div class='gs-scroll gs-report' tabindex='0'><table><tbody>{cells}</tbody></table></div>"
    return panel(say, "report", body, summary, dict(facts))
