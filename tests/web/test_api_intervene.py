"""The public API of the instruments: what `app.intervene` measures, as plain JSON; anything for an argument."""

import contextlib
import json
import threading
from typing import Any

import numpy as np
import pytest

from app.engine.engine import Engine
from app.intervene.drawing import draw, open_canvas
from app.intervene.pairs import make_pair
from app.intervene.patching import patch_map
from app.intervene.pixels import shift, to_strings
from app.web.api_intervene import attributed, drawn, patched
from app.wording.errors import UserError
from tests.intervene.tiny import tiny_engine

FIRST, SECOND, TEXT = "the cat do", "the dog do", "他喝了一"
STAYS = threading.Event()
BLANK = ["0" * 32] * 32


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def strict(record: dict[str, Any]) -> dict[str, Any]:
    """A record as it comes out of JSON without NaN."""
    read: dict[str, Any] = json.loads(json.dumps(record, allow_nan=False))
    return read


def test_patch_gives_the_map(engine: Engine) -> None:
    record, found = strict(patched(engine, STAYS, FIRST, SECOND, None)), patch_map(make_pair(engine, FIRST, SECOND))
    effect = np.array(record["effect"], float)  # null becomes NaN
    assert np.allclose(effect, found.effect, atol=1e-5, equal_nan=True) and effect.shape == (3, 4, 5)
    assert np.allclose(record["margins"], found.margins, atol=1e-5)
    assert record["changed"] == [2] and len(record["tokens"][0]) == len(record["tokens"][1]) == 5
    again = patched(engine, STAYS, FIRST, SECOND, record["answers"])
    assert again["answers"] == record["answers"] and again["effect"] == record["effect"]


def test_draw_gives_neighbours_predictions_and_path(engine: Engine) -> None:
    canvas = open_canvas(engine, TEXT, 2)
    picture = shift(canvas.picture, 1, 0)
    record, found = strict(drawn(engine, STAYS, TEXT, 2, to_strings(picture))), draw(canvas, picture)
    assert found.untrained_path is not None and np.allclose(record["untrained"], found.untrained_path, atol=1e-5)
    assert np.allclose(record["path"], found.path, atol=1e-5)
    assert np.allclose(record["jsd"], found.change.jensen_shannon, atol=1e-5)
    assert [token["id"] for token in record["nearest"]] == found.neighbours.tolist()
    for name, rows in (("before", found.change.before), ("after", found.change.after)):
        assert [[token["id"] for token in row] for row in record[name]] == rows.ids.tolist()


def test_attribute_gives_parts_that_add_up(engine: Engine) -> None:
    record = strict(attributed(engine, STAYS, FIRST, None))
    assert np.allclose(np.sum(record["nats"], 1), record["margins"], atol=2e-3)
    assert record["fused"] == pytest.approx(np.mean(record["margins"]), abs=1e-3)
    assert record["parts"][:3] == ["embedding", "attention 1", "mlp 1"] and len(record["parts"]) == 7


ANYTHING: list[Any] = [None, 7, 1.5, True, "", [], {}, ["a"], "\x00", "x" * 5000, "<script>"]


@pytest.mark.parametrize("value", ANYTHING)
def test_texts_may_be_anything(engine: Engine, value: Any) -> None:
    for call in (
        lambda: patched(engine, STAYS, value, SECOND, None),
        lambda: patched(engine, STAYS, FIRST, value, None),
        lambda: drawn(engine, STAYS, value, 1, BLANK),
        lambda: attributed(engine, STAYS, value, None),
    ):
        with contextlib.suppress(UserError):
            strict(call())


@pytest.mark.parametrize("answers", ["ab", 7, ["a"], ["a", "b", "c"], [None, 1.5], [[], {}], {"a": 1}, [True, False]])
def test_answers_may_be_anything(engine: Engine, answers: Any) -> None:
    with pytest.raises(UserError):
        patched(engine, STAYS, FIRST, SECOND, answers)
    with pytest.raises(UserError):
        attributed(engine, STAYS, FIRST, answers)


@pytest.mark.parametrize("index", [None, 0, -1, 99, 1.0, True, "2", [], {}])
def test_positions_may_be_anything(engine: Engine, index: Any) -> None:
    with pytest.raises(UserError, match="count from 0"):
        drawn(engine, STAYS, TEXT, index, BLANK)


@pytest.mark.parametrize("pixels", [None, 7, "", "0" * 1024, [], [0] * 32, ["0" * 31] * 32, ["0" * 32] * 31, [["0"] * 32] * 32, {}])  # fmt: skip  # noqa: E501
def test_pixels_may_be_anything(engine: Engine, pixels: Any) -> None:
    with pytest.raises(UserError, match="A picture is"):
        drawn(engine, STAYS, TEXT, 2, pixels)


def test_a_caller_who_left_ends_the_map(engine: Engine) -> None:
    left = threading.Event()
    left.set()
    with pytest.raises(UserError, match="Cancelled"):
        patched(engine, left, FIRST, SECOND, None)
