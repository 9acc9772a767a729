"""The laboratory: two pictures compared."""

import re

import pytest

from app.engine.engine import Engine
from app.panels.lab import lab_view
from app.substrate.pictures import legible
from app.substrate.plain_text import plain_text
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.support.html import HOSTILE, Reader
from viz.tokens import visible

SAY = speaker("en")


def test_laboratory_tells_one_picture_from_look_alikes(engine: Engine) -> None:
    same = lab_view(engine, "A", "А", SAY)
    assert "the same picture" in same and "cosine 1.000" in same
    alike = lab_view(engine, "己", "已", SAY)
    found = re.search(r"differ in (\d+) of 1,024 pixels; the cosine of their vectors is (-?\d\.\d+)", alike)
    assert found is not None
    assert (
        int(found.group(1))
        == int((legible("己") != legible("已")).sum())
        == alike.count("gs-lost") + alike.count("gs-added")
    )
    assert float(found.group(2)) < 1
    assert "(not a token)" in lab_view(engine, "☃", "кот", SAY)


@pytest.mark.parametrize("text", ["", "x" * 17, None, 5])
def test_laboratory_refuses_what_has_no_picture(engine: Engine, text: object) -> None:
    with pytest.raises(UserError, match="at most 16 characters"):
        lab_view(engine, "A", text, SAY)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800", "\x00"])
def test_laboratory_shows_hostile_text_literally(engine: Engine, text: str) -> None:
    reader = Reader(lab_view(engine, text[:16], "A", SAY))
    assert not {"script", "b"} & {tag for tag, _ in reader.tags}
    assert visible(plain_text(text[:16])) in reader.text
