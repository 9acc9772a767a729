"""Text from outside is shown as text in every panel."""

from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup, escape

from app.engine.engine import Engine
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.strip import strip_view, writing_view
from app.wording.catalogue import speaker
from tests.support.html import HOSTILE, Reader
from viz.glyphs import GlyphCard, Meanings, Neighbour, glyph_panel
from viz.strip import STRIP_MEASURES, Chip, strip
from viz.templates import renderer, single_quoted
from viz.tokens import token, visible

SAY = speaker("en")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_markup(text: str) -> None:
    bitmap = np.eye(32, dtype=bool)
    chip = strip([Chip(1, text, bitmap, 0.5, True)], 1, STRIP_MEASURES["preference"], ("RU", "ZH"), SAY)
    near = (Neighbour(2, text, bitmap, 0.5),)
    words = Meanings(("RU", "ZH"), ((near, near), (near, near)), 0, 9)
    card = GlyphCard(1, text, "latin", ("U+0041 A",), bitmap, bitmap, (0.5,), near, 0.9, 32, 64, words)
    for html in (chip, glyph_panel(card, SAY), token(text)):
        reader = Reader(html)
        assert visible(text) in reader.text
        assert not {"script", "b"} & {tag for tag, _ in reader.tags}
        assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)


@pytest.mark.parametrize("text", [*HOSTILE, "&#39;'&quot;\"<p>"])
def test_an_attribute_in_single_quotes_holds_any_text(text: str) -> None:
    ((tag, attributes),) = Reader(f"<p data-text='{single_quoted(text)}'>").tags
    assert (tag, attributes) == ("p", {"data-text": text})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_prompts_pass_through_every_panel(engine: Engine, text: str) -> None:
    trace = engine.look("cat " + text)
    for html in (
        strip_view(engine, trace, 1, SAY),
        writing_view(engine, engine.encode("cat " + text), [(5, 0.1)], SAY),
        glyph_view(engine, int(trace.ids[-1]), SAY),
        experts_view(engine, trace, len(trace) - 1, 0.5, SAY),
        disagreement_view(engine, trace, 1, SAY),
        layers_view(engine, trace, 1, SAY),
        lens_view(engine, trace, 1, SAY),
        depth_view(engine, trace, len(trace) - 1, SAY),
    ):
        tags = {tag for tag, _ in Reader(html).tags}
        assert not {"script", "b", "iframe"} & tags


def test_whitespace_and_controls_are_visible() -> None:
    assert visible(" a\n\t") == "␣a⏎⇥" and visible("\u202e\u0000") == "U+202EU+0000"


class Own:
    def __html__(self) -> str:
        return "<b>own</b>"


@pytest.mark.parametrize(
    "value",
    ["<a href='x'>&\"", "plain", "два2", "", 0, -7, True, 2.5, None, np.int64(3), Markup("<i>&amp;</i>"), Own()],
)
def test_templates_escape_as_markupsafe_does(tmp_path: Path, value: object) -> None:
    """A macro's result is markup, which is not escaped again."""
    (tmp_path / "x.html").write_text("{% macro twice(v) %}{{ v }}|{{ v }}{% endmacro %}{{ value }}|{{ twice(value) }}")
    assert renderer(tmp_path)("x.html", value=value) == "|".join([escape(value)] * 3)
