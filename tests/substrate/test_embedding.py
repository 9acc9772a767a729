"""The frozen embedding: PCA and L2 against independent code, and the way back to the picture."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from app.substrate.embedding import Basis, decode, embed, fit_basis, nearest
from app.substrate.glyphs import code_points
from app.substrate.pictures import draw_pictures, to_polar

HAN = [chr(i) for i in range(0x4E00, 0x4E00 + 1500)] + list("龙尤尢尨己已巳未末")
LETTERS = [chr(i) for i in range(0x21, 0x7F)] + [chr(i) for i in range(0x391, 0x3A9) if i != 0x3A2]
WORDS = [" cat", " car", " dog", " мир", " мин", "и", "й", "А"]
TEXTS = list(dict.fromkeys(HAN + LETTERS + WORDS))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return draw_pictures(TEXTS, "legible")


@pytest.fixture(scope="module")
def full(pictures: np.ndarray) -> Basis:
    return fit_basis(pictures, 1024)


def test_embedding_matches_scikit_learn(pictures: np.ndarray) -> None:
    basis = fit_basis(pictures, 32)
    pca = PCA(32, svd_solver="full").fit(to_polar(pictures).astype(np.float64))
    theirs = pca.transform(to_polar(pictures).astype(np.float64))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = embed(pictures, basis)
    assert np.allclose(ours @ ours.T, theirs @ theirs.T, atol=2e-4)  # signs of axes are free
    assert basis.kept == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-5)


def test_full_width_decodes_bit_for_bit(pictures: np.ndarray, full: Basis) -> None:
    assert np.array_equal(decode(embed(pictures, full), full) > 0.5, pictures)


def test_a_narrow_width_loses_some_pixels_and_fewer_when_wider(pictures: np.ndarray) -> None:
    errors = []
    for width in (16, 64, 256):
        basis = fit_basis(pictures, width)
        errors.append(((decode(embed(pictures, basis), basis) > 0.5) != pictures).sum(axis=(1, 2)).mean())
    assert errors[0] > errors[1] > errors[2]


def test_decoding_needs_no_length(pictures: np.ndarray, full: Basis) -> None:
    """Any positive multiple of a vector decodes to the same picture."""
    vectors = embed(pictures[:50], full)
    assert np.array_equal(decode(3 * vectors, full) > 0.5, pictures[:50])


def test_fewer_components_decode_less(pictures: np.ndarray, full: Basis) -> None:
    vectors = embed(pictures[:200], full)
    wrong = [((decode(vectors, full, k) > 0.5) != pictures[:200]).sum() for k in (4, 64, 1024)]
    assert wrong[0] > wrong[1] > wrong[2] == 0


def test_look_alikes_share_one_vector(pictures: np.ndarray, full: Basis) -> None:
    table = embed(pictures, full)
    latin, cyrillic, greek = (table[TEXTS.index(c)] for c in "AАΑ")
    assert np.abs(np.stack((cyrillic, greek)) - latin).max() < 1e-6  # equal but for the order of summing


def test_neighbours_of_a_dragon_look_like_it(pictures: np.ndarray, full: Basis) -> None:
    table = embed(pictures, full)
    ids, cosines = nearest(table, table[TEXTS.index("龙")], 4)
    texts = [TEXTS[i] for i in ids]
    assert texts[0] == "龙" and {"尤", "尢"} & set(texts[1:])
    assert cosines[0] == pytest.approx(1, abs=1e-5) and np.all(np.diff(cosines) <= 0)


def test_unit_length(pictures: np.ndarray, full: Basis) -> None:
    assert np.allclose(np.linalg.norm(embed(pictures, full), axis=1), 1, atol=1e-5)


def test_code_points_have_names() -> None:
    assert code_points("A\n") == ("U+0041 LATIN CAPITAL LETTER A", "U+000A CONTROL CHARACTER")
