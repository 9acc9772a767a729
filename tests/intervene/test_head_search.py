"""The search for a head against silencing every head alone."""

import numpy as np
import pytest

from app.engine.engine import Engine
from app.intervene.__main__ import head_line
from app.intervene.head_search import measure_attention
from app.intervene.interface import OpenedNetwork
from app.intervene.silencing import Silenced, reference_means, silence, silenced_logits
from app.intervene.steps import run_to_end
from app.intervene.stories import AttentionStory, read_stories

STORY = AttentionStory("some", "en", "the cat", ("the cat", "a dog"), ("the dog do", "cat the", "ab cd"))


def test_a_head_is_chosen_on_some_texts_and_tested_on_fresh_ones(tiny: Engine, opened: OpenedNetwork) -> None:
    means, found = reference_means(tiny), run_to_end(measure_attention(tiny, STORY))

    def ids(text: str) -> list[int]:
        return [2, *tiny.encode(text)]

    bits = {
        (expert, layer, head): np.mean(
            [
                silence(opened, means, ids(text), [Silenced(expert, "head", layer, head)]).jensen_shannon[-1]
                for text in STORY.choose
            ]
        )
        for expert in range(2)
        for layer in range(1, 4)
        for head in range(4)
    }
    assert found.head == max(bits, key=lambda place: bits[place])
    expert, layer, head = found.head
    moved = []
    for text in STORY.fresh:
        before, after = silenced_logits(opened, means, ids(text), [Silenced(expert, "head", layer, head)])
        token = int(before[-1].argmax())
        moved.append(float((after.log_softmax(-1) - before.log_softmax(-1))[-1, token]))
    assert found.moved.mean == pytest.approx(np.mean(moved), abs=1e-3) and found.moved.count == 3
    assert f"{tiny.bundle.experts[expert]} {layer}.{head}" in head_line(tiny, found)


def test_stories_keep_fresh_texts_apart() -> None:
    for story in read_stories().attention:
        assert len(story.choose) >= 3 <= len(story.fresh) and not set(story.choose) & set(story.fresh)
        assert story.text not in story.fresh
