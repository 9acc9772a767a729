"""What the API answers about a text, against the network itself."""

import base64
import io
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.panels.text_record import MAX_NUMBERS, PARTS, Wanted, check_size, text_record
from app.trace.fusion import Fusion
from app.wording.errors import UserError
from tests.intervene.tiny import tiny_engine

TEXT = "the cat do"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def wanted(*parts: str, top: int = 5, fusion: Fusion = "logits", layers: tuple[int, ...] = (0, 3)) -> Wanted:
    return Wanted(frozenset(parts), top, fusion, layers)


def logs_of(engine: Engine, ids: list[int]) -> torch.Tensor:
    """Log-probabilities (E, T, V) of each expert."""
    with torch.inference_mode():
        return engine.model(torch.tensor([ids])).logits[:, 0].double().log_softmax(-1)


def test_nothing_more_than_what_is_wanted(engine: Engine) -> None:
    record = text_record(engine, engine.look(TEXT), wanted())
    assert set(record) == {"model", "experts", "tokens"}
    assert set(record["tokens"][0]) == {"id", "text", "log_probs", "disagreement"}


@pytest.mark.parametrize("fusion", ["logits", "probabilities", "gate"])
def test_predictions_under_every_fusion(engine: Engine, fusion: Fusion) -> None:
    trace = engine.look(TEXT)
    logs, ids = logs_of(engine, trace.ids.tolist()), trace.ids.tolist()
    record = text_record(engine, trace, wanted("top", "shares", "jsd", fusion=fusion))
    so_far = torch.zeros(2, dtype=torch.double)
    for t in range(1, len(ids)):
        gates = so_far.softmax(0)
        mean = {
            "logits": logs[:, t - 1].mean(0).softmax(-1),
            "probabilities": logs[:, t - 1].exp().mean(0),
            "gate": (gates[:, None] * logs[:, t - 1].exp()).sum(0),
        }[fusion]
        token = record["tokens"][t - 1]
        assert token["log_probs"][2] == pytest.approx(float(mean[ids[t]].log()), abs=1e-3)
        assert [i for i, _, _ in token["top"]["fused"]] == mean.topk(5).indices.tolist()
        assert [i for i, _, _ in token["top"]["ZH"]] == logs[1, t - 1].topk(5).indices.tolist()
        first, second = token["shares"]["winner"], token["shares"]["runner_up"]
        lead = mean[first] - mean[second] if fusion != "logits" else (mean[first] / mean[second]).log()
        assert sum(token["shares"]["parts"]) == pytest.approx(float(lead), abs=1e-4)
        p, q = logs[:, t - 1].exp()
        middle = (p + q) / 2
        bits = sum(float((a * (a / middle).log2()).sum()) for a in (p, q)) / 2
        assert token["jsd"] == pytest.approx(bits, abs=1e-3)
        so_far = so_far + logs[:, t - 1, ids[t]]
    assert record["next"]["top"]["RU"][0][0] == int(logs[0, -1].argmax())


def test_lens_and_hidden_states_of_some_layers(engine: Engine) -> None:
    trace = engine.look(TEXT)
    every = text_record(engine, trace, wanted("lens", layers=(0, 1, 2, 3)))["lens"]["ids"]
    for layers in ((3, 1), (0, 1), (2,)):  # also without the last one
        lens = text_record(engine, trace, wanted("lens", layers=layers))["lens"]
        assert lens["ids"] == [[rows[layer] for layer in layers] for rows in every]
    record = text_record(engine, trace, wanted("lens", "hidden", layers=(3, 1)))
    assert record["lens"]["layers"] == [3, 1]
    assert record["lens"]["ids"][0][0] == logs_of(engine, trace.ids.tolist())[0].argmax(-1).tolist()
    for layer, coded in record["hidden"]["layers"].items():
        states = np.load(io.BytesIO(base64.b64decode(coded)), allow_pickle=False)
        assert states.dtype == np.float16 and list(states.shape) == record["hidden"]["shape"]
        assert np.array_equal(states, trace.hidden[:, int(layer)])


def test_too_many_states_are_refused_before_anything_is_read(engine: Engine) -> None:
    numbers: Any = 2 * 2 * 32  # experts, layers, width
    check_size(engine, 1, MAX_NUMBERS // numbers, wanted("hidden"))
    with pytest.raises(UserError, match="fewer layers or texts"):
        check_size(engine, 2, MAX_NUMBERS // numbers, wanted("hidden"))
    check_size(engine, 10**9, 1, wanted(*set(PARTS) - {"hidden"}))
