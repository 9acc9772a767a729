"""Two texts side by side: displayed numbers against a loop over one expert at a time, refusals, hostile text."""

import html
import json
import re
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.network.experts import StackedExperts
from app.panels.comparison import comparison_view
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine

FIRST, SECOND = "the cat do", "the dog do"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def alone(engine: Engine, expert: int, text: str) -> tuple[Recorder, list[int], Any]:
    model, seen = engine.model, Recorder()
    assert isinstance(model, StackedExperts)
    ids = [engine.bundle.start, *engine.encode(text)]
    logits = plain(model, expert, model.embedding[torch.tensor(ids)], seen)
    return seen, ids, logits.log_softmax(-1)


def test_bars_and_maps_show_the_distance_of_states(engine: Engine) -> None:
    page = comparison_view(engine, FIRST, SECOND, speaker("en"))
    sent = re.search(r"data-distance='([^']+)'", page)
    assert sent
    shown = np.array(json.loads(html.unescape(sent.group(1))))
    cells = [float(v) for v in re.findall(r"<td data-layer='\d' style='[^']*'>([\d.]+)</td>", page)]
    assert len(cells) == shown.size
    for expert in range(2):
        (here, _, _), (there, _, _) = (alone(engine, expert, text) for text in (FIRST, SECOND))
        for layer in range(4):
            a, b = here.seen["state", layer], there.seen["state", layer]
            far = (a - b).norm(dim=-1) / ((a.norm(dim=-1) + b.norm(dim=-1)) / 2)
            assert np.allclose(shown[expert, layer], far, atol=5e-3)
    tabled = np.transpose(np.reshape(cells, (2, shown.shape[2], 4)), (0, 2, 1))
    assert np.allclose(tabled, shown, atol=0.006)


def test_every_token_shows_what_each_expert_gives_it(engine: Engine) -> None:
    page = comparison_view(engine, FIRST, SECOND, speaker("en"))
    strips = page.split("gs-compare-strip")[1:]
    for strip, text in zip(strips, (FIRST, SECOND), strict=True):
        rows = [re.findall(r"gs-number gs-\w+'>([^<]+)<", chip) for chip in strip.split("gs-compare-chip")[1:]]
        for expert in range(2):
            _, ids, log_probs = alone(engine, expert, text)
            real = [float(log_probs[i, token]) for i, token in enumerate(ids[1:])]
            assert [float(row[expert].replace("−", "-")) for row in rows[1:]] == pytest.approx(real, abs=0.06)
        assert rows[0][:3] == ["–"] * 3


def test_texts_of_unequal_length_keep_what_they_share(engine: Engine) -> None:
    page = comparison_view(engine, "the cat do", "the cat cat do", speaker("en"))
    first, second = (set(re.findall(r"data-pair='(\d+)'", strip)) for strip in page.split("gs-compare-strip")[1:])
    assert first == second and page.count("gs-differs") >= 1


@pytest.mark.parametrize("text", [None, 7, "", " ", [], {}, "\x00", "cat " * 90])
@pytest.mark.parametrize("side", [0, 1])
def test_texts_may_be_anything(engine: Engine, text: Any, side: int) -> None:
    texts: list[Any] = [FIRST, SECOND]
    texts[side] = text
    with pytest.raises(UserError):
        comparison_view(engine, texts[0], texts[1], speaker("en"))


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_texts_that_part_at_the_end_say_so(engine: Engine, language: str) -> None:
    say = speaker(language)
    assert say("compare_none") in html.unescape(comparison_view(engine, "the cat", "the dog", say))


def test_text_is_escaped(engine: Engine) -> None:
    own = Engine(engine.bundle)
    own.text_of = lambda token: "<img src=x onerror=alert(1)>'"  # type: ignore[method-assign]
    assert "<img src=x" not in comparison_view(own, FIRST, SECOND, speaker("zh"))
