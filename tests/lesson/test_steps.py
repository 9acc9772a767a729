"""Right answers against computations of their own on the bundled model; weak models leave steps out."""

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.foreign.files.hub import Place
from app.intervene.runs import open_network
from app.intervene.stories import read_stories
from app.lesson import Question, questions
from app.lesson.lesson import STEPS, make_step, steps
from app.lesson.predictions import expert_step, is_word, read_texts
from app.lesson.record import Asked
from app.models import LoadedModel, ModelRegistry
from app.probing.probe_suite import untrained_engine
from app.probing.word_list import CARRIERS, FEW, all_words
from app.substrate.embedding import embed
from app.web.lesson_tab import LessonListeners
from app.wording.catalogue import LANGUAGES, speaker
from app.wording.errors import UserError
from tests.intervene.tiny import tiny_engine
from tests.support.requests import finished


@pytest.fixture(scope="module")
def shipped() -> LoadedModel:
    model = LoadedModel.over("mini", load_bundle(MINI), MINI)
    model.word_cache.prepare(MINI)
    return model


@pytest.fixture(scope="module")
def answers(shipped: LoadedModel) -> dict[str, Asked]:
    return {asked.key: asked for step in steps(shipped, "en") for asked in step.questions}


def quoted(text: str) -> list[str]:
    return re.findall("“([^”]*)”", text)


def logits_after(engine: Engine, text: str) -> torch.Tensor:
    """(E, V) by the network alone."""
    with torch.inference_mode():
        ids = torch.tensor([[engine.bundle.start, *engine.ids_of(text)]])
        return engine.model(ids).logits[:, 0, -1]


def state(engine: Engine, word: str, expert: int, layer: int) -> np.ndarray:
    """Mean state of a word over the carriers, one text after the other."""
    found = []
    for carrier in CARRIERS["en"]:
        ids = engine.ids_of(carrier.format(word))
        if ids[-1] == engine.ids_of(word)[-1]:
            with torch.inference_mode():
                hidden = engine.model(torch.tensor([[engine.bundle.start, *ids]])).hidden
            found.append(hidden[layer][expert, 0, -1].numpy())
    return np.mean(found, axis=0)


def showcased(engine: Engine) -> list[str]:
    """The first six short words of each group, those of one token first."""
    words: list[str] = []
    for group in FEW:
        of_group = [w.text for w in all_words() if (w.language, w.concept) == ("en", group) and len(w.text) <= 8]
        words += sorted(of_group, key=lambda word: len(engine.ids_of(word)) > 1)[:6]
    return words


@pytest.mark.slow
def test_the_nearest_word_by_looks_and_by_meaning(shipped: LoadedModel, answers: dict[str, Asked]) -> None:
    engine, last = shipped.engine, shipped.engine.model.shape.layers
    meaning = answers["meaning"]
    expert = next(i for i, name in enumerate(engine.bundle.experts) if f"network {name}" in meaning.prompt)
    words = showcased(engine)
    for asked, layer in ((answers["looks"], 0), (meaning, last)):
        rows = np.stack([state(engine, word, expert, layer) for word in words])
        rows = (rows - rows.mean(0)) / rows.std(0)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        word = rows[words.index(quoted(asked.prompt)[0])]
        near = {option: float(rows[words.index(option)] @ word) for option in asked.options}
        assert asked.options[asked.right] == max(near, key=lambda option: near[option])
        pictures = [engine.bundle.substrate.pictures[engine.ids_of(option)[0]] for option in asked.options]
        assert asked.picture == tuple("".join("01"[int(p)] for p in picture.ravel()) for picture in pictures)


@pytest.mark.slow
def test_the_likeliest_next_word_and_who_decided(shipped: LoadedModel, answers: dict[str, Asked]) -> None:
    engine = shipped.engine
    asked = answers["next"]
    fused = logits_after(engine, quoted(asked.prompt)[0]).mean(0)
    chances = {option: float(fused[engine.ids_of(f"a {option}")[-1]]) for option in asked.options}
    assert asked.options[asked.right] == max(chances, key=lambda option: chances[option])
    asked = answers["expert"]
    text, token = quoted(asked.prompt)
    each = logits_after(engine, text)
    best, rival = each.mean(0).topk(2).indices.tolist()
    assert engine.text_of(best).strip() == token
    shares = ((each[:, best] - each[:, rival]) / 2).tolist()
    assert asked.right == int(shares[1] > shares[0])
    assert f"{engine.bundle.experts[0]} adds {shares[0]:+.2f}" in asked.told


@pytest.mark.slow
def test_where_the_two_disagree_most(shipped: LoadedModel, answers: dict[str, Asked]) -> None:
    """By the Bhattacharyya coefficient of the whole distributions."""
    engine, asked = shipped.engine, answers["disagree"]
    (text,) = quoted(asked.prompt)
    ids = [engine.bundle.start, *engine.ids_of(text)]
    with torch.inference_mode():
        p, q = engine.model(torch.tensor([ids])).logits[:, 0].double().softmax(-1)
    apart = -(p * q).sqrt().sum(-1).log()
    tokens = [engine.text_of(i).strip() for i in ids]
    found = [float(apart[tokens.index(option) - 1]) for option in asked.options]
    assert asked.right == int(np.argmax(found))
    assert sorted(found)[-1] >= 1.25 * sorted(found)[-2]


@pytest.mark.slow
def test_a_moved_state_turns_the_answer(shipped: LoadedModel, answers: dict[str, Asked]) -> None:
    """By the blocks one after the other, over whole texts, without anything that is kept of another run."""
    engine, asked = shipped.engine, answers["moved"]
    first, _, there, here = quoted(asked.prompt)
    second = first.replace(here, there)
    layer = int(re.findall(r"layer (\d+)", asked.prompt)[0])
    texts = [[engine.bundle.start, *engine.ids_of(text)] for text in (first, second)]
    (place,) = [i for i, (a, b) in enumerate(zip(*texts, strict=True)) if a != b]
    with torch.inference_mode():
        donor = engine.model(torch.tensor(texts[1:])).hidden[layer][:, :, place]
        x = engine.model(torch.tensor(texts[:1])).hidden[layer].clone()
        x[:, :, place] = donor
    opened = open_network(engine)
    with torch.inference_mode():
        for block in range(layer, opened.shape.layers):
            x = opened.block(block, x).states
        winner = int(opened.read_out(x[:, :, -1])[:-1, 0].mean(0).argmax())
    assert engine.text_of(winner).strip() == asked.options[asked.right]


@pytest.mark.slow
def test_as_many_pixels_turn_the_answer(shipped: LoadedModel, answers: dict[str, Asked]) -> None:
    """The network is run with the changed picture's vector in the table."""
    engine, asked = shipped.engine, answers["pixels"]
    text, before, token = quoted(asked.prompt)
    assert asked.subject is not None and asked.changed is not None
    own, changed = (
        np.array([bit == "1" for bit in bits]).reshape(32, 32) for _, bits in (asked.subject, asked.changed)
    )
    assert int((own != changed).sum()) == int(asked.options[asked.right])
    (row,) = torch.from_numpy(embed(changed[None], engine.bundle.substrate.basis))
    last = engine.ids_of(text)[-1]
    assert engine.text_of(last).strip() == token
    assert engine.text_of(int(logits_after(engine, text).mean(0).argmax())).strip() == before
    kept = engine.model.embedding[last].clone()
    try:
        engine.model.embedding[last] = row
        after = engine.text_of(int(logits_after(engine, text).mean(0).argmax())).strip()
    finally:
        engine.model.embedding[last] = kept
    assert after != before and after in asked.told


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_in_every_language(shipped: LoadedModel, language: str) -> None:
    found = questions(shipped, language)
    assert all(isinstance(asked, Question) for asked in found)
    assert len(found) == 9 and [asked.step for asked in found] == [1, *range(1, 9)], "the bundled model shows all"
    assert len({asked.key for asked in found}) == len(found)
    assert all(len(asked.options) >= 3 for asked in found)
    assert len({asked.right for asked in found}) > 1
    assert questions(shipped, language) == found
    crossed = next(asked for asked in found if asked.key == "scripts")
    proof = shipped.word_cache.proof
    assert proof is not None
    best = max(float(pair.max()) for pair in proof.crossings.found)
    assert int(crossed.options[crossed.right]) <= round(100 * best)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_finds_each_option_in_the_text_once(shipped: LoadedModel, language: str) -> None:
    asked = next(asked for asked in questions(shipped, language) if asked.key == "disagree")
    text = re.split("[“”«»]", asked.prompt)[1]
    for option in asked.options:
        found = text.count(option) if language == "zh" else len(re.findall(rf"\b{option}\b", text))
        assert found == 1, f"{option} stands in {text} {found} times"


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_may_come_next_are_whole_words(shipped: LoadedModel, language: str) -> None:
    asked = next(asked for asked in questions(shipped, language) if asked.key == "next")
    text = re.split("[“”«»]", asked.prompt)[1]
    for option in asked.options:
        after = int(logits_after(shipped.engine, f"{text} {option}").mean(0).argmax())
        assert not shipped.engine.text_of(after)[:1].isalpha(), option


def attributes(html: str, name: str) -> list[str]:
    return re.findall(rf'{name}="([^"]*)"', html)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lesson_is_walked_from_the_first_guess_to_the_result(shipped: LoadedModel, language: str) -> None:
    """By the listeners of the page, which are pressed as its script presses them: no answer is in the panel before the
    question is answered, and everything is said in one language."""
    listeners = LessonListeners(ModelRegistry({"mini": Place(None, "mini")}, {"mini": shipped}, "mini"), JobQueue())
    say, right = speaker(language), {asked.key: asked.right for asked in questions(shipped, language)}
    visitor: Any = SimpleNamespace(session_hash="visitor")

    async def walk() -> tuple[int, str]:
        progress, status, panel = await listeners.on_first(None, language, visitor)
        correct = 0
        for at, key in enumerate(STEPS):
            assert status == "" and attributes(panel, "data-at") == [str(at)]
            assert say(f"lesson_{key}_title") in unescape(panel)
            while "no" in attributes(panel, "data-answered"):
                assert "gs-lesson-learned" not in panel
                question, open_part = attributes(panel, "data-question")[-1], panel.split("data-question=")[-1]
                assert "gs-right" not in open_part and "gs-lesson-told" not in open_part
                press: Any = SimpleNamespace(_data={"question": question, "option": 0})
                progress, status, panel = await listeners.on_act(progress, language, press, visitor)
                told = say("lesson_right" if right[question] == 0 else "lesson_wrong")
                assert told in panel.split("data-question=")[-2 if "no" in attributes(panel, "data-answered") else -1]
                correct += right[question] == 0
            assert "gs-lesson-learned" in panel
            await listeners.on_ahead(progress, language, visitor)
            press = SimpleNamespace(_data={"next": True})
            progress, status, panel = await listeners.on_act(progress, language, press, visitor)
        return correct, panel

    correct, panel = finished(walk())
    assert say("lesson_score", right=correct, count=len(right)) in unescape(panel)
    assert len(re.findall("<li", panel.split("gs-lesson-end")[1])) == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_untrained_network_shows_nothing(language: str) -> None:
    """Weights as training would begin with them: no meaning, no preferences, no causes to show."""
    tiny = tiny_engine()
    network = tiny.model
    network.initialise(torch.Generator().manual_seed(1))  # type: ignore[attr-defined]
    model = LoadedModel.over("tiny", tiny.bundle, None)
    model.word_cache.prepare()
    assert [key for key in STEPS if make_step(model, language, key) is not None] == []
    assert questions(model, language) == []


def test_a_foreign_model_is_waited_for_and_a_single_expert_has_no_share() -> None:
    tiny = tiny_engine()
    single = LoadedModel.over("one", replace(tiny.bundle, experts=("one",)), None)
    assert expert_step(single.word_cache, speaker("en")) is None
    model = LoadedModel.over("tiny", tiny.bundle, None)
    with pytest.raises(UserError, match=r"."):  # its word list is not read
        make_step(model, "en", "scripts")
    model.word_cache.prepare()
    assert make_step(model, "en", "scripts") is None, "and is asked anew once it is"


def test_words_are_told_from_pieces() -> None:
    assert is_word(" school", "en") and is_word(" было", "ru") and is_word("老师", "zh")
    for token, language in (("ing", "en"), (" the", "en"), (".", "en"), (" дом", "en"), ("ют", "ru"), ("cat", "zh")):
        assert not is_word(token, language)
    assert {story.language for story in read_stories().pairs} == set(LANGUAGES)


def test_the_untrained_network_is_not_the_network() -> None:
    tiny = tiny_engine()
    assert untrained_engine(tiny).model is not tiny.model


def test_the_texts_of_a_lesson_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, looked = tiny_engine(), list[str]()
    look = engine.look
    monkeypatch.setattr(engine, "look", lambda text: looked.append(text) or look(text))  # type: ignore[func-returns-value]
    first, again = read_texts(engine, "en"), read_texts(engine, "en")
    assert first is again and len(looked) == len(set(looked)) > 0
    assert read_texts(engine, "zh") is not first
