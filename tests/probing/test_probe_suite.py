"""All measures of a word set at every layer, and the charts of the Proof tab, over the toy experts."""

import json
import re
import threading
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.stats import spearmanr

from app.engine.engine import Engine
from app.panels.lab import depths, lab_view
from app.panels.proof import proof_view
from app.probing.curves import ProbeResults
from app.probing.measures import (
    effective_rank,
    letters_apart,
    pair_auc,
    picture_distances,
    purity,
    retrieval,
    rsa,
    same_labels,
    selectivity,
    two_nn,
)
from app.probing.probe_measures import MEASURES, unlabelled
from app.probing.probe_suite import run_probes, untrained_engine
from app.probing.word_cache import WordCache
from app.probing.word_list import CARRIERS, KEPT_OUT, Word, all_words, nouns, parse_words, preset
from app.probing.word_proof import (
    PROOF_SETS,
    cross,
    measure_proof,
    pair_apart,
    proof_from_json,
    proof_set,
    proof_to_json,
)
from app.probing.word_states import WordStates, word_states
from app.substrate.pictures import draw_pictures
from app.wording.catalogue import speaker, texts
from app.wording.errors import UserError
from tests.support.html import Reader, saved

RANDOM = np.random.default_rng(5)
SAY = speaker("en")


@pytest.fixture(scope="module")
def states(engine: Engine) -> WordStates:
    words = parse_words("latin: b c d e f g h i k l m n o p\ncyrillic: б в г д е ж з и к л м н о п")
    return word_states(engine, words)


@pytest.fixture(scope="module")
def results(engine: Engine, states: WordStates) -> ProbeResults:
    return run_probes(engine, states)


def test_the_suite_gives_what_each_probe_gives(engine: Engine, states: WordStates, results: ProbeResults) -> None:
    """Its matrix products against the single functions, layer by layer."""
    words = states.words
    labels, same = [w.concept for w in words], same_labels([w.concept for w in words])
    apart = letters_apart([w.text for w in words], [w.language for w in words])
    last = [engine.ids_of(word.text)[-1] for word in words]
    pictures = picture_distances(draw_pictures([engine.text_of(i) for i in last], "legible"))
    untrained = word_states(untrained_engine(engine), words).states
    for name, measure in {
        "purity": lambda s: purity(s, labels),
        "purity_apart": lambda s: purity(s, labels, apart=apart),
        "auc": lambda s: pair_auc(s, same, apart),
        "rsa": lambda s: rsa(s, same, pictures)[0],
        "rsa_given": lambda s: rsa(s, same, pictures)[1],
        "memory": lambda s: rsa(s, same, pictures)[2],
        "selectivity": lambda s: selectivity(s, labels),
        "effective_rank": effective_rank,
        "dimension": two_nn,
    }.items():
        curve = results.curves[name]
        for layer in range(3):
            for e in (0, 1):
                assert curve.values[e, layer] == pytest.approx(measure(states.states[e, layer]), rel=1e-3, abs=1e-3), (
                    name
                )
            assert curve.untrained[layer] == pytest.approx(measure(untrained[0, layer]), rel=1e-3, abs=1e-3), name
        assert np.all(curve.low <= curve.values + 0.05) and np.all(curve.high >= curve.values - 0.05), name
        assert (len(curve.emergence) == 2) == MEASURES[name].labelled
    assert set(results.curves) == set(MEASURES)


def test_a_new_measure_needs_a_function_an_entry_and_a_title(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, states: WordStates
) -> None:
    """Nothing else: its curve, its chart and its rows of the export follow."""

    def mean_cosine(layer: Any) -> float:
        rows = layer / np.linalg.norm(layer, axis=1, keepdims=True)
        return float(np.mean(rows @ rows.T))

    monkeypatch.setitem(MEASURES, "mean_cosine", unlabelled(mean_cosine))  # type: ignore[misc]
    monkeypatch.setitem(texts("en"), "measure_of_mean_cosine", "Mean cosine")  # type: ignore[misc]
    results = run_probes(engine, states)
    expected = [[mean_cosine(layer) for layer in expert] for expert in states.states]
    assert np.allclose(results.curves["mean_cosine"].values, expected, atol=1e-5)
    html = proof_view(results, None, None, SAY)
    page = Reader(html)
    chart = json.loads(page.with_class("gs-picker")[0]["data-charts"])[-1]
    assert page.text.count("Mean cosine") == 1 and "at layer 0" in chart["sentence"]
    assert saved(html)["table"]["index"]["measure"][-1] == "mean_cosine"


def test_picture_memory_is_of_the_token_whose_state_it_is(engine: Engine) -> None:
    """By scipy, on words of several tokens: the picture is the last token's, drawn again, not the word's."""
    words = preset("few_ru")
    ids = [engine.ids_of(word.text) for word in words]
    assert np.mean([len(own) > 1 for own in ids]) > 0.9
    states = word_states(engine, words)
    curve = run_probes(engine, states).curves["memory"]
    drawn = draw_pictures([engine.text_of(own[-1]) for own in ids], "legible").reshape(len(words), -1).astype(float)
    drawn -= drawn.mean(axis=0)
    near = drawn @ drawn.T / np.outer(*[np.linalg.norm(drawn, axis=1)] * 2)
    upper = np.triu_indices(len(words), 1)
    for e in (0, 1):
        for layer in range(3):
            z = states.states[e, layer].astype(float)
            z = (z - z.mean(axis=0)) / z.std(axis=0)
            alike = z @ z.T / np.outer(*[np.linalg.norm(z, axis=1)] * 2)
            expected = spearmanr(alike[upper], near[upper]).statistic
            assert curve.values[e, layer] == pytest.approx(expected, abs=2e-3)


def test_a_small_set_is_measured_with_fewer_neighbours_and_says_so(engine: Engine) -> None:
    words = parse_words("latin: b c d f\ncyrillic: б в г д ж")
    results = run_probes(engine, word_states(engine, words))
    assert results.neighbours == 3 and results.best == {"purity": 1.0, "purity_apart": 1.0}
    assert results.chance["purity"] == pytest.approx((4 * 3 / 8 + 5 * 4 / 8) / 9)
    charts = json.loads(Reader(proof_view(results, None, None, SAY)).with_class("gs-picker")[0]["data-charts"])
    chance = f"{results.chance['purity']:.2f}"
    assert charts[0]["sentence"].endswith(f"k = 3 neighbours: {chance} by chance, 1.00 at most.")
    assert "k = " not in charts[list(MEASURES).index("auc")]["sentence"]
    assert "purity of 3" in proof_view(results, None, None, SAY)


@pytest.mark.parametrize("sizes", [[9], [3, 2], [1] * 12])
def test_too_few_groups_or_words_are_not_measured(engine: Engine, sizes: list[int]) -> None:
    words = tuple(Word(chr(97 + 9 * g + i), "en", str(g)) for g, size in enumerate(sizes) for i in range(size))
    with pytest.raises(UserError, match="at least 2 groups, one per line, each of at least 3") as caught:
        run_probes(engine, WordStates(words, np.zeros((2, 3, len(words), 64), np.float32)))
    assert caught.value.code == "few_groups"


def test_what_word_classes_add_is_said_with_its_size(engine: Engine, list_states: WordStates) -> None:
    every, nouns = (run_probes(engine, list_states.subset(proof_set(name))) for name in ("zh", "nouns_zh"))
    sentence = Reader(proof_view(None, ("proof_set_kept_zh", every), None, SAY, (every, nouns))).text
    for e, name in enumerate(engine.bundle.experts):
        whole, part = (results.curves["purity_apart"].values[e, -1] for results in (every, nouns))
        above = [value - results.chance["purity_apart"] for value, results in ((whole, every), (part, nouns))]
        assert f"{name} {above[0] - above[1]:+.2f}" in sentence
    assert "word classes (numbers, colours, countries, actions, feelings)" in sentence
    assert "word classes" not in proof_view(every, None, None, SAY)


def test_layer_zero_is_the_same_for_experts_and_untrained(results: ProbeResults) -> None:
    for curve in results.curves.values():
        assert curve.values[0, 0] == pytest.approx(curve.values[1, 0]) == pytest.approx(curve.untrained[0])


def test_shuffled_labels_are_at_chance_and_their_ceiling_above(results: ProbeResults) -> None:
    auc = results.curves["auc"]
    assert np.all(auc.shuffled_low < 0.5) and np.all(auc.shuffled_high > 0.5)
    assert np.all(auc.ceiling >= auc.shuffled_low.max(axis=1))


def test_shuffled_states_have_no_emergence(engine: Engine, states: WordStates) -> None:
    """The same states under the wrong words: nothing may emerge."""
    order = RANDOM.permutation(len(states.words))
    wrong = run_probes(engine, WordStates(states.words, states.states[:, :, order]))
    labelled = [name for name in MEASURES if MEASURES[name].labelled]
    found = [part.layer for name in labelled for part in wrong.curves[name].emergence]
    assert found.count(None) >= len(found) - 1


def test_the_suite_can_be_cancelled(engine: Engine, states: WordStates) -> None:
    stop = threading.Event()

    def progress(share: float) -> bool:
        if share > 0.5:
            stop.set()
        return not stop.is_set()

    with pytest.raises(UserError, match="Cancelled"):
        run_probes(engine, states, progress)


def test_what_is_shipped_comes_back(results: ProbeResults) -> None:
    record = TypeAdapter(ProbeResults)
    back = record.validate_json(record.dump_json(results))
    for name, curve in results.curves.items():
        for field, value in vars(curve).items():
            if field != "emergence":
                assert np.allclose(getattr(back.curves[name], field), value, atol=1e-4, equal_nan=True)
        assert back.curves[name].emergence == curve.emergence


def test_sets_of_the_proof() -> None:
    assert {w.concept for w in proof_set("kept_zh")} == set(KEPT_OUT) and proof_set("ru") == preset("ru")
    assert PROOF_SETS[0] == "kept_en" and all(len(proof_set(f"second_{language}")) == 120 for language in CARRIERS)
    assert proof_set("nouns_ru") == nouns("ru")


@pytest.fixture(scope="module")
def list_states(engine: Engine) -> WordStates:
    return word_states(engine, all_words())


def test_experts_agree_on_layer_zero_and_only_there(list_states: WordStates) -> None:
    crossings = cross(("RU", "ZH"), list_states)
    assert crossings.alike[0, 0] == pytest.approx(1, abs=1e-4) and crossings.alike[2, 2] < 0.999
    assert crossings.found.shape == (3, 2, 3) and np.array_equal(crossings.found[:, 0, 0], crossings.found[:, 1, 0])
    english, russian = (np.array([w.language == language for w in list_states.words]) for language in ("en", "ru"))
    assert crossings.found[0, 1, 2] == pytest.approx(
        retrieval(list_states.states[1, 2, english], list_states.states[1, 2, russian])[0]
    )


def test_look_alikes_are_one_in_the_same_sentence_and_two_in_their_own(engine: Engine, list_states: WordStates) -> None:
    apart = pair_apart(engine, list_states.standard[1:], "A", "А")
    assert np.abs(apart.same).max() < 1e-3 and np.abs(apart.own[:, 0]).max() < 1e-3
    assert np.all(apart.own[:, 1:] > 2 * np.abs(apart.same).max() + 1e-4)
    alike = pair_apart(engine, list_states.standard[1:], "и", "й")
    assert np.all(alike.same[:, 1:] > 0) and np.array_equal(alike.same, alike.own)


def test_the_laboratory_shows_how_far_the_layers_pull_a_pair_apart(engine: Engine, list_states: WordStates) -> None:
    word_cache = WordCache(engine)
    assert depths(word_cache, "A", "А") is None
    word_cache.scale = list_states.standard[1:]
    found = depths(word_cache, "A", "А")
    apart = pair_apart(engine, list_states.standard[1:], "A", "А")
    assert found is not None and depths(word_cache, "A", "!") is None and depths(word_cache, "", "A") is None
    html = lab_view(engine, "A", "А", SAY, found)
    cells = [float(x) for x in re.findall(r">(\d\.\d\d)</td>", html)]
    expected = np.concatenate((apart.same.ravel(), apart.own.ravel()))
    assert cells == pytest.approx(np.abs(expected).tolist(), abs=0.006)
    assert f"{abs(apart.own[0, 2]):.2f} / {abs(apart.own[1, 2]):.2f} with each in its own language" in html


@pytest.mark.slow
def test_the_proof_survives_a_file(engine: Engine, list_states: WordStates, monkeypatch: pytest.MonkeyPatch) -> None:
    few = parse_words("x: b c d e f\ny: г д ж з и")
    monkeypatch.setattr("app.probing.word_proof.proof_set", lambda name: few)
    monkeypatch.setattr(WordStates, "subset", lambda self, words: word_states(engine, words))
    monkeypatch.setattr(WordStates, "places", lambda self, words: list(range(len(words))))
    proof = measure_proof(engine, list_states, list_states, list_states)
    again = proof_from_json(proof_to_json(proof))
    assert set(again.results) == set(proof.results) == set(PROOF_SETS) and again.crossings.words == 209
    assert np.allclose(again.crossings.alike, proof.crossings.alike, atol=1e-4)


def test_charts_draw_the_results_and_say_what_it_shows(results: ProbeResults, list_states: WordStates) -> None:
    assert (
        "with their translations" not in Reader(proof_view(results, None, cross(("RU", "ZH"), list_states), SAY)).text
    )
    html = proof_view(results, None, cross(("RU", "ZH"), list_states), SAY, paired=0.312)
    assert "up to 31.2" in Reader(html).text and "with their translations" in Reader(html).text
    reader = Reader(html)
    charts = json.loads(reader.with_class("gs-picker")[0]["data-charts"])
    assert len(charts) == len(MEASURES)
    for name, chart in zip(MEASURES, charts, strict=True):
        curve = results.curves[name]
        named: dict[str, Any] = {
            trace["name"]: trace for trace in chart["figure"]["data"] if trace.get("showlegend", True)
        }
        assert named["RU"]["y"] == pytest.approx(curve.values[0].tolist(), abs=1e-4)
        assert named["ZH"]["y"] == pytest.approx(curve.values[1].tolist(), abs=1e-4)
        assert named["untrained network"]["y"] == pytest.approx(curve.untrained.tolist(), abs=1e-4)
        assert ("shuffled labels" in named) == MEASURES[name].labelled
        for e, found in enumerate(curve.emergence):
            says = f"from layer {found.layer} on" if found.layer is not None else "no effect beyond the controls"
            assert says in chart["sentence"].split("RU: ")[1].split("ZH: ")[e]
        lines = [shape["x0"] for shape in chart["figure"]["layout"]["shapes"]]
        assert lines == [found.layer for found in curve.emergence if found.layer is not None]
    assert "28 words, 2 groups" in reader.text and "(1.00)" in reader.text
    table = saved(html)["table"]
    assert table["index"]["measure"] == list(MEASURES)
    assert np.allclose(table["values"]["values"], [results.curves[m].values for m in MEASURES], atol=1e-5)


def test_own_words_stand_in_the_same_plot_as_a_shipped_set(
    results: ProbeResults, list_states: WordStates, engine: Engine
) -> None:
    shipped = run_probes(engine, list_states.subset(preset("few_zh")))
    html = proof_view(results, ("proof_set_zh", shipped), None, SAY)
    reader = Reader(html)
    chart = json.loads(reader.with_class("gs-picker")[0]["data-charts"])[0]
    named = {trace["name"]: trace["y"] for trace in chart["figure"]["data"] if trace.get("showlegend", True)}
    for e, expert in enumerate(("RU", "ZH")):
        assert named[expert] == pytest.approx(results.curves["purity"].values[e].tolist(), abs=1e-4)
        beside = named[f"{expert}, Fourteen groups, Chinese"]
        assert beside == pytest.approx(shipped.curves["purity"].values[e].tolist(), abs=1e-4)
    assert "28 words, 2 groups" in reader.text and "44 words, 4 groups" in reader.text


def test_what_the_sentence_tells_alone_is_a_control(engine: Engine, states: WordStates) -> None:
    """States that tell the group from layer 1 on emerge there; beyond tokens before the words that tell as much,
    nothing does."""
    generator = np.random.default_rng(5)
    groups = np.array([word.concept == "latin" for word in states.words])
    made = generator.normal(size=states.states.shape).astype(np.float32)
    made[:, 1:, :, :8] += 6 * groups[:, None]
    told = WordStates(states.words, made)
    alone, under = run_probes(engine, told), run_probes(engine, told, context=made)
    for name in ("purity", "auc", "rsa"):
        assert np.allclose(under.curves[name].context, alone.curves[name].values)
        assert [found.layer for found in alone.curves[name].emergence] == [1, 1]
        assert [found.layer for found in under.curves[name].emergence] == [None, None]
    assert np.isnan(alone.curves["auc"].context).all()
    html = proof_view(under, None, None, SAY)
    chart = json.loads(Reader(html).with_class("gs-picker")[0]["data-charts"])[0]
    named = {trace["name"]: trace["y"] for trace in chart["figure"]["data"] if trace.get("showlegend", True)}
    assert named["ZH, the token before the word"] == pytest.approx(under.curves["purity"].values[1].tolist(), abs=1e-4)
    assert f"tokens before the words reach {under.curves['purity'].values[0].max():.2f}" in chart["sentence"]
