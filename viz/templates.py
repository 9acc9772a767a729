"""HTML from the Jinja2 templates in `templates/`: what is put in is escaped, unless it is `Markup` or marked `safe`."""

import re
from collections.abc import Callable, MutableMapping
from html import escape as html_escaped
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.ext import Extension
from markupsafe import Markup, escape

from viz.tokens import picture, picture_with_cells, token, visible

_BREAKS = re.compile(r"(?<=[>}])\s*\n\s*(?=[<{])")


class _WithoutBreaks(Extension):
    """Templates have a line for each tag; pages need not carry the breaks between tags, which are spaces there."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _BREAKS.sub("", source).strip()


class _Template(Template):
    """A template that escapes with `escaped`."""

    @classmethod
    def _from_namespace(
        cls, environment: Environment, namespace: MutableMapping[str, Any], globals: MutableMapping[str, Any]
    ) -> Template:
        namespace["escape"] = escaped
        return super()._from_namespace(environment, namespace, globals)


def escaped(value: object) -> str:
    """What markupsafe's `escape` gives, which wraps markup once more and asks even numbers and plain words for their
    markup: a strip of a hundred chips is drawn in four fifths of the time."""
    if type(value) is Markup or (type(value) is str and value.isalnum()):  # nothing in it to escape
        return value
    return str(value) if type(value) is int else escape(value)


def single_quoted(value: str) -> Markup:
    """A value for an attribute in single quotes: JSON, half of which is double quotes, stays as short as it is."""
    return Markup(html_escaped(value, quote=False).replace("'", "&#39;"))


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
    templates.template_class = _Template
    templates.filters.update(visible=visible, token=token, picture=picture, picture_with_cells=picture_with_cells)
    templates.filters.update(single_quoted=single_quoted)

    def rendered(name: str, /, **values: Any) -> str:
        """A template filled in; a value that it asks for and is not given is an error.  Read once, at its first use."""
        return templates.get_template(name).render(values)

    return rendered


rendered = renderer(Path(__file__).with_name("templates"))
