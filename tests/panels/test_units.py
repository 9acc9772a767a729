"""Every column of numbers that a panel saves has a unit, unless it is a count, a place or an identity."""

import base64
import gzip
import json
import re
from typing import Any

import numpy as np
import pytest

from app.engine.engine import Engine
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.wording.catalogue import speaker
from tests.intervene.tiny import tiny_engine
from viz.html import with_source
from viz.units import units_of

SAY = speaker("en")
UNITLESS = {"id", "position", "rank", "layer", "token"}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def saved(html: str) -> dict[str, Any]:
    packed = re.search(r"data-packed='([^']+)'", html)
    assert packed is not None
    facts: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    return facts


def test_numbers_have_units(engine: Engine) -> None:
    trace = engine.look("the cat do")
    for html in (
        glyph_view(engine, int(trace.ids[2]), SAY),
        experts_view(engine, trace, 2, 0.5, SAY),
        disagreement_view(engine, trace, 2, SAY),
        layers_view(engine, trace, 2, SAY),
        lens_view(engine, trace, 2, SAY),
        depth_view(engine, trace, 2, SAY),
    ):
        facts = saved(html)
        for name, values in facts["table"]["values"].items():
            if np.asarray(values).dtype.kind in "fi" and name not in UNITLESS:
                assert facts["units"].get(name), name


def test_patterns_and_names() -> None:
    assert units_of(["log_prob_RU", "text", "mass_han"]) == {
        "log_prob_RU": "nats (natural logarithm)",
        "mass_han": "probability of all tokens of a script, 0 to 1",
    }


def test_a_source_is_escaped_and_no_panel_has_none() -> None:
    html = with_source("<section class='gs-panel'></section>", {"text": "'><script>alert(1)</script>"})
    assert "<script" not in html and """data-about='{"text": "&#39;&gt;&lt;""" in html
    assert with_source("", {"text": "a"}) == ""
