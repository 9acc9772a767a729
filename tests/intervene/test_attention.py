"""Attention recomputed from a trace against eager softmax, and its averages by loops."""

import numpy as np
import pytest

from app.engine.engine import Engine
from app.intervene.attention import all_attention, block_attention, fingerprints, head_attention, states_of
from app.intervene.interface import OpenedNetwork
from app.intervene.runs import read
from app.network.experts import StackedExperts
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain

TEXT = "the cat and the dog"


def test_weights_equal_those_of_a_forward_pass(tiny: Engine, opened: OpenedNetwork) -> None:
    model, trace = tiny.model, tiny.look(TEXT)
    assert isinstance(model, StackedExperts)
    for expert in range(2):
        seen = Recorder()
        plain(model, expert, model.embedding[trace.ids], seen)
        for layer in range(1, 4):
            found = block_attention(opened, trace.hidden, layer)[expert]
            assert np.allclose(found, seen.seen["weights", layer], atol=2e-2)  # states are stored in half precision
            assert np.allclose(found.sum(-1), 1, atol=1e-5) and not np.triu(found, 1).any()
            exact = block_attention(opened, states_of(read(opened, trace.ids.tolist())), layer)[expert]
            assert np.allclose(exact, seen.seen["weights", layer], atol=1e-4)
            assert np.array_equal(head_attention(opened, trace.hidden, expert, layer, 2), found[2])


def test_fingerprints_are_averages(tiny: Engine, opened: OpenedNetwork) -> None:
    trace = tiny.look(TEXT)
    found = fingerprints(all_attention(opened, trace.hidden))
    weights = block_attention(opened, trace.hidden, 2)[1, 3]
    rows = range(2, len(trace))
    for shares, seen in ((found.previous, lambda t: t - 1), (found.start, lambda t: 0), (found.itself, lambda t: t)):
        assert shares.shape == (2, 3, 4)
        assert shares[1, 1, 3] == pytest.approx(np.mean([weights[t, seen(t)] for t in rows]), abs=1e-6)


def test_a_short_text_has_no_fingerprints(tiny: Engine, opened: OpenedNetwork) -> None:
    assert np.isnan(fingerprints(all_attention(opened, tiny.look("猫").hidden)).start).all()


@pytest.mark.parametrize("place", [(2, 1, 0), (0, 0, 0), (0, 4, 0), (0, 1, 4), (0, 1, -1)])
def test_a_head_that_is_not_there(tiny: Engine, opened: OpenedNetwork, place: tuple[int, int, int]) -> None:
    with pytest.raises(UserError) as error:
        head_attention(opened, tiny.look(TEXT).hidden, *place)
    assert error.value.code == "no_head"
