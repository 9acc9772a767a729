"""Probes on data with a known answer, and against independent computations."""

import csv
import json
import re
import threading
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from app.checkpoint.published import published
from app.engine.engine import Engine
from app.panels.figures import figures_view
from app.panels.lab import depths, lab_view
from app.panels.proof import proof_view
from app.probing.curves import Battery, from_plain, to_plain
from app.probing.measures import (
    bootstrap,
    cka,
    effective_rank,
    emergence,
    item_draws,
    letters_apart,
    pair_auc,
    picture_distances,
    purity,
    rank_correlation,
    retrieval,
    rsa,
    same_labels,
    selectivity,
    two_nn,
)
from app.probing.probe_suite import LABELLED, MEASURES, run_battery, untrained_twin
from app.probing.word_cache import WordCache
from app.probing.word_list import CARRIERS, KEPT_OUT, Word, all_words, nouns, parse_words, preset
from app.probing.word_proof import PROOF_SETS, cross, pair_apart, plain_proof, proof_set, prove, read_proof
from app.probing.word_states import WordStates, centred, cosines, word_states
from app.substrate.pictures import draw_pictures
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.conftest import SHARED
from tests.panels.test_views import Reader, saved

SAY = speaker("en")
RANDOM = np.random.default_rng(5)
LABELS = ["a"] * 20 + ["b"] * 15 + ["c"] * 25


def clusters(noise: float, dimensions: int = 16) -> np.ndarray:
    """States (60, d) around one centre a label."""
    centres = {label: RANDOM.normal(size=dimensions) for label in "abc"}
    return np.stack([centres[x] + noise * RANDOM.normal(size=dimensions) for x in LABELS]).astype(np.float32)


def test_letters_that_words_share() -> None:
    words = ["кошка", "мошка", "красный", "белый", "mother", "brother", "cat", "二月", "三月", "火", "a", "b"]
    languages = ["ru"] * 4 + ["en"] * 3 + ["zh"] * 3 + ["en"] * 2
    apart = letters_apart(words, languages)
    shared = {(words[i], words[j]) for i, j in np.argwhere(~apart) if i < j}
    assert shared == {("кошка", "мошка"), ("красный", "белый"), ("mother", "brother"), ("二月", "三月")}
    assert not apart.diagonal().any() and np.array_equal(apart, apart.T)


def test_pair_auc_against_scikit_learn() -> None:
    states = clusters(2.0)
    same, apart = same_labels(LABELS), RANDOM.random((60, 60)) < 0.7
    apart = np.triu(apart, 1) | np.triu(apart, 1).T
    upper = np.triu(apart, 1)
    expected = roc_auc_score(same[upper], cosines(states)[upper])
    assert pair_auc(states, same, apart) == pytest.approx(expected, abs=1e-6)
    assert pair_auc(clusters(0.01), same, apart) == 1.0
    noise = RANDOM.normal(size=(60, 16)).astype(np.float32)
    assert pair_auc(noise, same, apart) == pytest.approx(0.5, abs=0.06)
    assert pair_auc(states, np.zeros_like(same), apart) == 0.5


def test_purity_of_pairs_that_count() -> None:
    """With all pairs of one label left out, no neighbour carries one's label."""
    states = clusters(0.5)
    assert purity(states, LABELS) > 0.9 and purity(states, LABELS, apart=~same_labels(LABELS)) == 0


def test_rsa_against_scipy() -> None:
    states = clusters(1.0)
    bitmaps = RANDOM.random((60, 32, 32)) < 0.3
    pictures = picture_distances(bitmaps)
    with_labels, given, memory = rsa(states, same_labels(LABELS), pictures)
    near = pdist(centred(states)[0], "cosine")
    other = np.array([LABELS[i] != LABELS[j] for i in range(60) for j in range(i + 1, 60)])
    flat = bitmaps.reshape(60, -1).astype(float)
    drawn = pdist(flat - flat.mean(0), "cosine")
    h_m, h_p, m_p = (spearmanr(a, b).statistic for a, b in ((near, other), (near, drawn), (other, drawn)))
    assert with_labels == pytest.approx(h_m, abs=1e-4) and memory == pytest.approx(h_p, abs=1e-3)
    assert given == pytest.approx((h_m - h_p * m_p) / np.sqrt((1 - h_p**2) * (1 - m_p**2)), abs=1e-3)
    assert (
        rank_correlation(np.arange(9), np.arange(9) ** 3) == pytest.approx(1)
        and rank_correlation(np.arange(9), np.ones(9)) == 0
    )


def test_what_follows_the_pictures_alone_is_no_meaning() -> None:
    """States that are the pictures: memory is whole; given the pictures, nothing is left."""
    bitmaps = RANDOM.random((60, 32, 32)) < 0.3
    bitmaps[:20, :4] = True  # one label has a picture of its own
    states = bitmaps.reshape(60, -1).astype(np.float32)
    states = (states - states.mean(0)).astype(np.float32)
    pictures = 1 - cosines(states)
    with_labels, given, memory = rsa(states, same_labels(LABELS), pictures)
    assert memory == pytest.approx(1, abs=1e-6) and abs(given) < 0.05 < with_labels


def test_retrieval_finds_a_rotated_language_after_alignment_and_not_noise() -> None:
    source = RANDOM.normal(size=(50, 20)).astype(np.float32)
    near = source + 0.05 * RANDOM.normal(size=(50, 20)).astype(np.float32)
    assert retrieval(source, near) == (1.0, 1.0)
    first, rank = retrieval(source, RANDOM.normal(size=(50, 20)).astype(np.float32))
    assert first < 0.15 and rank < 0.3
    assert retrieval(source, 3 * near + 7) == (1.0, 1.0)  # each language is standardised by itself


def test_a_hub_does_not_win_under_csls() -> None:
    """A point in the middle of all others is everybody's nearest by cosine; CSLS takes its hubness off."""
    source = np.eye(12, dtype=np.float32)[:, :11] + 0.2
    z = centred(source)[0]
    plain = z @ z.T
    found, _ = retrieval(source, source)
    assert found == 1.0 and np.all(plain.argmax(1) == np.arange(12))


def test_cka_of_the_same_up_to_rotation_is_one_and_of_noise_is_nothing() -> None:
    states = RANDOM.normal(size=(40, 60)).astype(np.float32)
    turn = np.linalg.qr(RANDOM.normal(size=(60, 60)))[0].astype(np.float32)
    assert cka(states, 3 * states @ turn) == pytest.approx(1, abs=1e-4)
    noise = [cka(states, RANDOM.normal(size=(40, 60)).astype(np.float32)) for _ in range(30)]
    assert abs(np.mean(noise)) < 0.03  # the biased one would say 0.6 here
    with pytest.raises(ValueError, match="at least 4"):
        cka(states[:3], states[:3])


def test_unbiased_hsic_by_its_definition() -> None:
    """The sum over all quadruples of different items (Song 2012, equation 4)."""
    from itertools import permutations

    x, y = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 2))
    k, m = x @ x.T, y @ y.T
    quadruples = list(permutations(range(6), 4))

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        return float(np.mean([k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]) for i, j, q, r in quadruples]))

    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert cka(x.astype(np.float32), y.astype(np.float32)) == pytest.approx(expected, abs=1e-4)


def test_a_linear_probe_is_selective_where_labels_are_linear() -> None:
    assert selectivity(clusters(0.3), LABELS) > 0.5
    scores = [selectivity(RANDOM.normal(size=(60, 16)).astype(np.float32), LABELS, seed) for seed in range(10)]
    assert abs(np.mean(scores)) < 0.1
    assert selectivity(clusters(0.3), [str(i) for i in range(60)]) == 0


def test_effective_rank_counts_directions() -> None:
    flat = np.zeros((400, 10), np.float32)
    flat[:, :3] = np.linalg.qr(RANDOM.normal(size=(400, 3)) - 0)[0]
    assert effective_rank(flat) == pytest.approx(3, abs=0.05)
    assert effective_rank(RANDOM.normal(size=(5000, 6)).astype(np.float32)) == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_two_nn_finds_the_dimension(dimension: int) -> None:
    points = RANDOM.random((3000, dimension)) @ RANDOM.normal(size=(dimension, 20))
    assert two_nn(points.astype(np.float32)) == pytest.approx(dimension, rel=0.12)


def test_two_nn_of_one_repeated_point_is_nothing() -> None:
    assert two_nn(np.ones((9, 4), np.float32)) == 0


def test_bootstrap_spreads_like_the_standard_error() -> None:
    values = RANDOM.random((2, 80))
    means = bootstrap(values, item_draws(80, 4000))
    assert means.shape == (4000, 2)
    assert means.mean(axis=0) == pytest.approx(values.mean(axis=1), abs=0.004)
    assert means.std(axis=0) == pytest.approx(values.std(axis=1) / np.sqrt(80), rel=0.06)
    assert np.all(item_draws(80, 10).sum(axis=1) == 80)


def test_emergence_is_the_first_layer_above_every_control() -> None:
    draws = np.array([0.5, 0.5, 0.6, 0.9]) + 0.1 * RANDOM.normal(size=(4000, 4)).clip(-2, 2)
    found = emergence(draws, np.stack([np.full(4, 0.55), np.array([0.5, 0.1, 0.1, 0.1])]))
    assert (found.layer, found.earliest) == (3, 1)
    none = emergence(draws, np.full((1, 4), 2.0))
    assert (none.layer, none.earliest) == (None, None)
    assert emergence(draws + np.array([9, 0, 0, 0]), np.full((1, 4), 0.55)).layer == 3  # layer 0 never emerges


@pytest.fixture(scope="module")
def states(engine: Engine) -> WordStates:
    words = parse_words("latin: b c d e f g h i k l m n o p\ncyrillic: б в г д е ж з и к л м н о п")
    return word_states(engine, words)


@pytest.fixture(scope="module")
def battery(engine: Engine, states: WordStates) -> Battery:
    return run_battery(engine, states)


def test_the_battery_gives_what_each_probe_gives(engine: Engine, states: WordStates, battery: Battery) -> None:
    """Its matrix products against the single functions, layer by layer."""
    words = states.words
    labels, same = [w.concept for w in words], same_labels([w.concept for w in words])
    apart = letters_apart([w.text for w in words], [w.language for w in words])
    last = [engine.ids_of(word.text)[-1] for word in words]
    pictures = picture_distances(draw_pictures([engine.text_of(i) for i in last], "legible"))
    twin = word_states(untrained_twin(engine), words).states
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
        curve = battery.curves[name]
        for layer in range(3):
            for e in (0, 1):
                assert curve.values[e, layer] == pytest.approx(measure(states.states[e, layer]), rel=1e-3, abs=1e-3), (
                    name
                )
            assert curve.untrained[layer] == pytest.approx(measure(twin[0, layer]), rel=1e-3, abs=1e-3), name
        assert np.all(curve.low <= curve.values + 0.05) and np.all(curve.high >= curve.values - 0.05), name
        assert (len(curve.emergence) == 2) == (name in LABELLED)
    assert set(battery.curves) == set(MEASURES)


def test_picture_memory_is_of_the_token_whose_state_it_is(engine: Engine) -> None:
    """By scipy, on words of several tokens: the picture is the last token's, drawn again, not the word's."""
    words = preset("few_ru")
    ids = [engine.ids_of(word.text) for word in words]
    assert np.mean([len(own) > 1 for own in ids]) > 0.9
    states = word_states(engine, words)
    curve = run_battery(engine, states).curves["memory"]
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
    battery = run_battery(engine, word_states(engine, words))
    assert battery.neighbours == 3 and battery.best == {"purity": 1.0, "purity_apart": 1.0}
    assert battery.chance["purity"] == pytest.approx((4 * 3 / 8 + 5 * 4 / 8) / 9)
    charts = json.loads(Reader(proof_view(battery, None, None, SAY)).with_class("gs-picker")[0]["data-charts"])
    chance = f"{battery.chance['purity']:.2f}"
    assert charts[0]["sentence"].endswith(f"k = 3 neighbours: {chance} by chance, 1.00 at the most.")
    assert "k = " not in charts[MEASURES.index("auc")]["sentence"]
    assert "purity of 3" in proof_view(battery, None, None, SAY)


@pytest.mark.parametrize("sizes", [[9], [3, 2], [1] * 12])
def test_too_few_groups_or_words_are_not_measured(engine: Engine, sizes: list[int]) -> None:
    words = tuple(Word(chr(97 + 9 * g + i), "en", str(g)) for g, size in enumerate(sizes) for i in range(size))
    with pytest.raises(UserError, match="at least 2 groups, one a line, each of at least 3") as caught:
        run_battery(engine, WordStates(words, np.zeros((2, 3, len(words), 64), np.float32)))
    assert caught.value.code == "few_groups"


def test_what_word_classes_add_is_said_with_its_size(engine: Engine, bank: WordStates) -> None:
    every, nouns = (run_battery(engine, bank.subset(proof_set(name))) for name in ("zh", "nouns_zh"))
    sentence = Reader(proof_view(None, ("proof_set_kept_zh", every), None, SAY, (every, nouns))).text
    for e, name in enumerate(engine.bundle.experts):
        whole, part = (battery.curves["purity_apart"].values[e, -1] for battery in (every, nouns))
        above = [value - battery.chance["purity_apart"] for value, battery in ((whole, every), (part, nouns))]
        assert f"{name} {above[0] - above[1]:+.2f}" in sentence
    assert "Word classes (numbers, colours, countries, actions, feelings)" in sentence
    assert "Word classes" not in proof_view(every, None, None, SAY)


def test_layer_zero_is_the_same_for_experts_and_twin(battery: Battery) -> None:
    for curve in battery.curves.values():
        assert curve.values[0, 0] == pytest.approx(curve.values[1, 0]) == pytest.approx(curve.untrained[0])


def test_shuffled_labels_are_at_chance_and_their_ceiling_above(battery: Battery) -> None:
    auc = battery.curves["auc"]
    assert np.all(auc.shuffled_low < 0.5) and np.all(auc.shuffled_high > 0.5)
    assert np.all(auc.ceiling >= auc.shuffled_low.max(axis=1))


def test_shuffled_states_have_no_emergence(engine: Engine, states: WordStates) -> None:
    """The same states under the wrong words: nothing may emerge."""
    order = RANDOM.permutation(len(states.words))
    wrong = run_battery(engine, WordStates(states.words, states.states[:, :, order]))
    found = [part.layer for name in LABELLED for part in wrong.curves[name].emergence]
    assert found.count(None) >= len(found) - 1


def test_a_battery_can_be_cancelled(engine: Engine, states: WordStates) -> None:
    stop = threading.Event()

    def progress(share: float) -> bool:
        if share > 0.5:
            stop.set()
        return not stop.is_set()

    with pytest.raises(UserError, match="Cancelled"):
        run_battery(engine, states, progress)


def test_what_is_shipped_comes_back(battery: Battery) -> None:
    back = from_plain(to_plain(battery))
    for name, curve in battery.curves.items():
        for field, value in vars(curve).items():
            if field != "emergence":
                assert np.allclose(getattr(back.curves[name], field), value, atol=1e-4, equal_nan=True)
        assert back.curves[name].emergence == curve.emergence


def test_sets_of_the_proof() -> None:
    assert {w.concept for w in proof_set("kept_zh")} == set(KEPT_OUT) and proof_set("ru") == preset("ru")
    assert PROOF_SETS[0] == "kept_en" and all(len(proof_set(f"second_{language}")) == 120 for language in CARRIERS)
    assert proof_set("nouns_ru") == nouns("ru")


@pytest.fixture(scope="module")
def bank(engine: Engine) -> WordStates:
    return word_states(engine, all_words())


def test_experts_agree_on_layer_zero_and_only_there(bank: WordStates) -> None:
    crossings = cross(("RU", "ZH"), bank)
    assert crossings.alike[0, 0] == pytest.approx(1, abs=1e-4) and crossings.alike[2, 2] < 0.999
    assert crossings.found.shape == (3, 2, 3) and np.array_equal(crossings.found[:, 0, 0], crossings.found[:, 1, 0])
    english, russian = (np.array([w.language == language for w in bank.words]) for language in ("en", "ru"))
    assert crossings.found[0, 1, 2] == pytest.approx(
        retrieval(bank.states[1, 2, english], bank.states[1, 2, russian])[0]
    )


def test_look_alikes_are_one_in_the_same_sentence_and_two_in_their_own(engine: Engine, bank: WordStates) -> None:
    apart = pair_apart(engine, bank.standard[1:], "A", "А")
    assert np.abs(apart.same).max() < 1e-3 and np.abs(apart.own[:, 0]).max() < 1e-3
    assert np.all(apart.own[:, 1:] > 2 * np.abs(apart.same).max() + 1e-4)
    twins = pair_apart(engine, bank.standard[1:], "и", "й")
    assert np.all(twins.same[:, 1:] > 0) and np.array_equal(twins.same, twins.own)


def test_the_laboratory_shows_how_far_the_layers_pull_a_pair_apart(engine: Engine, bank: WordStates) -> None:
    lexicon = WordCache(engine)
    assert depths(lexicon, "A", "А") is None
    lexicon.scale = bank.standard[1:]
    found = depths(lexicon, "A", "А")
    apart = pair_apart(engine, bank.standard[1:], "A", "А")
    assert found is not None and depths(lexicon, "A", "!") is None and depths(lexicon, "", "A") is None
    html = lab_view(engine, "A", "А", SAY, found)
    cells = [float(x) for x in re.findall(r">(\d\.\d\d)</td>", html)]
    expected = np.concatenate((apart.same.ravel(), apart.own.ravel()))
    assert cells == pytest.approx(np.abs(expected).tolist(), abs=0.006)
    assert f"{abs(apart.own[0, 2]):.2f} / {abs(apart.own[1, 2]):.2f} with each in its own language" in html


@pytest.mark.slow
def test_the_proof_survives_a_file(engine: Engine, bank: WordStates, monkeypatch: pytest.MonkeyPatch) -> None:
    few = parse_words("x: b c d e f\ny: г д ж з и")
    monkeypatch.setattr("app.probing.word_proof.proof_set", lambda name: few)
    monkeypatch.setattr(WordStates, "subset", lambda self, words: word_states(engine, words))
    monkeypatch.setattr(WordStates, "places", lambda self, words: list(range(len(words))))
    proof = prove(engine, bank, bank, bank)
    again = read_proof(plain_proof(proof))
    assert set(again.batteries) == set(proof.batteries) == set(PROOF_SETS) and again.crossings.words == 209
    assert np.allclose(again.crossings.alike, proof.crossings.alike, atol=1e-4)


def test_figures_are_those_of_the_training_record_and_the_publication(engine: Engine) -> None:
    html = figures_view(engine, SAY)
    record = engine.bundle.training["bits_per_character"]
    for row in record.values():
        assert all(f"{bits:.3f}" in html for bits in row.values())
    gap = 100 * (record["ru"]["mean of logits"] / min(record["ru"]["RU"], record["ru"]["ZH"]) - 1)
    assert f"Russian {gap:+.1f}%" in Reader(html).text
    assert "19.7 ± 0.9" in html and "Published, not measured here" in html
    assert figures_view(Engine(replace(engine.bundle, training={})), SAY) == ""


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_translation_stands_beside_what_is_published(engine: Engine, language: str) -> None:
    """BLEU of each expert and way with the number of pairs; without such a record there is no table."""
    scores = {
        "en-ru": {"RU": 19.29, "ZH": 16.68, "mean of logits": 19.8, "gate by likelihood": 18.04},
        "ru-zh": {"RU": 12.41, "ZH": 14.6, "mean of logits": 13.56, "gate by likelihood": 13.48},
        "zh-en": {"RU": 12.0, "ZH": 22.22, "mean of logits": 22.19, "gate by likelihood": 13.48},
    }
    record = {
        direction: {who: {"bleu": bleu, "chrf": 30.0, "pairs": 1623} for who, bleu in row.items()}
        for direction, row in scores.items()
    }
    speak = speaker(language)
    training = {key: value for key, value in engine.bundle.training.items() if key != "translation"}
    without = figures_view(Engine(replace(engine.bundle, training=training)), speak)
    panel = figures_view(Engine(replace(engine.bundle, training={**training, "translation": record})), speak)
    title = speak("figures_translation")
    assert title in Reader(panel).text and title not in Reader(without).text
    table = panel[panel.index(escape(title)) :].split("</table>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    say = speak.number
    published, none = f"{say(6.5, 1)} ± {say(0.4, 1)}", "–"
    assert rows[0] == [
        say(19.3, 1),
        say(16.7, 1),
        f"<strong>{say(19.8, 1)}</strong>",
        say(18.0, 1),
        say(1623),
        published,
    ]
    assert rows[1] == [say(12.4, 1), f"<strong>{say(14.6, 1)}</strong>", say(13.6, 1), say(13.5, 1), say(1623), none]
    russian, chinese, english = (speak("words_" + code) for code in ("ru", "zh", "en"))
    gaps = ((english, russian, 0.5), (russian, chinese, -1.0), (chinese, english, 0.0))
    sentence = "; ".join(f"{one}\u00a0→\u00a0{other} {speak.signed(gap, 1)}" for one, other, gap in gaps)
    assert sentence in Reader(panel).text


@pytest.mark.skipif(not (SHARED / "bvv241").is_dir(), reason="the published results are not on this machine")
def test_published_figures_are_as_published() -> None:
    with (SHARED / "bvv241" / "published_results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = {"CommonsenseQA": "C-SENSE", "SQuAD": "SQUAD"}
    for figure in published():
        name, _, subset = figure.benchmark.partition(" ")
        same = [
            row
            for row in rows
            if row["model"] == figure.model
            and row["benchmark"] == names.get(name, name)
            and (name == "MMLU" or row["subset"] == subset.replace("→", "-"))
        ]
        assert figure.percent == pytest.approx(np.mean([float(row["mean_percent"]) for row in same]), abs=0.006)
        assert figure.interval is None or figure.interval == float(same[0]["ci95_percent"])
    assert len(published()) == 45


def test_charts_draw_the_battery_and_say_what_it_shows(battery: Battery, bank: WordStates) -> None:
    html = proof_view(battery, None, cross(("RU", "ZH"), bank), SAY)
    reader = Reader(html)
    charts = json.loads(reader.with_class("gs-picker")[0]["data-charts"])
    assert len(charts) == len(MEASURES)
    for name, chart in zip(MEASURES, charts, strict=True):
        curve = battery.curves[name]
        named: dict[str, Any] = {
            trace["name"]: trace for trace in chart["figure"]["data"] if trace.get("showlegend", True)
        }
        assert named["RU"]["y"] == pytest.approx(curve.values[0].tolist(), abs=1e-4)
        assert named["ZH"]["y"] == pytest.approx(curve.values[1].tolist(), abs=1e-4)
        assert named["untrained twin"]["y"] == pytest.approx(curve.untrained.tolist(), abs=1e-4)
        assert ("shuffled labels" in named) == (name in LABELLED)
        for e, found in enumerate(curve.emergence):
            says = f"from layer {found.layer} on" if found.layer is not None else "no effect beyond the controls"
            assert says in chart["sentence"].split("RU: ")[1].split("ZH: ")[e]
        lines = [shape["x0"] for shape in chart["figure"]["layout"]["shapes"]]
        assert lines == [found.layer for found in curve.emergence if found.layer is not None]
    assert "28 words, 2 groups" in reader.text and "(1.00)" in reader.text
    table = saved(html)["table"]
    assert table["index"]["measure"] == list(MEASURES)
    assert np.allclose(table["values"]["values"], [battery.curves[m].values for m in MEASURES], atol=1e-5)


def test_own_words_stand_in_the_same_plot_as_a_shipped_set(battery: Battery, bank: WordStates, engine: Engine) -> None:
    shipped = run_battery(engine, bank.subset(preset("few_zh")))
    html = proof_view(battery, ("proof_set_zh", shipped), None, SAY)
    reader = Reader(html)
    chart = json.loads(reader.with_class("gs-picker")[0]["data-charts"])[0]
    named = {trace["name"]: trace["y"] for trace in chart["figure"]["data"] if trace.get("showlegend", True)}
    for e, expert in enumerate(("RU", "ZH")):
        assert named[expert] == pytest.approx(battery.curves["purity"].values[e].tolist(), abs=1e-4)
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
    alone, under = run_battery(engine, told), run_battery(engine, told, context=made)
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
