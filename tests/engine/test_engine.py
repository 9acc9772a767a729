"""Traces against an independent forward pass and plain formulas."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from app.engine.engine import Engine
from app.engine.trace_writer import BLOCK, reduce_rows
from app.network.interface import Output
from app.trace.record import Trace
from tests.support.requests import run

TEXT = "Мама любит дом. The cat sees the dog. 妈妈喜欢猫。"


@pytest.fixture(scope="module")
def looked(engine: Engine) -> Trace:
    return engine.look(TEXT)


@pytest.fixture(scope="module")
def rows(engine: Engine, looked: Trace) -> torch.Tensor:
    """Raw logits (E, T, V) of the same text, double precision."""
    with torch.inference_mode():
        output: Output = engine.model(torch.tensor([looked.ids.tolist()]))
        return output.logits[:, 0].double()


def test_trace_lists_the_top_candidates_of_each_expert_and_the_fusion(looked: Trace, rows: torch.Tensor) -> None:
    under = [rows[0], rows[1], rows.mean(0)]
    for position in range(0, len(looked), 7):
        for which, z in enumerate(under):
            best = z[position].sort(descending=True).values[:32]
            stored = looked.candidates[position, which]
            assert np.allclose(z[position][stored.tolist()], best, atol=1e-5)
            assert np.allclose(
                looked.candidate_logits[position, which], rows[:, position, stored.tolist()].T, atol=1e-5
            )


def test_trace_numbers_against_plain_formulas(looked: Trace, rows: torch.Tensor) -> None:
    p = rows.softmax(-1).numpy()
    fused = rows.mean(0)
    for t in range(len(looked)):
        assert looked.log_sum_exp[t] == pytest.approx(
            [math.log(np.exp(z.numpy()).sum()) for z in (rows[0, t], rows[1, t], fused[t])], abs=1e-4
        )
        assert looked.jensen_shannon[t] == pytest.approx(jensenshannon(p[0, t], p[1, t], base=2) ** 2, abs=1e-4)
        assert looked.spread[t] == pytest.approx([float(np.std(rows[e, t].numpy(), ddof=1)) for e in (0, 1)], abs=1e-4)
        for w, total in zip(np.linspace(0, 1, 21), looked.mixed_log_sum_exp[t], strict=True):
            mixed = w * rows[0, t].numpy() + (1 - w) * rows[1, t].numpy()
            assert total == pytest.approx(math.log(np.exp(mixed).sum()), abs=1e-4)


@pytest.mark.parametrize("scale", [1.0, 8.0, 400.0], ids=["as trained", "sharp", "hundreds apart"])
def test_every_weight_of_the_grid_has_its_log_sum_exp(scale: float) -> None:
    rows = scale * torch.randn(2, 3, 90, generator=torch.Generator().manual_seed(1))
    grid = torch.from_numpy(reduce_rows(torch.cat((rows, rows.mean(0)[None])), [1, 2], 8).mixed_log_sum_exp)
    for column, weight in enumerate(np.linspace(0, 1, 21)):
        expected = (weight * rows[0].double() + (1 - weight) * rows[1].double()).logsumexp(-1)
        assert torch.allclose(grid[:, column].double(), expected, rtol=1e-6, atol=1e-4)


def test_ranks_and_logits_of_the_token_that_follows(looked: Trace, rows: torch.Tensor) -> None:
    for t in range(len(looked) - 1):
        actual = int(looked.ids[t + 1])
        assert looked.next_logits[t] == pytest.approx(rows[:, t, actual].tolist(), abs=1e-4)
        for which, z in enumerate((rows[0, t], rows[1, t])):
            assert looked.next_ranks[t, which] == 1 + int((z > z[actual]).sum())
    assert np.isnan(looked.next_logits[-1]).all() and not looked.next_ranks[-1].any()


def test_hidden_states_are_those_of_the_forward_pass(engine: Engine, looked: Trace) -> None:
    with torch.inference_mode():
        hidden = engine.model(torch.tensor([looked.ids.tolist()])).hidden
    expected = torch.stack(hidden, 1)[:, :, 0].half().numpy()
    assert np.array_equal(looked.hidden, expected)
    assert np.array_equal(looked.hidden[0, 0], looked.hidden[1, 0])
    assert np.array_equal(looked.hidden[0, 0], engine.model.embedding[looked.ids.tolist()].half().numpy())


@pytest.mark.parametrize("block", [1, 2, 5, 64])
def test_reducing_beside_the_network_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Whatever the size of a block, also where the last row waits alone for its token."""
    expected = [run(engine, "Мама любит", seed=3, new_tokens=count, temperature=1.2)[1] for count in (1, 2, 11)]
    monkeypatch.setattr("app.engine.trace_writer.BLOCK", block)
    for beside in (True, False):
        monkeypatch.setattr("app.engine.trace_writer.spare_core", lambda beside=beside: beside)
        for count, before in zip((1, 2, 11), expected, strict=True):
            after = run(engine, "Мама любит", seed=3, new_tokens=count, temperature=1.2)[1]
            for name, value in vars(before).items():
                found = getattr(after, name)
                if isinstance(value, np.ndarray):
                    assert np.allclose(value, found, atol=1e-5, equal_nan=True), (name, count)
                else:
                    assert name == "seconds" or value == found


@pytest.mark.parametrize("beside", [True, False])
def test_a_fault_in_reducing_ends_the_run(engine: Engine, monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("app.engine.trace_writer.spare_core", lambda: beside)
    monkeypatch.setattr("app.engine.trace_writer.reduce_rows", fail)
    with pytest.raises(MemoryError, match="no room"):
        engine.look("Мама")


def test_generated_trace_equals_looking_at_the_generated_text(engine: Engine) -> None:
    """One forward pass a token, cached and reduced in blocks, against one pass over the whole."""
    runs = (run(engine, "Мама любит", seed=seed, new_tokens=2 * BLOCK + 3, temperature=1.2) for seed in range(30))
    looked = ((written, engine.look(written.text)) for steps, written in runs if len(steps) > BLOCK)
    written, read = next(pair for pair in looked if len(pair[0]) == len(pair[1]))  # read again as the same tokens
    assert read.ids.tolist() == written.ids.tolist()
    for name in ("log_sum_exp", "mixed_log_sum_exp", "jensen_shannon", "spread"):
        assert np.allclose(getattr(read, name), getattr(written, name), atol=1e-3), name
    assert np.allclose(read.next_logits, written.next_logits, atol=1e-3, equal_nan=True)
    assert np.allclose(read.hidden.astype(float), written.hidden.astype(float), atol=2e-2)
    assert written.prompt == len(engine.encode("Мама любит")) + 1


def test_steps_report_the_log_probabilities_of_the_trace(engine: Engine) -> None:
    from app.trace.fusion import next_log_probs

    steps, trace = run(engine, "Мама", seed=1, new_tokens=8)
    scores = next_log_probs(trace)
    for n, step in enumerate(steps):
        assert step.log_probs == pytest.approx(scores[trace.prompt - 1 + n], abs=1e-4)
        assert step.id == trace.ids[trace.prompt + n] and step.text == trace.texts[trace.prompt + n]


def test_lens_reads_the_last_layer_as_the_model_does(engine: Engine, looked: Trace, rows: torch.Tensor) -> None:
    lens = engine.lens(looked, top=3)
    assert lens.ids.shape == (2, 3, len(looked), 3)
    for e in range(2):
        expected = rows[e].log_softmax(-1).topk(3).values
        assert np.allclose(lens.log_probs[e, -1], expected, atol=2e-2)  # states are stored in half precision
    first = torch.nn.functional.layer_norm(engine.model.embedding[looked.ids.tolist()], (64,)) @ engine.model.head[1]  # type: ignore[attr-defined]
    assert np.allclose(lens.log_probs[1, 0], first.log_softmax(-1).topk(3).values, atol=2e-2)
