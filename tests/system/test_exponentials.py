"""Powers of two against the natural exponentials that they stand for."""

import math

import pytest
import torch

from app.system.exponentials import below_, entropy, odds_below_


@pytest.mark.parametrize("scale", [0.1, 5.0, 60.0])
def test_odds_are_exponentials_of_what_lies_below_the_best(scale: float) -> None:
    rows = scale * torch.randn(3, 1_000, generator=torch.Generator().manual_seed(2))
    best = rows.amax(-1, keepdim=True)
    expected = (rows.double() - best.double()).exp()
    assert torch.allclose(odds_below_(rows.clone(), best).double(), expected, rtol=2e-5, atol=1e-30)
    assert torch.allclose(below_(rows.clone(), best).double() * math.log(2), expected.log(), rtol=1e-6)


def test_entropy_in_bits_where_most_have_no_chance_at_all() -> None:
    assert entropy(torch.tensor([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]])).tolist() == [0, 2, 1]
