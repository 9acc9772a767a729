"""The bundled model as it ships: its table is its pictures, its card its figures, its language the prompt's."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from transformers import AutoModelForCausalLM, AutoTokenizer

import app.network.transformers_model  # noqa: F401  registers the model class
from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.probing.contexts import find_contexts
from app.probing.control_record import read_control_record
from app.probing.control_states import ControlStates, read_control_states
from app.probing.measures import purity
from app.probing.probe_suite import run_probes, untrained_engine
from app.probing.word_cache import WordFile, read_words
from app.probing.word_list import PRESETS, list_code, preset
from app.probing.word_proof import PROOF_SETS, cross, proof_set
from app.probing.word_states import word_states
from app.substrate.embedding import decode, embed
from app.substrate.pictures import draw_pictures
from app.substrate.scripts import script_of
from app.training.corpus import read_lines
from tests.conftest import SHARED


@pytest.fixture(scope="module")
def mini() -> Engine:
    return Engine(load_bundle())


def test_it_is_small_enough() -> None:
    assert sum(file.stat().st_size for file in MINI.iterdir()) <= 45_000_000


@pytest.mark.slow
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
    for stream, row in record.get("bits_per_character_stories", {}).items():
        assert f"| {stream} | " + " | ".join(f"{bits:.3f}" for bits in row.values()) + " |" in card
    for direction, scores in record.get("translation", {}).items():
        cells = [f"{score['bleu']:.1f} / {score['chrf']:.1f}" for score in scores.values()]
        assert f"| {direction} | {scores['mean of logits']['pairs']:,} | {' | '.join(cells)} |" in card
    for run in record["experts"].values():
        assert f"{run['tokens']:,}" in card and run["curve"][-1]["tokens"] == run["tokens"]


def test_mean_of_logits_stays_near_the_better_expert() -> None:
    report = json.loads((MINI / "training.json").read_text(encoding="utf-8"))["bits_per_character"]
    for language, row in report.items():
        assert row["mean of logits"] <= 1.10 * min(row["RU"], row["ZH"]), language


PROMPTS = [("Жила-была девочка", "cyrillic"), ("Мама", "cyrillic"), ("I want to", "latin"), ("My friend", "latin"),
           ("我喜欢", "han"), ("今天我们", "han")]  # fmt: skip


@pytest.mark.slow
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
    assert tokenizer.decode(output[0], skip_special_tokens=True).startswith(" Жила-была девочка")
    assert output.shape[1] > inputs["input_ids"].shape[1] + 5


@pytest.mark.parametrize("text", [*(prompt for prompt, _ in PROMPTS), "a\nb  c", "Ёж and 猫，Ω!"])
def test_transformers_feeds_what_the_engine_feeds(mini: Engine, text: str) -> None:
    """Token by token, with one start token before them; and both say the same of what follows."""
    fed = AutoTokenizer.from_pretrained(MINI)(text)["input_ids"]
    trace = mini.look(text)
    assert fed == trace.ids.tolist() == [mini.bundle.start, *mini.encode(text)]
    assert fed.count(mini.bundle.start) == 1


@pytest.fixture(scope="module")
def shipped(mini: Engine) -> WordFile:
    found = read_words(MINI, mini)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def others(shipped: WordFile) -> ControlStates:
    found = read_control_states(MINI, shipped.list_states.states.shape[1:])
    assert found is not None and len(found.unfrozen) == 2
    return found


@pytest.mark.slow
def test_the_shipped_word_list_is_this_models_and_its_curves_are_those_of_the_probes(
    mini: Engine, shipped: WordFile
) -> None:
    """One set of results and the comparison of experts, computed anew by the code that answers a visitor's words."""
    list_states, places, proof = shipped.list_states, shipped.places, shipped.proof
    assert proof is not None and set(places) == set(PRESETS) and set(proof.results) == set(PROOF_SETS)
    fresh = run_probes(mini, word_states(mini, proof_set("kept_zh")))
    for name, curve in proof.results["kept_zh"].curves.items():
        tolerance = {"dimension": 3.0, "effective_rank": 0.5, "selectivity": 0.1}.get(name, 0.03)
        for field in ("values", "untrained"):
            assert np.allclose(getattr(curve, field), getattr(fresh.curves[name], field), atol=tolerance), name
    assert np.allclose(proof.crossings.alike, cross(mini.bundle.experts, list_states).alike, atol=0.01)
    for name in PRESETS:
        assert places[name].shape == (2, mini.model.shape.layers + 1, len(preset(name)), 2)


def test_the_untrained_engine_of_words_without_real_sentences_is_read_anew(
    mini: Engine, shipped: WordFile, others: ControlStates
) -> None:
    rows = [i for i, count in enumerate(shipped.list_states.sentences) if count == 0][::20]
    fresh = word_states(untrained_engine(mini), tuple(shipped.list_states.words[i] for i in rows)).states[0]
    assert len(rows) > 3 and np.abs(others.rows(rows).untrained - fresh).max() < 0.01 * np.abs(fresh).max()


def test_the_recorded_purity_of_the_unfrozen_controls_is_that_of_their_shipped_states(
    shipped: WordFile, others: ControlStates
) -> None:
    """By scikit-learn's neighbours, against what was measured on the controls when they were trained, and against
    the shipped curves of the proof."""
    controls, proof = read_control_record(MINI), shipped.proof
    assert controls is not None and proof is not None
    curve = proof.results["text_zh"].curves["purity"]
    runs = {run.name: run for run in controls.runs}
    words = preset("zh")
    labels = np.array([word.concept for word in words])
    for e, expert in enumerate(("ru", "zh")):
        states = others.rows(shipped.list_states.places(words)).unfrozen[e].astype(np.float64)
        for layer in (2, 4, 6):
            rows = (states[layer] - states[layer].mean(axis=0)) / states[layer].std(axis=0)
            near = NearestNeighbors(n_neighbors=5, metric="cosine").fit(rows).kneighbors(return_distance=False)
            recorded = runs[f"{expert}_trained"].curves["zh"]["purity"][layer][0]
            found = (labels[near] == labels[:, None]).mean()
            assert found == pytest.approx(recorded, abs=0.02) and found == pytest.approx(
                curve.unfrozen[e, layer], abs=0.02
            )
    own = shipped.list_states.subset(words).states
    assert curve.values[:, 6] == pytest.approx([purity(own[e, 6], labels.tolist()) for e in (0, 1)], abs=0.01)


def test_the_card_shows_every_control_and_merge() -> None:
    card = (MINI / "README.md").read_text(encoding="utf-8")
    controls = read_control_record(MINI)
    assert controls is not None
    for run in (*controls.runs, *controls.tries):
        assert f"| {run.name} | {run.tokens:,} |" in card and f"| {run.bits['zh']:.3f} |" in card
    for way, fusion in controls.fusions.items():
        assert f"| {way} | {next(iter(fusion['en'].values())):.3f} |" in card


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_the_pictures_alone_do_not_give_the_groups_away(mini: Engine, language: str) -> None:
    """At layer 0, where a word is the picture of its last token, few of its neighbours are of its group; and all
    figures of the controls that have any are over this list."""
    words = preset(language)
    table = mini.model.embedding[[mini.ids_of(word.text)[-1] for word in words]].numpy()
    alone = purity(table, [word.concept for word in words])
    assert alone <= 0.15
    controls = read_control_record(MINI)
    assert controls is not None
    measured = [run for run in controls.runs if run.kind == "frozen"]
    assert len(measured) == 2 and {run.words for run in measured} == {list_code()}
    assert [run.curves[language]["purity"][0][0] for run in measured] == pytest.approx([alone, alone], abs=1e-3)


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the training text is not on this machine")
@pytest.mark.slow
def test_states_of_words_in_held_out_sentences_are_computed_anew(mini: Engine, shipped: WordFile) -> None:
    list_states = shipped.list_states
    for language in ("en", "ru", "zh"):
        words = tuple(word for word in list_states.words if word.language == language)[::15]
        lines = read_lines(SHARED / "corpus", language).held_out
        fresh = word_states(mini, words, readings=find_contexts(lines, words, mini.bundle.tokenizer))
        kept = list_states.subset(words)
        assert fresh.sentences == kept.sentences and fresh.in_text > len(words) / 2
        assert np.abs(fresh.states - kept.states).max() < 0.02 * np.abs(fresh.states).max()


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the training text is not on this machine")
@pytest.mark.slow
def test_what_chinese_sentences_tell_alone_is_computed_anew(mini: Engine, shipped: WordFile) -> None:
    words = preset("zh")
    readings = find_contexts(read_lines(SHARED / "corpus", "zh").held_out, words, mini.bundle.tokenizer)
    states = word_states(mini, words, readings=readings, before=True).states
    assert shipped.proof is not None
    curve = shipped.proof.results["text_zh"].curves["purity"].context
    fresh = [[purity(layer, [word.concept for word in words]) for layer in expert] for expert in states]
    assert np.allclose(curve, fresh, atol=0.01)
