"""The public API of the heads: what `app.intervene` measures, as plain JSON; anything for an argument."""

import json
import threading
from typing import Any

import numpy as np
import pytest

from app.engine.engine import Engine
from app.intervene.interface import OpenedNetwork
from app.intervene.runs import open_network
from app.intervene.silencing import Silenced, reference_means, silence
from app.intervene.stories import read_stories
from app.network.experts import StackedExperts
from app.panels.attention import MOST_PARTS
from app.web.api_attention import attended, silenced
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine

TEXT = "the cat do"
STAYS = threading.Event()
HEAD = {"expert": "ZH", "kind": "head", "layer": 2, "head": 3}
PARTS: list[dict[str, Any]] = [HEAD, {"expert": "RU", "kind": "mlp", "layer": 1}]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


@pytest.fixture(scope="module")
def opened(engine: Engine) -> OpenedNetwork:
    return open_network(engine)


def strict(record: dict[str, Any]) -> dict[str, Any]:
    """A record as it comes out of JSON without NaN."""
    read: dict[str, Any] = json.loads(json.dumps(record, allow_nan=False))
    return read


def test_attend_gives_the_weights_of_eager_softmax_and_their_effect(engine: Engine, opened: OpenedNetwork) -> None:
    record, model = strict(attended(engine, STAYS, TEXT, "ZH", 2, 3)), engine.model
    assert isinstance(model, StackedExperts)
    ids, seen = [2, *engine.encode(TEXT)], Recorder()
    plain(model, 1, model.embedding[ids], seen)
    weights = seen.seen["weights", 2][3].numpy()
    assert np.allclose(record["weights"], weights, atol=1e-4) and len(record["tokens"]) == len(ids)
    mean = np.mean([weights[t, t - 1] for t in range(2, len(ids))])
    assert record["shares"]["previous"] == pytest.approx(mean, abs=1e-4)
    found = silence(opened, reference_means(engine), ids, [Silenced(1, "head", 2, 3)])
    assert np.allclose(record["jsd"], found.jensen_shannon, atol=1e-5)
    assert strict(attended(engine, STAYS, "猫", "RU", 1, 0))["shares"] == dict.fromkeys(("previous", "start", "itself"))


def test_silence_gives_predictions_and_random_parts(engine: Engine, opened: OpenedNetwork) -> None:
    record, ids = strict(silenced(engine, STAYS, TEXT, [*PARTS, HEAD], None)), [2, *engine.encode(TEXT)]
    found = silence(opened, reference_means(engine), ids, [Silenced(1, "head", 2, 3), Silenced(0, "mlp", 1)])
    assert np.allclose(record["jsd"], found.jensen_shannon, atol=1e-5) and record["parts"] == PARTS
    for name, rows in (("before", found.before), ("after", found.after)):
        assert [[token["id"] for token in row] for row in record[name]] == rows.ids.tolist()
    assert record["token"] == record["before"][-1][0]["text"]
    assert record["log_probs"][-1][0] == record["before"][-1][0]["log_prob"]
    assert [part["kind"] for part in record["random"]["parts"]] == ["head", "mlp"] and record["random"][
        "parts"
    ] != PARTS
    assert record["reference"] == list(read_stories().reference)
    whole = strict(silenced(engine, STAYS, TEXT, [{"expert": "RU", "kind": "expert"}], "c"))
    assert whole["token"] == "c" and whole["parts"] == [{"expert": "RU", "kind": "expert"}]


ANYTHING: list[Any] = [None, 7, 1.5, True, "", [], {}, ["a"], "\x00", "x" * 5000, "<script>"]


@pytest.mark.parametrize("value", ANYTHING)
def test_arguments_may_be_anything(engine: Engine, value: Any) -> None:
    for call in (
        lambda: attended(engine, STAYS, TEXT, value, 1, 0),
        lambda: silenced(engine, STAYS, TEXT, value, None),
        lambda: silenced(engine, STAYS, TEXT, [value], None),
        lambda: silenced(engine, STAYS, TEXT, [{**HEAD, "expert": value}], None),
        lambda: silenced(engine, STAYS, TEXT, [{**HEAD, "kind": value}], None),
    ):
        with pytest.raises(UserError):
            call()
    if value != 7 and value is not True:
        with pytest.raises(UserError):
            attended(engine, STAYS, value if value != "<script>" else "\x01", "RU", 1, 0)


@pytest.mark.parametrize("number", [None, -1, 99, 1.0, True, "1", [], {}])
def test_places_may_be_anything(engine: Engine, number: Any) -> None:
    for layer, head in ((number, 0), (1, number)):
        with pytest.raises(UserError, match="no such part"):
            attended(engine, STAYS, TEXT, "RU", layer, head)


def test_too_many_parts_are_refused(engine: Engine) -> None:
    with pytest.raises(UserError, match="at most 512"):
        silenced(engine, STAYS, TEXT, [HEAD] * (MOST_PARTS + 1), None)
