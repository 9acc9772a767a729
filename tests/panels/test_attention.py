"""Who looks where and silencing, on the page: displayed numbers against plain loops; anything for a press."""

import asyncio
import base64
import io
import json
import re
import threading
from collections.abc import AsyncIterator
from html import unescape
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.pairs import make_pair
from app.intervene.patching import patch_heads
from app.intervene.silencing import Silenced, reference_means
from app.network.experts import StackedExperts
from app.panels.attention import Attended, AttentionRequest, attend, ranking
from app.panels.patching import PatchRequest
from app.panels.silencing import attention_view, silencing_view
from app.web.attention_tab import COUNT, AttentionListeners, after_press
from app.wording.catalogue import LANGUAGES, speaker
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain
from tests.intervene.tiny import tiny_engine
from viz.attention import shades_uri

TEXT, OTHER = "the cat do", "the dog do"
STAYS = threading.Event()
REQUEST: Any = SimpleNamespace(session_hash="visitor")
SAY = speaker("en")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return tiny_engine()


def look(engine: Engine, pair: PatchRequest | None = None, **asked: Any) -> tuple[AttentionRequest, Attended]:
    return attend(engine, AttentionRequest(**{"text": TEXT, **asked}), pair, STAYS)


def silenced_by_hand(engine: Engine, ids: list[int], part: Silenced) -> tuple[Tensor, Tensor]:
    """Fused log-probabilities before and after the mean of a part is put in, by the plain loop."""
    model, means = engine.model, reference_means(engine)
    assert isinstance(model, StackedExperts)

    def hook(name: str, layer: int, x: Tensor) -> Tensor:
        if layer != part.layer or name != ("heads" if part.kind == "head" else part.kind):
            return x
        x = x.clone()
        if name == "heads":
            x[:, part.head] = means.heads[layer - 1, part.expert, part.head]
        else:
            x[:] = getattr(means, name)[layer - 1, part.expert]
        return x

    clean = [plain(model, expert, model.embedding[ids])[-1] for expert in range(2)]
    edited = [*clean]
    edited[part.expert] = plain(model, part.expert, model.embedding[ids], hook)[-1]
    before, after = ((rows[0] + rows[1]) / 2 for rows in (clean, edited))
    return before.log_softmax(-1), after.log_softmax(-1)


def test_the_first_head_is_the_one_that_moves_the_followed_token_most(engine: Engine) -> None:
    settled, found = look(engine)
    ids, token = list(found.ids), found.token
    moved = {}
    for place in np.ndindex(2, 3, 4):
        head = (place[0], place[1] + 1, place[2])
        before, after = silenced_by_hand(engine, ids, Silenced(head[0], "head", *head[1:]))
        moved[head] = float(after[token] - before[token])
        assert int(before.argmax()) == token
    sizes = [abs(moved[head]) for head in found.ranked]
    assert len(sizes) == 24 and np.allclose(sizes, sorted(sizes, reverse=True), atol=2e-3)
    html = unescape(attention_view(found, SAY))
    assert settled.head == found.head == found.ranked[0]
    first = moved[found.head]
    assert f"Silenced alone: {first:+.2f} nats" in html
    for expert, layer, head, number in re.findall(
        r"data-look='(\d) (\d) (\d)'[^>]*aria-label='[^']*'[^>]*><img[^>]*>(?:<b>\d</b>)?<span>([^<]*)</span>", html
    ):
        assert float(number) == pytest.approx(moved[int(expert), int(layer), int(head)], abs=0.0105)


def test_arcs_are_the_weights_of_eager_softmax_and_shares_are_measured(engine: Engine) -> None:
    model, (_, found) = engine.model, look(engine, head=(1, 2, 3))
    assert isinstance(model, StackedExperts)
    seen = Recorder()
    plain(model, 1, model.embedding[list(found.ids)], seen)
    wanted = seen.seen["weights", 2][3].numpy()
    html = attention_view(found, SAY)
    rows = json.loads(re.findall(r"data-weights='([^']*)'", html)[0])
    for t, row in enumerate(rows):
        assert row == pytest.approx(wanted[t, : t + 1].tolist(), abs=1e-3)
    shares = [np.mean([wanted[t, at(t)] for t in range(2, len(wanted))]) for at in (lambda t: t - 1, lambda t: 0)]
    said = re.findall(r"third token on: (\d+)% of its attention on the previous token, (\d+)% on the start", html)
    assert [float(n) / 100 for n in said[0]] == pytest.approx(shares, abs=0.0051)


def test_a_small_picture_holds_the_weights() -> None:
    weights = np.tril(np.random.default_rng(0).random((5, 5), np.float32))
    image = Image.open(io.BytesIO(base64.b64decode(shades_uri(weights).split(",")[1]))).convert("RGBA")
    cover = np.asarray(image)[..., 3] / 255
    assert cover.shape == (5, 5) and np.allclose(cover, np.sqrt(weights), atol=1 / 30 + 1e-6)


def test_heads_are_ranked_by_the_pair_whose_text_is_shown(engine: Engine) -> None:
    answers = make_pair(engine, TEXT, OTHER).pair.answers
    pair = PatchRequest(TEXT, OTHER, answers)
    effects = patch_heads(make_pair(engine, TEXT, OTHER, answers))[:-1]
    settled, found = look(engine, pair)
    assert found.measured is not None and np.allclose(found.measured.patched, effects, equal_nan=True)  # type: ignore[arg-type]
    best = found.ranked[0]
    assert effects[best[0], best[1] - 1, best[2]] == np.nanmax(effects)
    html = attention_view(found, SAY)
    assert "patched: effect" in html and f"it restores {np.nanmax(effects):.2f}" in html
    assert attend(engine, settled, None, STAYS)[1].measured is found.measured  # a press measures nothing anew
    _, back = attend(engine, AttentionRequest(OTHER), pair, STAYS)
    assert back.measured is not None and back.measured.pair is not None and back.measured.pair[0] == back.ids
    _, own = attend(engine, AttentionRequest("my dog"), pair, STAYS)
    assert own.measured is not None and own.measured.patched is None
    _, same = look(engine, PatchRequest(TEXT, TEXT))
    assert same.measured is not None and same.measured.patched is None
    assert ranking(same.measured) != found.ranked


def test_parts_together_beside_as_many_at_random(engine: Engine) -> None:
    parts = (Silenced(0, "mlp", 2),)
    _, found = look(engine, parts=parts, token="c")
    before, after = silenced_by_hand(engine, list(found.ids), parts[0])
    html = unescape(silencing_view(found, SAY))
    moved = float(after[found.token] - before[found.token])
    assert f"Silenced: RU MLP 2. In the fusion the log-probability of “c” changes by {moved:+.2f} nats" in html
    assert found.by_chance is not None and found.by_chance.parts[0].layer != 2
    assert "As many parts at random (RU MLP" in html and "12 sentences" in html
    nothing = unescape(silencing_view(look(engine, parts=())[1], SAY))
    assert "Choose at least one part" in nothing and "gs-candidate" not in nothing


def test_another_position_follows_the_next_token_of_the_text(engine: Engine) -> None:
    _, found = look(engine, index=1)
    assert found.token == found.ids[2]
    for index in (0, len(found.ids) - 1):
        _, at = look(engine, index=index)
        assert "nan" not in attention_view(at, SAY).lower() + silencing_view(at, SAY).lower()


@pytest.mark.parametrize("index", [-1, 99, 1.0, True, "1", [], {}])
def test_positions_may_be_anything(engine: Engine, index: Any) -> None:
    with pytest.raises(UserError, match="count from 0"):
        look(engine, index=index)


@pytest.mark.parametrize("text", [None, 7, "", " ", [], {}, "x" * 5000, "\x00", True, "a b " * 30])
def test_texts_may_be_anything(engine: Engine, text: Any) -> None:
    with pytest.raises(UserError):
        look(engine, text=text)


@pytest.mark.parametrize("token", [[], {}, -1, 10**9, 1.5, True, "\x00", "☃", "x" * 999])
def test_tokens_may_be_anything(engine: Engine, token: Any) -> None:
    with pytest.raises(UserError):
        look(engine, token=token)


PART = {"kind": "head", "expert": 0, "layer": 1, "head": 2}


def test_presses_choose_a_head_a_token_and_parts(engine: Engine) -> None:
    settled, _ = look(engine)
    assert settled.head is not None
    assert after_press(engine, settled, {"look": {"expert": 1, "layer": 2, "head": 3}}).head == (1, 2, 3)
    assert after_press(engine, settled, {"token": 1}).index == 1
    one = after_press(engine, settled, {"part": {**PART, "kind": "mlp"}})
    assert one.parts == (Silenced(settled.head[0], "head", *settled.head[1:]), Silenced(0, "mlp", 1))
    assert after_press(engine, one, {"part": {**PART, "kind": "mlp"}}).parts == one.parts[:1]  # type: ignore[index]
    assert after_press(engine, one, {"clear": True}).parts is None


@pytest.mark.parametrize(
    "pressed",
    [{"look": None}, {"look": {}}, {"look": {"expert": 9, "layer": 1, "head": 0}}, {"part": []}, {"part": "head"},
     {"part": {**PART, "kind": "all"}}, {"part": {**PART, "kind": []}}, {"part": {**PART, "layer": 1.0}},
     {"part": {**PART, "expert": "<b>"}}, {"part": {**PART, "head": True}}, {"part": {**PART, "layer": 0}}],
)  # fmt: skip
def test_presses_on_what_is_not_there_are_refused(engine: Engine, pressed: Any) -> None:
    with pytest.raises(UserError, match="no such part"):
        after_press(engine, AttentionRequest(TEXT), pressed)


@pytest.mark.parametrize("pressed", [[], "x", 7, {}, {"token": "1"}, {"token": None}, {"other": 1}])
def test_what_is_no_press_changes_nothing(engine: Engine, pressed: Any) -> None:
    asked = AttentionRequest(TEXT)
    assert after_press(engine, asked, pressed) is asked


async def first(answers: AsyncIterator[list[Any]]) -> list[Any]:
    return await anext(answers)


def test_listeners_answer_or_refuse_in_a_sentence(engine: Engine) -> None:
    model = SimpleNamespace(engine=engine)
    on = AttentionListeners(SimpleNamespace(of=lambda visitor: model), JobQueue())  # type: ignore[arg-type]
    event: Any = SimpleNamespace(_data={"part": {**PART, "layer": 77}})
    opened = asyncio.run(first(on.on_opening("en", REQUEST)))
    assert len(opened) == COUNT and opened[3] == "" and "gs-head-grid" in opened[4] and "gs-palette" in opened[5]
    refused = asyncio.run(on.on_press(opened[0], None, "en", event, REQUEST))
    assert "no such part" in refused[3] and refused[4] == refused[0]  # what was shown stays
    refused = asyncio.run(on.on_text("", None, "ru", REQUEST))
    assert "gs-failed" in refused[3] and refused[4:] == ["", ""]
    assert (
        asyncio.run(on.on_press(None, None, "en", event, REQUEST))[0] == asyncio.run(on.on_pair(None, "en", REQUEST))[0]
    )  # nothing before the tab was opened
    left = threading.Event()
    left.set()
    with pytest.raises(UserError, match="Cancelled"):
        attend(engine, AttentionRequest(TEXT), None, left)


def test_text_is_escaped_in_every_language(engine: Engine) -> None:
    own = Engine(engine.bundle)
    own.text_of = lambda token: "<img src=x onerror=alert(1)>'"  # type: ignore[method-assign]
    _, found = look(own, parts=(Silenced(0, "expert"), Silenced(1, "block", 2)))
    for language in LANGUAGES:
        for view in (attention_view, silencing_view):
            assert "<img src=x" not in view(found, speaker(language))
            assert "nan" not in view(found, speaker(language)).replace("<bdi", "").lower().split("gs-save")[0]


def test_a_large_network_is_not_ranked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.panels.attention.LARGE", 10)
    _, found = look(engine)
    assert found.measured is None and found.ranked == () and found.head == (0, 3, 0)
    html = attention_view(found, SAY)
    assert "too large to silence every head" in html and "Silenced alone" in html and "gs-first-heads" not in html
    with pytest.raises(UserError, match="at most 12"):
        look(engine, text="the dog " * 8)


def test_torch_stays_inside(engine: Engine) -> None:
    assert not any(isinstance(value, torch.Tensor) for value in vars(look(engine)[0]).values())
