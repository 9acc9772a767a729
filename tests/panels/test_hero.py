"""The moving picture: its numbers against an independent computation, its tiles apart, its texts escaped."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.models import LoadedModel
from app.panels.hero import hero_html
from app.probing.showcase import GROUP_WORDS, showcase_words
from app.probing.word_list import CARRIERS, FEW
from app.probing.word_states import WordStates
from app.wording.catalogue import LANGUAGES, say, speaker
from viz.hero import STAGES, Hero, hero_panel


@pytest.fixture(scope="module")
def model(engine: Engine) -> LoadedModel:
    return LoadedModel.over("toy", engine.bundle, None)


def carried(page: str) -> dict[str, Any]:
    """What the page's script draws from."""
    found = re.search(r"data-hero='([^']*)'", page)
    assert found
    data: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return data


def states_in_carriers(model: LoadedModel, words: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """(E, L + 1, n, d) one text after the other, without `word_states`."""
    engine = model.engine
    found = []
    for word in words:
        texts = [engine.ids_of(carrier.format(word.text)) for carrier in CARRIERS[word.language]]
        rows = [ids for ids in texts if ids[-1] == engine.ids_of(word.text)[-1]]
        with torch.inference_mode():
            runs = [engine.model(torch.tensor([[engine.bundle.start, *ids]]), keep=1).hidden for ids in rows]
        found.append(np.mean([torch.stack([h[:, 0, -1] for h in hidden], 1).numpy() for hidden in runs], axis=0))
    return np.stack(found, axis=2)


def same_among_nearest(rows: np.ndarray[Any, Any], concepts: list[str]) -> tuple[float, float]:
    """Share of nearest others of the same concept, word by word: the least and the most that it can be, for of words
    with one and the same state (the toy model's vocabulary is small) any may be called nearer."""
    rows, k = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-6), GROUP_WORDS - 1
    least = most = 0
    for i, row in enumerate(rows):
        near = {j: other @ row / np.linalg.norm(other) / np.linalg.norm(row) for j, other in enumerate(rows) if j != i}
        last = sorted(near.values(), reverse=True)[k - 1]
        sure = [concepts[j] == concepts[i] for j, cosine in near.items() if cosine > last + 1e-5]
        tied = [concepts[j] == concepts[i] for j, cosine in near.items() if abs(cosine - last) <= 1e-5]
        left = k - len(sure)
        least += sum(sure) + max(0, left - (len(tied) - sum(tied)))
        most += sum(sure) + min(left, sum(tied))
    return least / (k * len(rows)), most / (k * len(rows))


@pytest.mark.parametrize("language", LANGUAGES)
def test_shares_are_those_of_nearest_words_counted_one_by_one(model: LoadedModel, language: str) -> None:
    words = showcase_words(model.word_cache, language)
    data, states = carried(hero_html(model, language)), states_in_carriers(model, words)
    for e, expert in enumerate(states):
        for layer, rows in enumerate(expert.astype(float)):
            least, most = same_among_nearest(rows, [word.concept for word in words])
            assert least - 1e-4 <= data["shares"][e][layer] <= most + 1e-4
    speak = speaker(language)
    assert data["captions"][1][2] == say(
        "hero_caption", language, layer=2, share=speak.percent(data["shares"][1][2], 0), chance=speak.percent(5 / 23, 0)
    )
    assert data["chance"] == pytest.approx(5 / 23, abs=1e-4)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", STAGES)
def test_no_tile_covers_another_or_leaves_the_stage(model: LoadedModel, language: str, stage: str) -> None:
    data = carried(hero_html(model, language))["stages"][stage]
    wide, tall = data["widths"], data["tall"]
    for layer in (layer for expert in data["places"] for layer in expert):
        for i, (x, y) in enumerate(layer):
            assert wide[i] / 2 - 1 <= x <= data["width"] - wide[i] / 2 + 1
            assert tall / 2 - 1 <= y <= data["height"] - tall / 2 + 1
            for j in range(i):
                gap = max(abs(x - layer[j][0]) - (wide[i] + wide[j]) / 2, abs(y - layer[j][1]) - tall)
                assert gap >= -1, "places are whole pixels"
        assert len(layer) == 4 * GROUP_WORDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_one_picture_come_first(model: LoadedModel, language: str) -> None:
    words, engine = showcase_words(model.word_cache, language), model.engine
    assert [word.concept for word in words] == [group for group in FEW for _ in range(GROUP_WORDS)]
    whole = [len(engine.ids_of(word.text)) == 1 for word in words]
    for group in range(len(FEW)):
        of_group = whole[GROUP_WORDS * group : GROUP_WORDS * (group + 1)]
        assert of_group == sorted(of_group, reverse=True)
    told = say("hero_pieces", language, whole=sum(whole), count=len(words))
    assert told in html.unescape(hero_html(model, language))


def test_a_foreign_model_shows_nothing_before_its_list_is_read(model: LoadedModel) -> None:
    bundle = replace(model.engine.bundle, report={"any": "report"})  # type: ignore[arg-type]
    foreign = LoadedModel.over("other", bundle, None)
    assert hero_html(foreign, "en") == ""
    words = showcase_words(foreign.word_cache, "en")
    shape = foreign.engine.model.shape
    states = np.random.default_rng(0).normal(size=(2, shape.layers + 1, len(words), shape.width)).astype(np.float32)
    foreign.word_cache.list_states = WordStates(words, states)
    assert carried(hero_html(foreign, "en"))["shares"] != carried(hero_html(model, "en"))["shares"]


HOSTILE = "</section><img src=x onerror='alert(1)'>${1+1}{{x}}`\""


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.names |= {name for name, _ in attrs}


def hostile_hero() -> Hero:
    count = 4
    places = {name: np.full((1, 2, count, 2), 50.0) for name in STAGES}
    same = np.ones((1, 2, count), np.int64)
    bitmaps = np.zeros((count, 32, 32), bool)
    return Hero((HOSTILE,), (HOSTILE,) * count, (HOSTILE, "b"), (0, 0, 1, 1), bitmaps, places, same, 1, 1 / 3, 4, 0)


@pytest.fixture
def said() -> Iterator[str]:
    yield hero_panel(hostile_hero(), speaker("en"))


def test_texts_are_escaped(said: str) -> None:
    tags = Tags()
    tags.feed(said)
    assert "onerror" not in tags.names and "script" not in tags.seen
    assert "<img src=x" not in said and said.count("</section>") == 1
    assert carried(said)["captions"][0][0].startswith("Layer 0: 100%")


def test_one_expert_needs_no_switch(said: str) -> None:
    assert "data-expert" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_tells_both_ends_of_every_expert(model: LoadedModel, language: str) -> None:
    page, speak = hero_html(model, language), speaker(language)
    data = carried(page)
    label = html.unescape(re.findall(r"role='img' aria-label='([^']*)'", page)[0])
    for name, shares in zip(model.engine.bundle.experts, data["shares"], strict=True):
        for part in (name, speak.percent(shares[0], 0), speak.percent(shares[-1], 0)):
            assert part in label
