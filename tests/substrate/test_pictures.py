"""Pictures of tokens: what is drawn, and in which order it is read."""

import math

import numpy as np
import pytest

from app.substrate.pictures import (
    PIXELS,
    SIDE,
    draw_pictures,
    from_polar,
    is_drawable,
    legible,
    polar_order,
    published,
    to_polar,
)


@pytest.mark.parametrize("recipe", ["legible", "published"])
def test_look_alikes_of_three_scripts_are_one_picture(recipe: str) -> None:
    latin, cyrillic, greek = draw_pictures(["A", "А", "Α"], recipe)
    assert np.array_equal(latin, cyrillic) and np.array_equal(latin, greek)
    assert 20 < latin.sum() < 400


def test_legible_words_show_each_letter_apart() -> None:
    """Blank columns between letters: a reader can tell them apart."""
    for word in ("cat", "мир"):
        columns = legible(word).any(axis=0)
        runs = np.count_nonzero(np.diff(np.flatnonzero(columns)) > 1) + 1
        assert runs == len(word), word


def test_legible_space_is_narrower_than_a_letter() -> None:
    """' cat' is 8 + 48 pixels wide, so its ink starts about 8 / 56 of the way in."""
    first = np.flatnonzero(legible(" cat").any(axis=0))[0]
    assert 4 <= first <= 7 and not legible(" ").any()


def test_published_ink_is_noisy_and_alike_for_texts_of_one_length() -> None:
    """The seeded noise is the same for every easy text of one length: it is what a blank shows."""
    blank = published(" ")
    assert blank.sum() > 10
    assert (published(".") & blank).sum() > 0.9 * blank.sum()


def test_published_han_text_is_neither_turned_nor_moved() -> None:
    """The vertical stroke of 中 stays vertical."""
    assert published("中").sum(axis=0).max() >= 24


def test_polar_order_starts_at_the_centre_and_visits_every_pixel_once() -> None:
    order = polar_order()
    assert sorted(order.tolist()) == list(range(PIXELS))
    assert order[0] == 16 * SIDE + 16
    radii = [math.hypot(i % SIDE - 16, i // SIDE - 16) for i in order]
    assert radii == sorted(radii)


def test_polar_order_breaks_ties_by_angle() -> None:
    """Four pixels are one step from the centre: atan2 runs from -90 to 180 degrees."""
    around = [(int(i) % SIDE - 16, int(i) // SIDE - 16) for i in polar_order()[1:5]]
    assert around == [(0, -1), (1, 0), (0, 1), (-1, 0)]


def test_polar_round_trip() -> None:
    pictures = draw_pictures(["龙", "cat"], "legible")
    assert np.array_equal(from_polar(to_polar(pictures)), pictures)


def test_what_cannot_be_drawn_is_blank() -> None:
    assert not is_drawable("\ud800") and not is_drawable("")
    assert not draw_pictures(["\ud800", ""], "legible").any()
    assert draw_pictures(["\u0007", "😀", "﷽" * 8], "legible").shape == (3, SIDE, SIDE)
