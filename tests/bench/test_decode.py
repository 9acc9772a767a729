"""Decoding is timed on the engine itself: what the bench puts in the trace's place must fit where a trace goes."""

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from tests.bench.decode import rate, traceless


def test_a_run_without_trace_writes_the_same_tokens(engine: Engine) -> None:
    sampling = Sampling(seed=1, new_tokens=6)
    *steps, _ = engine.generate("Мама", sampling)
    with traceless():
        assert rate(engine, "Мама", sampling) >= 0
        *plain, last = engine.generate("Мама", sampling)
    assert [step.id for step in plain] == [step.id for step in steps]
    assert last.trace is None
