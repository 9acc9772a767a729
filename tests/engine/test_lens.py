"""The logit lens against states unembedded one by one."""

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.engine.lens import LensReader
from app.trace.record import Trace

TEXT = "the cat sees the dog and the cat"


@pytest.fixture(scope="module")
def looked(engine: Engine) -> Trace:
    return engine.look(TEXT)


def plainly(engine: Engine, trace: Trace) -> torch.Tensor:
    """Log-probabilities (E, L + 1, T, V) of every stored state."""
    states = torch.from_numpy(trace.hidden).float()
    width = states.shape[-1]
    heads = engine.model.head  # type: ignore[attr-defined]
    with torch.inference_mode():
        normed = torch.nn.functional.layer_norm(states, (width,))
        return torch.stack([rows @ head for rows, head in zip(normed, heads, strict=True)]).log_softmax(-1)


@pytest.mark.parametrize("top", [1, 5, 40])  # 40: more than the trace holds of the last layer
@pytest.mark.parametrize("layers", [None, (1,), (0,), (0, 1), (2, 0), (1, 1)])
def test_every_asked_layer_is_read_as_its_states_are(
    engine: Engine, looked: Trace, layers: tuple[int, ...] | None, top: int
) -> None:
    expected = plainly(engine, looked)[:, list(layers or range(looked.hidden.shape[1]))]
    for _ in range(2):  # the second time layer 0 is not read again
        lens = engine.lens(looked, top, layers=layers)
        assert lens.ids.shape == lens.log_probs.shape == (*expected.shape[:3], top)
        found = expected.gather(-1, torch.from_numpy(lens.ids).long())
        assert np.allclose(lens.log_probs, found, atol=2e-2)  # states are stored in half precision
        assert np.allclose(lens.log_probs, expected.topk(top).values, atol=2e-2)


def test_what_is_kept_of_layer_0_serves_other_texts(engine: Engine, looked: Trace) -> None:
    other, window = engine.look("a dog sees the cat"), range(1, 4)
    engine.lens(looked, 3)
    kept = engine.lens(other, 3, window)
    fresh = LensReader(engine.model).lens(other, 3, window)
    assert np.array_equal(kept.ids, fresh.ids)
    assert np.allclose(kept.log_probs, fresh.log_probs, atol=1e-5)


def test_a_state_is_told_by_its_numbers_not_by_its_token(engine: Engine, looked: Trace) -> None:
    """As in a network that adds the position to its embedding: the same token, another state at layer 0."""
    engine.lens(looked, 2)
    hidden = looked.hidden.copy()
    hidden[:, 0] = hidden[:, 0, ::-1]
    turned = Trace(**{**vars(looked), "hidden": hidden})
    assert np.allclose(engine.lens(turned, 2).log_probs[:, 0], plainly(engine, turned).topk(2).values[:, 0], atol=2e-2)
