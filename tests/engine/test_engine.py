"""The engine: traces against an independent forward pass, limits, odd input, same seed same text."""

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from app.checkpoint.bundle import load_bundle
from app.engine.engine import MAX_CHARACTERS, Engine, Step
from app.engine.sampling import Sampling, draw
from app.engine.trace_writer import BLOCK, reduce_rows
from app.network.interface import Output
from app.substrate.plain_text import plain_text
from app.system.topk import largest
from app.trace.record import Trace
from app.wording.errors import UserError
from tests.support.server import ROOT

TEXT = "Мама любит дом. The cat sees the dog. 妈妈喜欢猫。"


def run(engine: Engine, prompt: str, **options: object) -> tuple[list[Step], Trace]:
    *steps, last = engine.generate(prompt, Sampling(**options))  # type: ignore[arg-type]
    assert last.trace is not None and last.id is None
    return steps, last.trace


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


BAD_TEXTS = {
    "": "empty_prompt",
    " \n\t ": "empty_prompt",
    "😀🎉": "unknown_prompt",
    "\ud800": "unknown_prompt",
    "\u0000\u0007": "unknown_prompt",
    "x" * (MAX_CHARACTERS + 1): "long_prompt",
    "a" * 100_000: "long_prompt",
    "z" * 300: "many_tokens",
}


@pytest.mark.parametrize(("text", "code"), BAD_TEXTS.items(), ids=[repr(t[:12]) for t in BAD_TEXTS])
def test_useless_text_gets_one_sentence(engine: Engine, text: str, code: str) -> None:
    for use in (engine.look, lambda text: list(engine.generate(text))):
        with pytest.raises(UserError) as caught:
            use(text)
        assert caught.value.code == code
        assert str(caught.value).endswith(".") and "{" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 5, b"abc", ["a"]])
def test_what_is_no_text_is_refused(engine: Engine, value: object) -> None:
    with pytest.raises(UserError):
        engine.look(value)  # type: ignore[arg-type]


ODD_TEXTS = [
    "кот😀",
    "a\ud800b",
    "שלום cat",
    "<script>alert(1)</script>",
    "${1+1} {{x}} `",
    "e\u0301 и\u0306",
    "\u202ecat",
    "\x00кот",
]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=[ascii(t) for t in ODD_TEXTS])
def test_odd_text_is_read_as_what_it_becomes(engine: Engine, text: str) -> None:
    trace = engine.look(text)
    ids = [engine.bundle.tokenizer.token_to_id(t) for t in trace.texts[1:]]
    assert ids == trace.ids[1:].tolist()
    missing = engine.unknown(text)
    assert all(engine.bundle.tokenizer.token_to_id(c) is None for c in missing)
    assert ("<unk>" in trace.texts) == bool(missing)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert plain_text("и\u0306") == "й" and plain_text("a\r\nb\rc") == "a\nb\nc" and plain_text("\ud83d") == "\ufffd"


BAD_SETTINGS = [
    ("temperature", math.nan), ("temperature", math.inf), ("temperature", -0.1), ("temperature", 2.1),
    ("temperature", "hot"),
    ("top_k", -1), ("top_k", 1.5), ("top_k", 10**9), ("top_k", None), ("top_k", True),
    ("top_p", 0.0), ("top_p", 1.01), ("top_p", math.nan),
    ("seed", -1), ("seed", 0.5), ("seed", 2**64), ("seed", math.nan),
    ("new_tokens", 0), ("new_tokens", 129), ("new_tokens", math.inf), ("new_tokens", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS, ids=[f"{n}={v}" for n, v in BAD_SETTINGS])
def test_bad_settings_name_the_remedy(name: str, value: object) -> None:
    with pytest.raises(UserError) as caught:
        Sampling(**{name: value})  # type: ignore[arg-type]
    assert caught.value.code == f"bad_{name}"


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.6), (-0.5, 1.5), (math.nan, 1.0), ("a", "b"), (0.2, 0.3, 0.5)])
def test_bad_weights_are_refused(engine: Engine, weights: object) -> None:
    with pytest.raises(UserError, match="2 weights"):
        engine.look("Мама", weights)  # type: ignore[arg-type]


def test_lens_reads_the_last_layer_as_the_model_does(engine: Engine, looked: Trace, rows: torch.Tensor) -> None:
    lens = engine.lens(looked, top=3)
    assert lens.ids.shape == (2, 3, len(looked), 3)
    for e in range(2):
        expected = rows[e].log_softmax(-1).topk(3).values
        assert np.allclose(lens.log_probs[e, -1], expected, atol=2e-2)  # states are stored in half precision
    first = torch.nn.functional.layer_norm(engine.model.embedding[looked.ids.tolist()], (64,)) @ engine.model.head[1]  # type: ignore[attr-defined]
    assert np.allclose(lens.log_probs[1, 0], first.log_softmax(-1).topk(3).values, atol=2e-2)


@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped"])
def test_damaged_checkpoint_names_the_remedy(toy_bundle: Path, tmp_path: Path, damage: str) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(toy_bundle, folder)
    weights = folder / "model.safetensors"
    data = weights.read_bytes()
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(data[:1000] if damage == "truncated" else b"\xff" * 8 + data[8:])
    with pytest.raises(UserError, match=r"(?i:restore) the folder"):
        load_bundle(folder)


@pytest.mark.parametrize("width", [8192, 2048, 1024, 1000, 40])
def test_the_largest_are_those_that_a_sort_finds(width: int) -> None:
    rows = torch.randn(3, 5, width, generator=torch.Generator().manual_seed(1))
    rows[0, 0, 32:64] += 100  # a whole stretch of them
    values, indices = largest(rows, 32)
    whole = rows.sort(-1, descending=True)
    assert torch.equal(values, whole.values[..., :32]) and torch.equal(indices, whole.indices[..., :32])


def test_freed_memory_goes_back() -> None:
    """Blocks of 1 MB with something small between them, which glibc alone would keep."""
    script = (
        "import sys; from app.system.memory import release_memory, limit_retained_memory; from pathlib import Path\n"
        "def held(): return int(Path('/proc/self/statm').read_text().split()[1]) * 4 // 1024\n"
        "took, before = limit_retained_memory(), held()\n"
        "large, small = [], []\n"
        "for _ in range(300): large.append(bytearray(10**6)); small.append(bytearray(1000))\n"
        "full = held(); del large; release_memory()\n"
        "print(took, full - before, held() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    took, full, left = done.stdout.split()
    if took != "True":
        pytest.skip("another C library than glibc")
    assert int(full) > 250 and int(left) < 30
