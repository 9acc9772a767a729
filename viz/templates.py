"""HTML from the Jinja2 templates in `templates/`: what is put in is escaped, unless it is `Markup` or marked `safe`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension

from viz.tokens import picture, picture_with_cells, token, visible

_BREAKS = re.compile(r"(?<=[>}])\s*\n\s*(?=[<{])")


class _WithoutBreaks(Extension):
    """Templates have a line for each tag; pages need not carry the breaks between tags, which are spaces there."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _BREAKS.sub("", source).strip()


def renderer(folder: Path) -> Callable[..., str]:
    """`rendered(name, **values)` over the templates of a folder."""
    templates = Environment(
        loader=FileSystemLoader(folder),
        extensions=[_WithoutBreaks],
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(visible=visible, token=token, picture=picture, picture_with_cells=picture_with_cells)

    def rendered(name: str, /, **values: Any) -> str:
        """A template filled in; a value that it asks for and is not given is an error.  Read once, at its first use."""
        return templates.get_template(name).render(values)

    return rendered


rendered = renderer(Path(__file__).with_name("templates"))
