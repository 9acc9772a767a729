"""Drawing against a network whose table was changed, gradients against finite differences, edits by hand."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.intervene import pixels
from app.intervene.adversarial import Flips, fewest_pixels, leads, pixel_gradient
from app.intervene.drawing import Canvas, draw, open_canvas, picture_of, random_tokens, untrained_network
from app.intervene.stacked import OpenedExperts
from app.network.experts import StackedExperts
from app.substrate.embedding import embed
from app.wording.errors import UserError
from tests.intervene.plain import Recorder, plain

TEXT, INDEX = "他喝了一杯", 2


@pytest.fixture(scope="module")
def canvas(tiny: Engine) -> Canvas:
    return open_canvas(tiny, TEXT, INDEX)


def finished(search: Any) -> tuple[Flips, list[tuple[int, float]]]:
    steps = []
    while True:
        try:
            steps.append(next(search))
        except StopIteration as done:
            return done.value, steps


def test_a_drawing_is_read_like_a_table_with_its_vector(tiny: Engine, canvas: Canvas) -> None:
    model = tiny.model
    assert isinstance(model, StackedExperts)
    picture = pixels.shift(canvas.picture, 2, 1)
    found = draw(canvas, picture)
    rows = model.embedding[canvas.ids].clone()
    unlike = [model.embedding[int(i)] for i in random_tokens(tiny, int(canvas.ids[INDEX]))]
    for expert in range(2):
        clean, drawn = Recorder(), Recorder()
        plain(model, expert, rows, clean)
        changed = rows.clone()
        changed[INDEX] = torch.from_numpy(embed(picture[None], tiny.bundle.substrate.basis)[0])
        logits = plain(model, expert, changed, drawn)[-1].log_softmax(-1)
        assert np.allclose(found.change.after.log_probs[expert], logits.topk(8).values, atol=5e-3)
        for layer in range(4):
            unit = []
            for row in unlike:
                other = Recorder()
                changed[INDEX] = row
                plain(model, expert, changed, other)
                unit.append(float((other.seen["state", layer] - clean.seen["state", layer])[INDEX].norm()))
            far = float((drawn.seen["state", layer] - clean.seen["state", layer])[INDEX].norm())
            assert found.path[expert, layer] == pytest.approx(far / np.mean(unit), rel=1e-2)


def test_its_own_picture_changes_nothing(canvas: Canvas) -> None:
    found = draw(canvas, canvas.picture)
    assert found.neighbours[0] == canvas.ids[INDEX] and found.cosines[0] == pytest.approx(1, abs=1e-4)
    assert np.allclose(found.change.jensen_shannon, 0, atol=1e-5) and np.allclose(found.path, 0, atol=1e-3)
    assert found.untrained_path is not None and np.allclose(found.untrained_path, 0, atol=1e-3)


def test_the_untrained_network_starts_where_the_experts_do(canvas: Canvas) -> None:
    found = draw(canvas, pixels.invert(canvas.picture))
    assert found.untrained_path is not None and found.untrained_path.shape == (4,)
    assert found.untrained_path[0] == pytest.approx(found.path[0, 0], rel=1e-3)
    assert found.untrained_path[-1] != pytest.approx(found.path[0, -1], rel=1e-3)
    assert untrained_network(canvas.opened.shape) is untrained_network(canvas.opened.shape)


def test_another_tokens_picture_is_that_token(tiny: Engine, canvas: Canvas) -> None:
    other = tiny.bundle.tokenizer.token_to_id("开")
    found = draw(canvas, tiny.bundle.substrate.pictures[other])
    ids = [*canvas.ids]
    ids[INDEX] = other
    again = open_canvas(tiny, "他开了一杯", INDEX)
    assert again.ids.tolist() == ids
    assert np.allclose(found.change.after.log_probs, again.logits.log_softmax(-1).topk(8).values, atol=5e-3)


@pytest.mark.parametrize(
    ("text", "index", "code"), [(TEXT, 99, "bad_position"), (TEXT, -1, "bad_position"), ("", 0, "empty_prompt")]
)
def test_refused_tokens(tiny: Engine, text: str, index: int, code: str) -> None:
    with pytest.raises(UserError) as error:
        open_canvas(tiny, text, index)
    assert error.value.code == code


def test_characters_outside_the_vocabulary_can_be_drawn(tiny: Engine) -> None:
    assert tiny.bundle.tokenizer.token_to_id("ö") is None
    assert picture_of(tiny, "ö").any()
    for text in ("", "x" * 17, "\ud800"):
        with pytest.raises(UserError, match="sixteen"):
            picture_of(tiny, text)


def test_the_gradient_equals_finite_differences(tiny: Engine) -> None:
    model = copy.deepcopy(tiny.model)
    assert isinstance(model, StackedExperts)
    canvas = open_canvas(tiny, TEXT, INDEX)
    answer = int(canvas.logits[-1].argmax())
    slope = pixel_gradient(canvas, canvas.picture, answer)
    basis = tiny.bundle.substrate.basis
    order = np.argsort(-np.abs(slope).ravel())[:5]
    exact = OpenedExperts(model.double(), torch.tensor([0.5, 0.5], dtype=torch.float64))

    def margin(ink: Any) -> float:
        from app.substrate.pictures import polar_order

        projected = basis.components.astype(float) @ (ink[polar_order()] - basis.mean)
        rows = exact.table[canvas.ids].clone()
        rows[INDEX] = torch.from_numpy(projected / np.linalg.norm(projected))
        logits = torch.stack([plain(model, expert, rows)[-1] for expert in range(2)]).mean(0)
        others = np.delete(np.asarray(logits), answer)
        return float(logits[answer]) - float(others.max())

    for pixel in order:
        ink, step = canvas.picture.ravel().astype(float), 1e-5
        ends = []
        for sign in (1, -1):
            moved = ink.copy()
            moved[pixel] += sign * step
            ends.append(margin(moved))
        assert slope.ravel()[pixel] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-2)


def test_fewest_pixels_turn_the_answer_and_none_is_spare(canvas: Canvas) -> None:
    found, steps = finished(fewest_pixels(canvas))
    assert found.turned and found.margin < 0 < found.first_margin and found.before != found.after
    assert len(found.pixels) <= len(steps) == steps[-1][0]
    drawn = draw(canvas, found.picture)
    assert drawn.change.after.ids[-1, 0] == found.after
    assert (found.picture != canvas.picture).sum() == len(found.pixels)
    for left_out in range(len(found.pixels)):
        fewer = pixels.flip(canvas.picture, np.delete(found.pixels, left_out))
        assert leads(canvas, fewer[None], found.before)[0] > 0
    assert len(found.random_margin) == 16 and found.random_turned == int((found.random_margin < 0).sum())


def test_a_search_that_is_cut_short_says_so(canvas: Canvas) -> None:
    found, steps = finished(fewest_pixels(canvas, most=1))
    assert len(steps) == 1 and len(found.pixels) == 1
    assert found.turned == (found.margin <= 0)


def test_edits_of_pictures() -> None:
    dot = np.zeros((32, 32), bool)
    dot[5, 31] = True
    assert not pixels.shift(dot, 1, 0).any()
    assert pixels.shift(dot, -1, 2)[7, 30] and pixels.shift(dot, -1, 2).sum() == 1
    assert not pixels.shift(dot, -40, 0).any() and np.array_equal(pixels.shift(dot, 0, 0), dot)
    assert pixels.thicken(dot).sum() == 4 and pixels.invert(dot).sum() == 1023
    assert (pixels.noise(dot, 64) != dot).sum() == 64
    assert not (pixels.noise(dot, 10) != dot)[pixels.noise(dot, 64) == dot].any()  # more include the fewer
    assert not np.array_equal(pixels.noise(dot, 64, 1), pixels.noise(dot, 64, 2))


def test_morphing_goes_step_by_step() -> None:
    first, second = np.random.default_rng(0).random((2, 32, 32)) > 0.7
    way = [pixels.morph(first, second, share) for share in np.linspace(0, 1, 6)]
    assert np.array_equal(way[0], first) and np.array_equal(way[-1], second)
    left = [int((picture != second).sum()) for picture in way]
    assert left == sorted(left, reverse=True) and len(set(left)) == 6


def test_pictures_as_strings() -> None:
    picture = np.random.default_rng(0).random((32, 32)) > 0.5
    assert np.array_equal(pixels.from_strings(pixels.to_strings(picture)), picture)
    blank = ["0" * 32] * 32
    short, odd = [*blank[1:], "0" * 31], [*blank[1:], "2" * 32]
    cases: list[Any] = [blank[1:], short, odd, [*blank[1:], 0], None, "0" * 32, {}]
    for bad in cases:
        with pytest.raises(UserError) as error:
            pixels.from_strings(bad)
        assert error.value.code == "bad_pixels"
