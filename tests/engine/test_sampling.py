"""Continuing a text: the same seed gives the same text, draws keep to their settings, a run can be stopped."""

from collections.abc import Iterator

import pytest
import torch

from app.engine.engine import Engine, Step
from app.engine.sampling import Sampling, draw, nucleus
from tests.support.requests import run


def test_same_seed_same_text_other_seed_other_text(engine: Engine) -> None:
    def texts(seed: int) -> str:
        return run(engine, "The", seed=seed, temperature=1.5, top_p=1.0, top_k=0, new_tokens=20)[1].text

    assert texts(5) == texts(5)
    assert len({texts(seed) for seed in range(6)}) > 1


def test_greedy_takes_the_likeliest_token_under_the_weights(engine: Engine) -> None:
    for weights in ((1.0, 0.0), (0.0, 1.0), (0.3, 0.7)):
        *steps, last = engine.generate("Мама", Sampling(temperature=0, new_tokens=4), weights)
        assert last.trace is not None
        with torch.inference_mode():
            z = engine.model(torch.tensor([last.trace.ids.tolist()])).logits[:, 0]
        mixed = weights[0] * z[0] + weights[1] * z[1]
        for step, row in zip(steps, mixed[last.trace.prompt - 1 :], strict=False):
            assert step.id == int(row.argmax())


def test_draw_keeps_to_top_k_and_top_p() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05]))
    generator = torch.Generator().manual_seed(0)

    def drawn(**options: float) -> set[int]:
        sampling = Sampling(**{"temperature": 1.0, "top_k": 0, "top_p": 1.0, **options})  # type: ignore[arg-type]
        return {draw(logits, sampling, generator) for _ in range(300)}

    assert drawn() == {0, 1, 2, 3}
    assert drawn(top_k=2) == {0, 1}
    assert drawn(top_p=0.7) == {0, 1}
    assert drawn(temperature=0) == {0}


def test_a_draw_is_the_one_of_torch() -> None:
    logits = torch.randn(60, generator=torch.Generator().manual_seed(5))
    ours, theirs = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    for _ in range(50):
        drawn = draw(logits, Sampling(temperature=1.0, top_k=0, top_p=1.0), ours)
        assert drawn == int(torch.multinomial(logits.softmax(-1), 1, generator=theirs))


def test_draws_are_as_likely_as_transformers_whole_chain_says() -> None:
    """Over the whole row, in transformers' order: temperature, top-k, top-p."""
    from transformers.generation import logits_process as theirs

    logits = torch.randn(60, generator=torch.Generator().manual_seed(5)) * 2
    chain = theirs.LogitsProcessorList(
        [theirs.TemperatureLogitsWarper(0.8), theirs.TopKLogitsWarper(12), theirs.TopPLogitsWarper(0.9)]
    )
    expected = chain(None, logits[None]).softmax(-1)[0]
    generator, times = torch.Generator().manual_seed(0), 4000
    drawn = [draw(logits, Sampling(temperature=0.8, top_k=12, top_p=0.9), generator) for _ in range(times)]
    found = torch.bincount(torch.tensor(drawn), minlength=60) / times
    assert set(found.nonzero()[:, 0].tolist()) == set(expected.nonzero()[:, 0].tolist())
    assert (found - expected).abs().max() < 5 * (0.25 / times) ** 0.5


@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.95, 0.999])
def test_the_nucleus_is_that_of_transformers_to_the_last_bit(top_p: float) -> None:
    from transformers.generation.logits_process import TopPLogitsWarper

    generator = torch.Generator().manual_seed(1)
    for count in (1, 2, 50, 1000):
        for _ in range(20):
            scores = (torch.randn(count, generator=generator) * 3).round(decimals=1)  # many are equal
            assert torch.equal(nucleus(scores, top_p), TopPLogitsWarper(top_p)(None, scores[None])[0])


def test_generation_ends_at_the_context(engine: Engine) -> None:
    long = "cat " * 40
    steps, trace = run(engine, long, new_tokens=100, seed=2, temperature=1.0)
    assert len(trace) <= engine.context and len(steps) <= engine.context - trace.prompt


def test_stop_keeps_what_was_written(engine: Engine) -> None:
    seen: list[Step] = []
    for step in engine.generate("Мама", Sampling(new_tokens=20, temperature=1.5, seed=4), stop=lambda: len(seen) >= 2):
        seen.append(step)
    assert seen[-1].trace is not None
    assert len(seen[-1].trace) - seen[-1].trace.prompt == len(seen) - 1 <= 3


def test_closing_a_generation_early_is_harmless(engine: Engine) -> None:
    steps = engine.generate("Мама", Sampling(new_tokens=20))
    assert isinstance(steps, Iterator)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert engine.look("Мама")
