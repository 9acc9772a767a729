"""Word sets: what a visitor may type, what the experts make of it, and what the panel shows of that."""

import hashlib
import json
import re
import threading
import time
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from app.checkpoint.checksums import CHECKSUMS_FILE
from app.engine.engine import Engine
from app.panels.glyphs import meanings
from app.panels.words import CONCEPTS, words_view
from app.probing import word_cache as lexicons
from app.probing.contexts import MOST, find_contexts
from app.probing.control_states import ControlStates, read_control_states, write_control_states
from app.probing.measures import best_purity, chance_purity, nearest_rows, neighbours_of, purity
from app.probing.umap_layout import MIN_POINTS, aligned_umap
from app.probing.word_cache import WordCache, read_words, write_words
from app.probing.word_list import (
    CARRIERS,
    FEWEST_EVEN,
    KEPT_OUT,
    MAX_WORDS,
    PRESETS,
    SECOND_FILE,
    WORD_CLASSES,
    Word,
    all_words,
    even,
    gloss,
    kept_out,
    nouns,
    parse_words,
    preset,
    second,
    second_list,
)
from app.probing.word_states import WordStates, centred, cosines, nearest_words, word_states
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.web.on_words import run_with_progress
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.panels.test_views import HOSTILE, Reader, saved

SAY = speaker("en")


@pytest.fixture(scope="module")
def lexicon(engine: Engine) -> WordCache:
    words = WordCache(engine)
    words.prepare()
    return words


def test_the_list_has_the_same_concepts_in_three_languages() -> None:
    words = all_words()
    assert len(words) == 3 * 19 * 11 and {word.concept for word in words} == set(CONCEPTS)
    for language in CARRIERS:
        texts = [word.text for word in words if word.language == language]
        assert len(set(texts)) >= len(texts) - 2
    assert all(len(carriers) == len(CARRIERS["en"]) and carriers[0] == "{}" for carriers in CARRIERS.values())


def test_presets_are_parts_of_the_list() -> None:
    assert [len(preset(name)) for name in PRESETS] == [55, 55, 55, 99, 99, 99, 44, 44, 44, 132, 154, 154, 154]
    assert {word.concept for word in preset("ru")} - {word.concept for word in nouns("ru")} == set(WORD_CLASSES)
    assert set(nouns("ru")) < set(preset("ru"))
    assert set(preset("few_ru")) < set(preset("ru")) and set(preset("few_ru")) < set(preset("mixed"))
    assert len(kept_out("ru")) == 55 and {word.concept for word in kept_out("ru")} == set(KEPT_OUT)
    assert not set(kept_out("ru")) & set(preset("ru"))


def test_the_second_list_is_the_one_that_was_fixed_before_measuring() -> None:
    assert hashlib.sha256(SECOND_FILE.read_bytes()).hexdigest() == (
        "c202f6aeaa1ab1f83c99c0cd66deb3fa92f82923f9688eccf7093d7783eaded4"
    )
    sizes = Counter((word.language, word.concept) for word in second_list())
    assert len(sizes) == 3 * 12 and set(sizes.values()) == {10}
    for language in CARRIERS:
        own = [word.text.casefold() for word in second(language)]
        known = {word.text.casefold() for word in all_words() if word.language == language}
        assert len(set(own)) == 120 and not known & set(own)


def test_words_of_the_list_are_glossed() -> None:
    assert gloss("狗", "en") == "dog" and gloss("собака", "zh") == "狗" and gloss("dog", "ru") == "собака"
    assert gloss("dog", "en") == "" and gloss("zebra", "ru") == ""


def test_own_words_come_in_groups() -> None:
    words = parse_words("fruit: apple, банан 苹果\n\nweather： rain снег;风 apple")
    assert [(w.text, w.language, w.concept) for w in words] == [
        ("apple", "en", "fruit"), ("банан", "ru", "fruit"), ("苹果", "zh", "fruit"),
        ("rain", "en", "weather"), ("снег", "ru", "weather"), ("风", "zh", "weather"),
    ]  # fmt: skip
    assert {word.concept for word in parse_words("a b c\nd e f")} == {"1", "2"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "few_words"),
        ("one two", "few_words"),
        ("a " * 400, "few_words"),
        ("a b c d e f", "few_groups"),
        ("a b c\nd e f\ng h", "few_groups"),
        ("a b c\nd e f a b c\ng c d", "few_groups"),
        ("\n".join(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(200)), "few_groups"),
        (" ".join(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(MAX_WORDS + 1)), "many_words"),
        ("x" * 100_000, "many_words"),
        (None, "many_words"),
        ("a b c d e " + "x" * 41, "odd_word"),
        ("a b c\nd e f\u0000", "odd_word"),
        ("a b c d e \u202ef", "odd_word"),
        ("a b c d e 😀", "other_script"),
        ("a b c d e שלום", "other_script"),
        ("a b c d e f\ud800", "odd_word"),
    ],
    ids=lambda value: str(value)[:12].encode("ascii", "replace").decode(),
)
def test_words_that_cannot_be_shown_get_a_sentence(text: Any, code: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_words(text)
    assert caught.value.code == code and str(caught.value).endswith(".")


def test_states_are_those_of_the_words_last_tokens(engine: Engine) -> None:
    """One word, carrier by carrier, through the whole model; layer 0 is the frozen vector."""
    word = Word("кошка", "ru", "animals")
    states = word_states(engine, (Word("cat", "en", "animals"), word)).states
    total = torch.zeros(())
    for carrier in CARRIERS["ru"]:
        ids = [engine.bundle.start, *engine.encode(carrier.format("кошка"))]
        with torch.inference_mode():
            hidden = engine.model(torch.tensor([ids])).hidden
        total = total + torch.stack([layer[:, 0, -1] for layer in hidden], 1)
        assert np.allclose(hidden[0][0, 0, -1], engine.bundle.substrate.table[ids[-1]], atol=1e-6)
    expected = (total / len(CARRIERS["ru"])).numpy()
    assert states.shape == (2, 3, 2, 64)
    assert np.allclose(states[:, :, 1], expected, atol=1e-5)


def test_reading_can_be_cancelled(engine: Engine) -> None:
    with pytest.raises(UserError, match="Cancelled"):
        word_states(engine, preset("few_en"), lambda share: share < 0.3)


def test_a_job_beside_is_told_of_and_left_at_once() -> None:
    stop, left = threading.Event(), threading.Event()

    def job(progress: Any) -> str:
        for step in range(1000):
            if not progress(step / 1000):
                left.set()
                raise UserError("cancelled")
            time.sleep(0.005)
        return "through"

    working = run_with_progress(job, stop)
    shares = [next(working), next(working), next(working)]
    assert shares == sorted(shares) and shares[-1] > 0
    stop.set()
    with pytest.raises(UserError, match="Cancelled"):
        next(working)
    assert left.wait(5)


def test_a_job_gives_its_result_or_its_error() -> None:
    def result(job: Any) -> Any:
        working = run_with_progress(job, threading.Event())
        while True:
            try:
                next(working)
            except StopIteration as done:
                return done.value

    assert result(lambda progress: "words") == "words"
    with pytest.raises(ZeroDivisionError):
        result(lambda progress: 1 / 0)


def test_purity_by_hand() -> None:
    generator = np.random.default_rng(0)
    labels = ["a"] * 6 + ["b"] * 6
    states = generator.normal(size=(12, 5)).astype(np.float32)
    z = (states - states.mean(0)) / states.std(0)
    shares = []
    for i in range(12):
        near = sorted(
            (j for j in range(12) if j != i), key=lambda j: -z[i] @ z[j] / np.linalg.norm(z[i]) / np.linalg.norm(z[j])
        )
        shares.append(sum(labels[j] == labels[i] for j in near[:5]) / 5)
        assert nearest_rows(states, 5)[i].tolist() == near[:5]
    assert purity(states, labels) == pytest.approx(np.mean(shares))
    assert chance_purity(labels) == pytest.approx(5 / 11)
    tight = np.repeat(generator.normal(size=(2, 5)) * 9, 6, axis=0) + 0.1 * states
    assert purity(tight.astype(np.float32), labels) == 1.0


def test_chance_purity_is_the_mean_over_shuffled_labels() -> None:
    generator = np.random.default_rng(1)
    labels = ["a"] * 3 + ["b"] * 7 + ["c"] * 10
    states = generator.normal(size=(20, 8)).astype(np.float32)
    shuffled = [purity(states, generator.permutation(labels).tolist()) for _ in range(2000)]
    assert np.mean(shuffled) == pytest.approx(chance_purity(labels), abs=0.01)


def test_small_groups_are_asked_for_no_more_neighbours_than_they_have() -> None:
    """Two groups of three told apart perfectly: of five neighbours two could be right, of two both are."""
    assert neighbours_of(["a"] * 3 + ["b"] * 9) == 2 and neighbours_of(["a"] * 6 + ["b"] * 60) == 5
    labels = ["a", "a", "a", "b", "b", "b"]
    states = np.array([[i < 3] * 9 + [i % 3] for i in range(6)], np.float32)
    assert purity(states, labels) == 1 and purity(states, labels, neighbours=5) == pytest.approx(0.4)


def test_neighbours_that_do_not_count_are_not_counted() -> None:
    """Where few pairs count, the places without a neighbour are no hits, and the ceiling says how high it can get:
    against a plain count, word by word."""
    generator = np.random.default_rng(3)
    labels = ["a"] * 4 + ["b"] * 5
    apart = np.triu(generator.random((9, 9)) < 0.5, 1)
    apart |= apart.T
    states = generator.normal(size=(9, 4)).astype(np.float32)
    z = (states - states.mean(0)) / states.std(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    shares, most, chance = [], [], []
    for i in range(9):
        others = sorted((j for j in range(9) if apart[i, j]), key=lambda j: -z[i] @ z[j])
        same = [labels[j] == labels[i] for j in others]
        shares.append(sum(same[:3]) / 3)
        most.append(min(sum(same), 3) / 3)
        chance.append(sum(same) / len(same))
    assert neighbours_of(labels) == 3 and np.mean(most) < 1
    assert purity(states, labels, apart=apart) == pytest.approx(np.mean(shares))
    assert best_purity(labels, 3, apart) == pytest.approx(np.mean(most))
    assert chance_purity(labels, apart) == pytest.approx(np.mean(chance))


def test_nearest_words_of_a_word_are_those_of_the_list(lexicon: WordCache) -> None:
    bank = lexicon.bank
    assert bank is not None
    rows, near = nearest_words(bank, 1, 2, bank.states[1, 2, 40], 4)
    assert rows[0] == 40 and near[0] == pytest.approx(1, abs=1e-5)
    assert rows[1:] == nearest_rows(bank.states[1, 2], 3)[40].tolist()
    assert near[1] == pytest.approx(cosines(bank.states[1, 2])[40].max(), abs=1e-5)


def test_meanings_are_the_nearest_words_at_every_layer_without_the_token_itself(
    engine: Engine, lexicon: WordCache
) -> None:
    trace = engine.look("Мама видит кота")
    found = meanings(lexicon, trace, 1, "en")
    bank = lexicon.bank
    assert found is not None and bank is not None and found.words == 627
    own = trace.texts[1].strip().casefold()
    for e in (0, 1):
        for layer in range(3):
            rows, mean, deviation = centred(bank.states[e, layer])
            state = (trace.hidden[e, layer, 1].astype(np.float32) - mean) / deviation
            others = np.array([word.text.casefold() != own for word in bank.words])
            expected = np.sort((rows @ state / np.linalg.norm(state))[others])[::-1][:6]
            near = found.lists[e][layer]
            assert [n.cosine for n in near] == pytest.approx(expected.tolist(), abs=1e-4)
            assert own not in {n.text.casefold() for n in near}
    first = found.lists[0][2][0]
    assert first.gloss == gloss(first.text, "en")
    assert (
        first.cosine == pytest.approx(float((rows @ state).max() / np.linalg.norm(state)), abs=1) and first.id is None
    )


def test_without_the_list_there_are_no_meanings(engine: Engine) -> None:
    assert meanings(WordCache(engine), engine.look("Мама"), 1) is None


LETTERS = parse_words("latin: b c d e f g h i k l m n o p\ncyrillic: б в г д е ж з и к л м н о п")
"""Words that the toy knows well enough to tell apart: no two are equally near."""


@pytest.fixture(scope="module")
def page(lexicon: WordCache) -> str:
    return words_view(lexicon, LETTERS, SAY)


def carried(html: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Reader(html).with_class("gs-words-data")[0]["data-words"])
    return data


def nearest(states: np.ndarray, count: int) -> np.ndarray:
    """Rows of the nearest others by cosine of already centred states, in double precision."""
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    near = unit @ unit.T
    np.fill_diagonal(near, -9)
    return np.argsort(-near, axis=1)[:, :count]


def test_the_panel_shows_purity_change_and_neighbours_of_the_states(lexicon: WordCache, page: str) -> None:
    """Against plain cosines of the states."""
    states = lexicon.states(LETTERS).states.astype(np.float64)
    data, concepts = carried(page), np.array([word.concept for word in LETTERS])
    cells = re.findall(r">(\d+)</td>", page)  # purity of both experts at 3 layers, then their 2 changes each
    for e in (0, 1):
        ten = []
        for layer in range(3):
            centre = states[e, layer] - states[e, layer].mean(0)
            order = nearest(centre / states[e, layer].std(0), 5)
            assert np.array_equal(data["near"][e][layer], order)
            assert cells[3 * e + layer] == f"{100 * (concepts[order] == concepts[:, None]).mean():.0f}"
            ten.append([set(row) for row in nearest(centre, 10).tolist()])
        for step in (0, 1):
            pairs = zip(ten[step], ten[step + 1], strict=True)
            change = np.mean([1 - len(a & b) / len(a | b) for a, b in pairs])
            assert cells[6 + 2 * e + step] == f"{100 * change:.0f}"
    assert np.array(data["layouts"]["pca"]["paths"]).shape == (2, 3, len(LETTERS), 2)
    groups = data["groups"]["concept"]
    assert [groups["names"][i] for i in groups["of"]] == concepts.tolist()
    assert data["words"] == [word.text for word in LETTERS] and len(data["pictures"]) == len(LETTERS)


def test_what_a_large_preset_carries(lexicon: WordCache) -> None:
    data, words = carried(words_view(lexicon, preset("mixed"), SAY)), preset("mixed")
    groups = data["groups"]
    assert len(set(groups["concept"]["marks"])) == 4 and groups["language"]["names"] == [
        "English",
        "Russian",
        "Chinese",
    ]
    assert data["pictures"] == [] and data["glosses"][-1] == words[43].text


def test_the_summary_says_what_the_states_say(lexicon: WordCache, page: str) -> None:
    states, concepts = lexicon.states(LETTERS).states, [word.concept for word in LETTERS]
    text = Reader(page).text
    for e in (0, 1):
        for layer in (0, 2):
            assert f"{100 * purity(states[e, layer], concepts):.1f}%" in text
    assert f"by chance {100 * chance_purity(concepts):.1f}%" in text


def test_the_table_holds_places_and_neighbours(lexicon: WordCache) -> None:
    table = saved(words_view(lexicon, preset("few_zh"), SAY))["table"]
    assert table["index"]["word"] == [word.text for word in preset("few_zh")]
    assert np.shape(table["values"]["pca_x"]) == np.shape(table["values"]["nearest_5"]) == (2, 3, 44)


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_hostile_words_and_groups_stay_text(lexicon: WordCache, text: str) -> None:
    word = "x" + text.replace(" ", "")
    words = parse_words(f"{text}: a b c d\n{text.replace(':', '')}2: {word} e f")
    reader = Reader(words_view(lexicon, words, SAY))
    assert not {"script", "img", "b"} & {tag for tag, _ in reader.tags}
    assert word in json.loads(unescape(reader.with_class("gs-words-data")[0]["data-words"]))["words"]


@pytest.mark.slow
def test_umap_places_are_aligned_and_seeded(monkeypatch: pytest.MonkeyPatch, lexicon: WordCache) -> None:
    words = preset("few_en")[:MIN_POINTS]
    states = lexicon.states(words).states[0]
    places = aligned_umap(states)
    assert places.shape == (3, MIN_POINTS, 2) and np.isfinite(places).all()
    assert np.abs(places / (1.4, 1)).max() == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr(lexicons, "aligned_umap", lambda expert: places)
    assert lexicon.places(words) is None
    lexicon.umap(words)
    assert set(carried(words_view(lexicon, words, SAY))["layouts"]) == {"pca", "umap"}
    with pytest.raises(UserError, match=f"at least {MIN_POINTS}"):
        lexicon.umap(words[:10])
    with pytest.raises(UserError, match="Cancelled"):
        lexicon.umap(preset("few_ru"), lambda share: False)


@pytest.mark.slow
def test_the_shipped_list_is_used_only_by_its_own_model(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, lexicon: WordCache, tmp_path: Path
) -> None:
    monkeypatch.setattr(lexicons, "aligned_umap", lambda expert: np.zeros((*expert.shape[:2], 2), np.float32))
    assert read_words(tmp_path, engine) is None
    write_words(tmp_path, engine)
    shipped = WordCache(engine)
    shipped.prepare(tmp_path)
    assert shipped.bank is not None and lexicon.bank is not None
    assert np.allclose(shipped.bank.states, lexicon.bank.states, atol=0.01)
    assert shipped.places(preset("zh")) is not None and lexicon.places(preset("zh")) is None
    (tmp_path / CHECKSUMS_FILE).unlink()
    stored = load_file(tmp_path / "words.safetensors")
    save_file({**stored, "states": stored["states"] + np.float16(0.3)}, tmp_path / "words.safetensors")
    assert read_words(tmp_path, engine) is None
    save_file({**stored, "states": stored["states"][:1].copy()}, tmp_path / "words.safetensors")
    assert read_words(tmp_path, engine) is None
    save_file({**stored, "states": stored["states"] + np.float16(0.01)}, tmp_path / "words.safetensors")
    other = read_words(tmp_path, engine)  # near enough to be this model's, but not what the proof was measured on
    assert other is not None and other.proof is None and not other.places
    (tmp_path / "words.safetensors").write_bytes(b"broken")
    assert read_words(tmp_path, engine) is None


def test_the_last_sets_are_kept_and_no_more(
    engine: Engine, lexicon: WordCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def read(_: Engine, words: tuple[Word, ...], progress: Any) -> WordStates:
        calls.append(len(words))
        return WordStates(words, np.zeros((2, 3, len(words), 4), np.float32))

    monkeypatch.setattr(lexicons, "word_states", read)
    sets = [parse_words(f"a b c\nd e f{chr(97 + i)}") for i in range(17)]
    own = WordCache(engine)
    for words in (*sets, sets[-1]):
        own.states(words)
    assert len(calls) == 17
    own.states(sets[0])  # went out first
    assert len(calls) == 18


def test_contexts_are_beginnings_of_real_sentences_that_end_with_the_word(engine: Engine) -> None:
    lines = ["A cat. Where is the cat? The cat is big.", "Catch the cats!", "the cat", "cat", "No word here."]
    found = find_contexts(lines, [Word("cat", "en", "animals"), Word("dog", "en", "animals")], engine.bundle.tokenizer)
    assert found == {Word("cat", "en", "animals"): ("A cat", "the cat")}
    many = find_contexts(["I see the cat."] * 50, [Word("cat", "en", "")], engine.bundle.tokenizer)
    assert [len(texts) for texts in many.values()] == [MOST]


def test_a_han_word_counts_only_between_borders_of_tokens() -> None:
    tokenizer = build_tokenizer(mini_vocabulary("花钱红我买不", ["花钱"]), spaced_words=True)
    found = find_contexts(["我不花钱", "我买红花"], [Word("花", "zh", "")], tokenizer)
    assert list(found.values()) == [("我买红花",)]


def test_words_are_read_in_real_sentences_where_there_are_any(engine: Engine) -> None:
    cat, dog = Word("cat", "en", "animals"), Word("dog", "en", "animals")
    texts = ("The red cat", "Where is the cat", "I see the big cat")
    both = word_states(engine, (cat, dog), readings={cat: texts})
    assert both.sentences == (3, 0) and both.in_text == 1
    one = [engine.model(torch.tensor([[engine.bundle.start, *engine.ids_of(t)]])).hidden for t in texts]
    expected = np.mean([[layer[:, 0, -1].numpy() for layer in hidden] for hidden in one], axis=0)
    assert np.allclose(both.states[:, :, 0], expected.swapaxes(0, 1), atol=1e-5)
    assert np.allclose(both.states[:, :, 1], word_states(engine, (dog, cat)).states[:, :, 0], atol=1e-5)
    assert both.subset((dog,)).sentences == (0,)


def test_layer_zero_is_the_embedding_of_the_words_last_token(engine: Engine, lexicon: WordCache) -> None:
    assert lexicon.bank is not None
    last = [engine.ids_of(word.text)[-1] for word in lexicon.bank.words]
    assert np.allclose(lexicon.bank.states[0, 0], engine.model.embedding[last].numpy(), atol=1e-6)


def test_words_of_one_length_are_of_one_length() -> None:
    for language, spread in (("en", 2), ("ru", 2), ("zh", 0)):
        words = even(language)
        lengths = [len(word.text) for word in words]
        assert max(lengths) - min(lengths) == spread and set(words) < set(preset(language))
        assert min(Counter(word.concept for word in words).values()) >= FEWEST_EVEN


def test_states_of_twins_come_back_nearly_as_they_were(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    twins = ControlStates(
        generator.normal(size=(3, 9, 8)).astype(np.float32), generator.normal(size=(2, 3, 9, 8)).astype(np.float32)
    )
    write_control_states(tmp_path, twins)
    back = read_control_states(tmp_path, (3, 9, 8))
    assert (
        back is not None
        and read_control_states(tmp_path, (3, 9, 7)) is None
        and read_control_states(Path(), (1,)) is None
    )
    for name, states in vars(twins).items():
        error = np.abs(getattr(back, name) - states) / np.abs(states).max(axis=-1, keepdims=True)
        assert error.max() <= 0.5 / 127 + 1e-6
    assert np.array_equal(back.rows([4, 1]).unfrozen, back.unfrozen[:, :, [4, 1]])


@pytest.mark.slow
def test_twins_of_the_list_are_measured_beside_the_experts(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, lexicon: WordCache, tmp_path: Path
) -> None:
    """Twins that are the experts themselves: their curves must be the experts' own."""
    monkeypatch.setattr(lexicons, "aligned_umap", lambda expert: np.zeros((*expert.shape[:2], 2), np.float32))
    assert lexicon.bank is not None
    write_control_states(tmp_path, ControlStates(lexicon.bank.states[0], lexicon.bank.states[::-1]))
    telling = {"colours": "红", "numbers": "三", "animals": "猫", "family": "我"}  # a token that gives the group away
    readings = {word: (f"大{telling[word.concept]}{word.text}",) for word in preset("few_zh")}
    write_words(tmp_path, engine, readings)
    shipped = read_words(tmp_path, engine)
    assert shipped is not None and shipped.proof is not None
    assert np.all(shipped.around["few_zh"] == 1) and "few_en" not in shipped.around
    told = WordCache(engine)
    told.prepare(tmp_path)
    assert "token before the word gives RU 100.0%" in Reader(words_view(told, preset("few_zh"), SAY)).text
    assert "token before" not in Reader(words_view(told, preset("few_en"), SAY)).text
    curve = shipped.proof.batteries["text_en"].curves["auc"]
    assert np.allclose(curve.unfrozen, curve.values[::-1], atol=0.01)
    assert np.allclose(curve.untrained, curve.values[0], atol=0.01)
    assert np.isnan(shipped.proof.batteries["en"].curves["auc"].unfrozen).all()


def test_the_token_before_a_word_is_read_in_its_sentences(engine: Engine) -> None:
    cat = Word("cat", "en", "animals")
    texts = ("The red cat", "Where is the cat")
    before = word_states(engine, (cat,), readings={cat: texts}, before=True)
    own = [engine.ids_of(text)[: -len(engine.ids_of("cat"))] for text in texts]
    one = [engine.model(torch.tensor([[engine.bundle.start, *ids]])).hidden for ids in own]
    expected = np.mean([[layer[:, 0, -1].numpy() for layer in hidden] for hidden in one], axis=0)
    assert np.allclose(before.states[:, :, 0], expected.swapaxes(0, 1), atol=1e-5)
