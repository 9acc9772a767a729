"""The strip: chips with their pictures, marks and colours."""

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from app.engine.engine import Engine
from app.panels.strip import strip_view, writing_view
from app.substrate.pictures import cell_borders, legible
from app.substrate.scripts import script_of
from app.trace.fusion import preference
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import Reader
from viz.strip import STRIP_MEASURES, Chip, mark, sequel, strip
from viz.tokens import data_uri

SAY = speaker("en")


def test_strip_colours_follow_the_preference(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    chips = Reader(strip_view(engine, trace, 2, SAY)).with_class("gs-chip")
    assert [int(c["data-index"]) for c in chips] == list(range(1, len(trace)))
    logs = rows.log_softmax(-1)
    for chip in chips:
        i = int(chip["data-index"])
        liked = float(logs[0, i - 1, trace.ids[i]] - logs[1, i - 1, trace.ids[i]])
        assert ("gs-first" in chip["class"]) == (liked > 0)
        assert ("gs-written" in chip["class"]) == (i >= trace.prompt)
        assert (chip["aria-pressed"] == "true") == (i == 2)
        assert float(chip["style"].split(":")[1].strip("%")) == pytest.approx(
            100 * min(1, abs(liked) / 5) ** 0.3, abs=0.6
        )


def test_chips_carry_the_picture_of_their_own_token(engine: Engine, trace: Trace) -> None:
    reader = Reader(strip_view(engine, trace, 1, SAY))
    shown = [ink_of(a["src"]) for a in reader.with_class("gs-pic")]
    np.testing.assert_array_equal(shown, engine.bundle.substrate.pictures[trace.ids[1:]])
    assert not ink_of(data_uri(np.zeros((32, 32), bool))).any()


def ink_of(address: str) -> NDArray[np.bool_]:
    """Where an inline picture has ink; its paper is clear."""
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    pixels = np.asarray(picture.convert("RGBA"))
    ink: NDArray[np.bool_] = pixels[..., 3] > 0
    assert not pixels[ink][:, :3].any(), "ink is black"
    return ink


def test_marks_say_without_colour_who_expected_a_token_more() -> None:
    sided, amount = STRIP_MEASURES["preference"], STRIP_MEASURES["overlap"]
    assert [mark(value, sided) for value in (1.0, -1.0, 0.05, None)] == ["◀", "▶", "·", "·"]
    assert [mark(value, amount) for value in (0.0, 0.5, 1.0)] == ["▁", "▅", "█"]


def test_cells_of_an_ngram_have_borders_and_an_unknown_token_is_marked(engine: Engine) -> None:
    """A picture of three letters has two borders: at the ends of the drawn letters' cells."""
    trace = engine.look("Где ☃ мама")
    reader = Reader(strip_view(engine, trace, 1, SAY))
    assert "gs-unknown" in reader.with_class("gs-chip")[[t for t in trace.texts[1:]].index("<unk>")]["class"]
    assert cell_borders("кот", "legible") == pytest.approx([1 / 3, 2 / 3])
    assert cell_borders(" к猫", "legible") == pytest.approx([8 / 56, 24 / 56])
    assert cell_borders("ab", "published") == (0.5,) and cell_borders("a", "legible") == ()
    chip = strip(
        [Chip(1, "кот", legible("кот"), 0.5, True, borders=(1 / 3, 2 / 3))],
        1,
        STRIP_MEASURES["preference"],
        ("RU", "ZH"),
        SAY,
    )
    assert "M10.7 0v32M21.3 0v32" in chip
    columns: Any = legible("кот")
    ink = columns.any(axis=0)
    for border in (1 / 3, 2 / 3):
        assert not ink[round(32 * border) - 1 : round(32 * border) + 1].all()


def test_scripts() -> None:
    assert [script_of(t) for t in (" the", "мир", "猫", "...", "1")] == ["latin", "cyrillic", "han", "other", "other"]


def test_the_sequel_of_a_strip_has_the_chips_that_are_new_or_differ(engine: Engine, trace: Trace) -> None:
    """Put in their places, they make the finished strip."""
    finished, first = strip_view(engine, trace, len(trace) - 2, SAY), trace.prompt
    values = preference(trace)[first - 1 :].tolist()
    ids = trace.ids.tolist()
    for unsent in (0, 1):
        steps = list(zip(ids[first : len(ids) - unsent], values, strict=False))
        writing = writing_view(engine, ids[1:first], steps, SAY)
        goes_on = sequel(writing, finished)
        assert goes_on.startswith(writing) and len(goes_on) - len(writing) < len(finished)
        assert by_index(goes_on) == by_index(finished)
        sent = {int(a["data-index"]) for a in Reader(goes_on[len(writing) :]).with_class("gs-chip")}
        unlike = {*range(1, first), len(trace) - 2, *range(len(ids) - unsent, len(ids))}
        assert sent == unlike, "of the prompt, the one that is chosen, those not yet sent"


def by_index(html: str) -> dict[int, str]:
    """The chips of a strip, the last ones of their places."""
    return {int(chip.split("data-index='")[1].split("'")[0]): chip for chip in re.findall("<button.*?</button>", html)}


@pytest.mark.parametrize("writing", ["", "<div class='gs-strip' data-state='writing'><span class='gs-whole'></span>"])
def test_a_strip_that_is_no_sequel_is_sent_whole(engine: Engine, trace: Trace, writing: str) -> None:
    finished = strip_view(engine, trace, 1, SAY)
    assert sequel(writing, finished) == finished
    other = strip_view(engine, trace, 1, SAY, "surprise")
    assert sequel(finished.removesuffix("</div>"), other) == other, "all chips differ"
    assert sequel(finished.removesuffix("</div>"), "<p>failed</p>") == "<p>failed</p>"
