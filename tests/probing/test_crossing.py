"""Translation retrieval through a linear map: found where there is one, at chance where there is none."""

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.probing.crossing import frame_states, map_retrieval
from app.probing.word_list import Word


def test_a_linear_map_is_found_and_noise_is_not() -> None:
    generator = np.random.default_rng(0)
    source = generator.normal(size=(120, 16)).astype(np.float32)
    target = (source @ generator.normal(size=(16, 16)) + 0.05 * generator.normal(size=(120, 16))).astype(np.float32)
    assert map_retrieval(source, target) > 0.9
    assert map_retrieval(source, generator.normal(size=(120, 16)).astype(np.float32)) < 0.08


def test_states_of_the_frame_are_those_of_its_last_token(engine: Engine) -> None:
    states = frame_states(engine, [Word("cat", "en", "animals")], "ru")
    ids = [engine.bundle.start, *engine.ids_of("= cat = ru:")]
    with torch.inference_mode():
        hidden = engine.model(torch.tensor([ids])).hidden
    assert states.shape[:3] == (2, engine.model.shape.layers + 1, 1)
    for layer, expected in enumerate(hidden):
        assert states[:, layer, 0] == pytest.approx(expected[:, 0, -1].numpy(), abs=1e-4)
