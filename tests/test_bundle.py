"""The bundled model as it ships: its table is its pictures, its card its figures, its language the prompt's."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import app.causal_lm  # noqa: F401  registers the model class
from app.battery import run_battery
from app.bundle import MINI, load_bundle
from app.embedding import decode, embed
from app.engine import Engine
from app.lexicon import read_words
from app.pictures import draw_pictures
from app.proof import PROOF_SETS, cross, proof_set
from app.sampling import Sampling
from app.scripts import script_of
from app.words import PRESETS, preset


@pytest.fixture(scope="module")
def mini() -> Engine:
    return Engine(load_bundle())


def test_it_is_small_enough() -> None:
    assert sum(file.stat().st_size for file in MINI.iterdir()) <= 45_000_000


def test_the_frozen_table_is_computed_from_pictures_and_nothing_else(mini: Engine) -> None:
    """Drawn again and embedded again, every token gives the very vector that the experts read."""
    substrate = mini.bundle.substrate
    assert np.array_equal(draw_pictures(substrate.tokens, "legible"), substrate.pictures)
    again = embed(substrate.pictures, substrate.basis).astype(np.float16).astype(np.float32)
    assert np.abs(again - substrate.table).max() <= 2**-10
    # the last half-precision bit depends on the machine's order of summing
    assert (again == substrate.table).mean() > 0.99


def test_what_the_width_loses_is_what_the_card_says(mini: Engine) -> None:
    substrate = mini.bundle.substrate
    decoded = decode(substrate.table, substrate.basis) > 0.5
    wrong = (decoded != substrate.pictures).sum(axis=(1, 2))
    assert 0.5 < (wrong == 0).mean() < 0.9 and wrong.mean() < 5
    assert f"{substrate.basis.kept:.1%} of the pictures'" in (MINI / "README.md").read_text(encoding="utf-8")


def test_the_card_shows_the_measured_figures() -> None:
    record = json.loads((MINI / "training.json").read_text(encoding="utf-8"))
    card = (MINI / "README.md").read_text(encoding="utf-8")
    for language, row in record["bits_per_character"].items():
        assert f"| {language} | " + " | ".join(f"{bits:.3f}" for bits in row.values()) + " |" in card
    for run in record["experts"].values():
        assert f"{run['tokens']:,}" in card and run["curve"][-1]["tokens"] == run["tokens"]


def test_mean_of_logits_stays_near_the_better_expert() -> None:
    report = json.loads((MINI / "training.json").read_text(encoding="utf-8"))["bits_per_character"]
    for language, row in report.items():
        assert row["mean of logits"] <= 1.10 * min(row["RU"], row["ZH"]), language


PROMPTS = [("Жила-была девочка", "cyrillic"), ("Мама", "cyrillic"), ("I want to", "latin"), ("My friend", "latin"),
           ("我喜欢", "han"), ("今天我们", "han")]  # fmt: skip


@pytest.mark.parametrize(("prompt", "script"), PROMPTS)
def test_fused_text_stays_in_the_language_of_the_prompt(mini: Engine, prompt: str, script: str) -> None:
    letters: Counter[str] = Counter()
    for seed in range(6):
        *_, last = mini.generate(prompt, Sampling(seed=seed, new_tokens=40))
        assert last.trace is not None
        written = "".join(last.trace.texts[last.trace.prompt :])
        letters.update(script_of(c) for c in written)
    del letters["other"]
    assert letters[script] >= 0.95 * letters.total() > 0, letters


def test_published_example_runs_on_the_bundled_checkpoint() -> None:
    model = AutoModelForCausalLM.from_pretrained(MINI)
    tokenizer = AutoTokenizer.from_pretrained(MINI)
    inputs = tokenizer("Жила-была девочка", return_tensors="pt")
    torch.manual_seed(0)
    output = model.generate(**inputs, max_new_tokens=100, temperature=0.8, top_k=50, top_p=0.95, do_sample=True)
    assert tokenizer.decode(output[0]).startswith(" Жила-была девочка")
    assert output.shape[1] > inputs["input_ids"].shape[1] + 5


def test_the_shipped_word_list_is_this_models_and_its_curves_are_those_of_the_probes(mini: Engine) -> None:
    """One battery and the comparison of experts, computed anew by the code that answers a visitor's words."""
    shipped = read_words(MINI, mini)
    assert shipped is not None
    bank, places, proof = shipped.bank, shipped.places, shipped.proof
    assert proof is not None and set(places) == set(PRESETS) and set(proof.batteries) == set(PROOF_SETS)
    fresh = run_battery(mini, bank.subset(proof_set("kept_zh")))
    for name, curve in proof.batteries["kept_zh"].curves.items():
        tolerance = {"dimension": 3.0, "effective_rank": 0.5, "selectivity": 0.1}.get(name, 0.03)
        assert np.allclose(curve.values, fresh.curves[name].values, atol=tolerance), name
    assert np.allclose(proof.crossings.alike, cross(mini.bundle.experts, bank).alike, atol=0.01)
    for name in PRESETS:
        assert places[name].shape == (2, mini.model.shape.layers + 1, len(preset(name)), 2)
