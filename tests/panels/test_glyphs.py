"""The glyphs panel: what a vector keeps of its picture."""

import json
import re

import numpy as np
import pytest

from app.engine.engine import Engine
from app.panels.glyphs import glyph_view
from app.wording.catalogue import speaker
from tests.support.html import Reader
from viz.glyphs import GlyphCard, Meanings, Neighbour, difference, glyph_panel
from viz.tokens import visible

SAY = speaker("en")


def test_glyph_panel_counts_wrong_pixels_and_names_neighbours(engine: Engine) -> None:
    substrate = engine.bundle.substrate
    index = substrate.tokens.index("猫")
    html = glyph_view(engine, index, SAY)
    basis, vector = substrate.basis, substrate.table[index]
    # The independent way back: solve for the length on a grid instead of by formula.
    from app.substrate.pictures import from_polar

    def binary_error(length: float) -> float:
        estimate = basis.mean + length * vector @ basis.components
        return abs(float((estimate**2).sum() - estimate.sum()))

    length = min(np.linspace(1, 32, 20_000), key=binary_error)
    decoded = from_polar((basis.mean + length * vector @ basis.components)[None])[0] > 0.5
    wrong = int((decoded != substrate.pictures[index]).sum())
    lost = html.count("gs-lost") + html.count("gs-added")
    assert lost == pytest.approx(wrong, abs=1)
    cosines = substrate.table @ vector
    cosines[index] = -2
    assert f"{cosines.max():.2f}" in html and visible(substrate.tokens[int(cosines.argmax())]) in html
    assert "U+732B CJK UNIFIED IDEOGRAPH-732B" in html


def test_fewer_components_decode_worse_and_keep_less(engine: Engine) -> None:
    index = engine.bundle.substrate.tokens.index("猫")
    wrong, kept = [], []
    for components in (1, 8, 64, 10_000):
        html = glyph_view(engine, index, SAY, components)
        wrong.append(html.count("gs-lost") + html.count("gs-added"))
        found = re.search(r"keep ([\d.]+)%", html)
        assert found is not None
        kept.append(float(found.group(1)))
    assert wrong[0] > wrong[1] > wrong[2] == wrong[3] and kept[0] < kept[1] < kept[2] == kept[3]
    basis = engine.bundle.substrate.basis
    from app.substrate.pictures import to_polar

    centred = to_polar(engine.bundle.substrate.pictures[index][None])[0] - basis.mean
    share = np.linalg.norm(basis.components[:8] @ centred) ** 2 / np.linalg.norm(centred) ** 2
    assert kept[1] == pytest.approx(100 * share, abs=0.06)


def test_what_both_pictures_have_is_one_shape_and_each_difference_a_mark() -> None:
    first, second = np.random.default_rng(1).random((2, 32, 32)) > 0.6
    html = str(difference(first, second, "difference"))
    grey = np.zeros((32, 32), bool)
    for left, top, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", html):
        grey[int(top), int(left) : int(left) + int(width)] = True
    np.testing.assert_array_equal(grey, first & second)
    assert html.count("gs-lost") == (first & ~second).sum() and html.count("gs-added") == (second & ~first).sum()


def test_a_near_word_is_sent_once_and_each_list_says_where_it_stands() -> None:
    bitmap = np.eye(32, dtype=bool)
    cat, dog = (Neighbour(None, text, bitmap, 0.5, gloss) for text, gloss in (("cat", "кот"), ("dog", "")))
    meanings = Meanings(("RU", "ZH"), (((cat, dog), (dog,)), ((dog, cat), (cat,))), 1, 9)
    card = GlyphCard(1, "a", "latin", ("U+0061 A",), bitmap, bitmap, (), (cat,), 0.9, 32, 64, meanings)
    html = glyph_panel(card, SAY)
    words = Reader(html[html.index("gs-near-words") :].partition("</ol>")[0])
    assert words.text.count("cat") == words.text.count("dog") == 1
    (lists,) = (json.loads(a["data-lists"]) for a in Reader(html).with_class("gs-near-words"))
    assert [[[row for row, _ in rows] for rows in layers] for layers in lists] == [[[0, 1], [1]], [[1, 0], [0]]]
    assert lists[0][0][0][1] == "0.50"
