"""What a block computes, where two answers lie close together."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from app.foreign.anatomy.block import _activation
from app.foreign.anatomy.readout import TOLERANCE, apart
from app.foreign.compute.blocks import ACTIVATIONS, Parts, Style
from app.foreign.compute.kernels import Map

STYLE = Style(heads=1, key_heads=1, size=8, scale=1.0)


def random_map(rows: int, columns: int, generator: torch.Generator) -> Map:
    return Map(torch.randn(rows, columns, generator=generator) / columns**0.5, None)


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh"])
def test_of_two_activations_within_rounding_the_closer_one_is_taken(name: str) -> None:
    """Both forms of GELU agree within the tolerance on small states."""
    generator = torch.Generator().manual_seed(3)
    up, down = random_map(32, 8, generator), random_map(8, 32, generator)
    given = 0.3 * torch.randn(6, 8, generator=generator)
    hidden = {form: ACTIVATIONS[form](up(given)) for form in ("gelu", "gelu_tanh")}
    assert 1e-6 < apart(down(hidden["gelu"]), down(hidden["gelu_tanh"])) < TOLERANCE
    inside = SimpleNamespace(up=(up,), down=down, mlp_given=given, mlp_gave=down(hidden[name]))
    parts = Parts((), cast(Any, None), (up,), down, None, None)
    assert _activation(STYLE, parts, cast(Any, inside)).activation == name


def test_an_activation_of_no_known_kind_is_refused() -> None:
    generator = torch.Generator().manual_seed(3)
    up, down = random_map(32, 8, generator), random_map(8, 32, generator)
    given = torch.randn(6, 8, generator=generator)
    inside = SimpleNamespace(up=(up,), down=down, mlp_given=given, mlp_gave=down(up(given).tanh()))
    parts = Parts((), cast(Any, None), (up,), down, None, None)
    with pytest.raises(ValueError, match="no known kind"):
        _activation(STYLE, parts, cast(Any, inside))
