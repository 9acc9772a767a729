"""What is kept of word sets over one model, and what the Words panel shows of it."""

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.checkpoint.checksums import CHECKSUMS_FILE
from app.engine.engine import Engine
from app.panels.glyphs import meanings
from app.panels.words import words_view
from app.probing import word_cache as word_cache_module
from app.probing.control_states import ControlStates, write_control_states
from app.probing.measures import chance_purity, nearest_rows, purity
from app.probing.umap_layout import MIN_POINTS, aligned_umap
from app.probing.word_cache import WordCache, read_words, write_words
from app.probing.word_list import (
    Word,
    gloss,
    parse_words,
    preset,
)
from app.probing.word_states import WordStates, centred, cosines, nearest_words
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.support.html import HOSTILE, Reader, saved

SAY = speaker("en")


@pytest.fixture(scope="module")
def word_cache(engine: Engine) -> WordCache:
    words = WordCache(engine)
    words.prepare()
    return words


def test_nearest_words_of_a_word_are_those_of_the_list(word_cache: WordCache) -> None:
    list_states = word_cache.list_states
    assert list_states is not None
    rows, near = nearest_words(list_states, 1, 2, list_states.states[1, 2, 40], 4)
    assert rows[0] == 40 and near[0] == pytest.approx(1, abs=1e-5)
    assert rows[1:] == nearest_rows(list_states.states[1, 2], 3)[40].tolist()
    assert near[1] == pytest.approx(cosines(list_states.states[1, 2])[40].max(), abs=1e-5)


def test_meanings_are_the_nearest_words_at_every_layer_without_the_token_itself(
    engine: Engine, word_cache: WordCache
) -> None:
    trace = engine.look("Мама видит кота")
    found = meanings(word_cache, trace, 1, "en")
    list_states = word_cache.list_states
    assert found is not None and list_states is not None and found.words == 627
    own = trace.texts[1].strip().casefold()
    for e in (0, 1):
        for layer in range(3):
            rows, mean, deviation = centred(list_states.states[e, layer])
            state = (trace.hidden[e, layer, 1].astype(np.float32) - mean) / deviation
            others = np.array([word.text.casefold() != own for word in list_states.words])
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
def page(word_cache: WordCache) -> str:
    return words_view(word_cache, LETTERS, SAY)


def carried(html: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Reader(html).with_class("gs-words-data")[0]["data-words"])
    return data


def nearest(states: np.ndarray, count: int) -> np.ndarray:
    """Rows of the nearest others by cosine of already centred states, in double precision."""
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    near = unit @ unit.T
    np.fill_diagonal(near, -9)
    return np.argsort(-near, axis=1)[:, :count]


def test_the_panel_shows_purity_change_and_neighbours_of_the_states(word_cache: WordCache, page: str) -> None:
    """Against plain cosines of the states."""
    states = word_cache.states(LETTERS).states.astype(np.float64)
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


def test_what_a_large_preset_carries(word_cache: WordCache) -> None:
    data, words = carried(words_view(word_cache, preset("mixed"), SAY)), preset("mixed")
    groups = data["groups"]
    assert len(set(groups["concept"]["marks"])) == 4 and groups["language"]["names"] == [
        "English",
        "Russian",
        "Chinese",
    ]
    assert data["pictures"] == [] and data["glosses"][-1] == words[43].text


def test_the_summary_says_what_the_states_say(word_cache: WordCache, page: str) -> None:
    states, concepts = word_cache.states(LETTERS).states, [word.concept for word in LETTERS]
    text = Reader(page).text
    for e in (0, 1):
        for layer in (0, 2):
            assert f"{100 * purity(states[e, layer], concepts):.1f}%" in text
    assert f"by chance {100 * chance_purity(concepts):.1f}%" in text


def test_the_table_holds_places_and_neighbours(word_cache: WordCache) -> None:
    table = saved(words_view(word_cache, preset("few_zh"), SAY))["table"]
    assert table["index"]["word"] == [word.text for word in preset("few_zh")]
    assert np.shape(table["values"]["pca_x"]) == np.shape(table["values"]["nearest_5"]) == (2, 3, 44)


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_hostile_words_and_groups_stay_text(word_cache: WordCache, text: str) -> None:
    word = "x" + text.replace(" ", "")
    words = parse_words(f"{text}: a b c d\n{text.replace(':', '')}2: {word} e f")
    reader = Reader(words_view(word_cache, words, SAY))
    assert not {"script", "img", "b"} & {tag for tag, _ in reader.tags}
    assert word in json.loads(unescape(reader.with_class("gs-words-data")[0]["data-words"]))["words"]


@pytest.mark.slow
def test_umap_places_are_aligned_and_seeded(monkeypatch: pytest.MonkeyPatch, word_cache: WordCache) -> None:
    words = preset("few_en")[:MIN_POINTS]
    states = word_cache.states(words).states[0]
    places = aligned_umap(states)
    assert places.shape == (3, MIN_POINTS, 2) and np.isfinite(places).all()
    assert np.abs(places / (1.4, 1)).max() == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr(word_cache_module, "aligned_umap", lambda expert: places)
    assert word_cache.places(words) is None
    word_cache.umap(words)
    assert set(carried(words_view(word_cache, words, SAY))["layouts"]) == {"pca", "umap"}
    with pytest.raises(UserError, match=f"at least {MIN_POINTS}"):
        word_cache.umap(words[:10])
    with pytest.raises(UserError, match="Cancelled"):
        word_cache.umap(preset("few_ru"), lambda share: False)


def shorten(patch: pytest.MonkeyPatch) -> None:
    """Of what is shipped beside a word list, two of eighteen proofs, no second list and no maps by UMAP."""
    patch.setattr(word_cache_module, "aligned_umap", lambda expert: np.zeros((*expert.shape[:2], 2), np.float32))
    patch.setattr("app.probing.word_proof.PROOF_SETS", ("text_en", "even_en"))
    patch.setattr(word_cache_module, "second_list", lambda: ())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of `written` is not looked for."""
    shorten(monkeypatch)


@pytest.fixture(scope="module")
def written(engine: Engine, word_cache: WordCache, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A word list as it is shipped, in short; its controls are the experts themselves, and some Chinese words have a
    sentence whose first token gives their group away."""
    folder = tmp_path_factory.mktemp("written")
    telling = {"colours": "红", "numbers": "三", "animals": "猫", "family": "我"}
    readings = {word: (f"大{telling[word.concept]}{word.text}",) for word in preset("few_zh")}
    assert word_cache.list_states is not None
    states = word_cache.list_states.states
    write_control_states(folder, ControlStates(states[0], states[::-1]))
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        write_words(folder, engine, readings)
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_the_shipped_list_is_used_only_by_its_own_model(
    engine: Engine, word_cache: WordCache, written: Path, tmp_path: Path
) -> None:
    assert read_words(tmp_path, engine) is None
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    shipped = WordCache(engine)
    shipped.prepare(tmp_path)
    assert shipped.list_states is not None and word_cache.list_states is not None
    alone = np.array(shipped.list_states.sentences) == 0
    assert 0 < (~alone).sum() < alone.sum()
    kept, fresh = shipped.list_states.states[:, :, alone], word_cache.list_states.states[:, :, alone]
    assert np.allclose(kept, fresh, atol=0.01)
    assert shipped.places(preset("zh")) is not None and word_cache.places(preset("zh")) is None
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
    engine: Engine, word_cache: WordCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def read(_: Engine, words: tuple[Word, ...], progress: Any) -> WordStates:
        calls.append(len(words))
        return WordStates(words, np.zeros((2, 3, len(words), 4), np.float32))

    monkeypatch.setattr(word_cache_module, "word_states", read)
    sets = [parse_words(f"a b c\nd e f{chr(97 + i)}") for i in range(17)]
    own = WordCache(engine)
    for words in (*sets, sets[-1]):
        own.states(words)
    assert len(calls) == 17
    own.states(sets[0])  # went out first
    assert len(calls) == 18


def test_layer_zero_is_the_embedding_of_the_words_last_token(engine: Engine, word_cache: WordCache) -> None:
    assert word_cache.list_states is not None
    last = [engine.ids_of(word.text)[-1] for word in word_cache.list_states.words]
    assert np.allclose(word_cache.list_states.states[0, 0], engine.model.embedding[last].numpy(), atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_controls_of_the_list_are_measured_beside_the_experts(engine: Engine, written: Path) -> None:
    """Controls that are the experts themselves: their curves must be the experts' own."""
    shipped = read_words(written, engine)
    assert shipped is not None and shipped.proof is not None
    assert np.all(shipped.around["few_zh"] == 1) and "few_en" not in shipped.around
    told = WordCache(engine)
    told.prepare(written)
    assert "token before the word gives RU 100.0%" in Reader(words_view(told, preset("few_zh"), SAY)).text
    assert "token before" not in Reader(words_view(told, preset("few_en"), SAY)).text
    curve = shipped.proof.results["text_en"].curves["auc"]
    assert np.allclose(curve.unfrozen, curve.values[::-1], atol=0.01)
    assert np.allclose(curve.untrained, curve.values[0], atol=0.01)
    assert np.isnan(shipped.proof.results["even_en"].curves["auc"].unfrozen).all()
