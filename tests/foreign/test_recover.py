"""Pictures recovered from a table whose basis is unknown, and tables that hold none; number formats and their drift."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.checkpoint.bundle import load_bundle
from app.engine.engine import Engine
from app.foreign.compute.unit_rows import UnitRows
from app.foreign.files.tokens import read_tokens
from app.foreign.load import load_foreign, probe_ids
from app.foreign.recover import Drawn, find_pictures, recover
from app.substrate.embedding import Floats, decode, embed, fit_basis
from app.substrate.pictures import draw_pictures
from app.trace.fusion import next_log_probs
from tests.support.folders import Folder, write_folder


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.bool_]:
    """Pictures of the bundled vocabulary, a few thousand."""
    return load_bundle().substrate.pictures[:6000]


def turned(pictures: NDArray[np.bool_], width: int) -> Floats:
    """A published table: projected, normalised, in a basis that nobody knows."""
    table = embed(pictures, fit_basis(pictures, width))
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((width, width)))[0]
    return (table @ turn).astype(np.float32)


def test_at_full_width_every_held_out_picture_comes_back(pictures: NDArray[np.bool_]) -> None:
    table = turned(pictures, 1024)
    found = recover(pictures, table)
    assert (found.fitted, found.tested) == (3000, 2000) and found.exact >= 1995 and found.agreement > 0.9999
    again = decode(table[:50], found.basis) > 0.5
    assert (again == pictures[:50]).mean() > 0.9999


def test_half_precision_does_not_hide_the_pictures(pictures: NDArray[np.bool_]) -> None:
    rows = UnitRows(torch.from_numpy(turned(pictures, 1024)).bfloat16())
    assert recover(pictures, np.asarray(rows[np.arange(len(pictures))])).exact >= 1990


def test_a_trained_table_fails_the_proof(pictures: NDArray[np.bool_]) -> None:
    table = np.random.default_rng(0).standard_normal((len(pictures), 256)).astype(np.float32)
    found = recover(pictures, table / np.linalg.norm(table, axis=1, keepdims=True))
    assert found.exact == 0 and abs(found.agreement) < 0.1


def test_the_recipe_that_drew_a_table_is_told_apart(pictures: NDArray[np.bool_]) -> None:
    texts = load_bundle().substrate.tokens[:800]
    for recipe in ("legible", "published"):
        found, drawn, recovery = find_pictures(texts, turned(draw_pictures(texts, recipe), 128))
        assert found == recipe and recovery.agreement > 0.99
        assert np.array_equal(drawn[5], draw_pictures([texts[5]], recipe)[0]) and len(drawn) == 800


def test_pictures_drawn_on_demand_are_the_same() -> None:
    drawn = Drawn(["a", "кот", "猫"], "legible")
    assert np.array_equal(drawn[np.array([2, 0])], draw_pictures(["猫", "a"], "legible"))


def test_unit_rows_are_read_as_an_array_would_be() -> None:
    table = torch.randn(300, 16, generator=torch.Generator().manual_seed(0))
    rows, plain = UnitRows(table), (table / table.norm(dim=1, keepdim=True)).numpy()
    assert rows.shape == (300, 16) and len(rows) == 300
    assert np.allclose(rows[7], plain[7], atol=1e-6) and np.allclose(rows[np.array([3, 4])], plain[3:5], atol=1e-6)
    assert np.allclose(rows @ plain[9], plain @ plain[9], atol=1e-5)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same weights in three number formats."""
    base = tmp_path_factory.mktemp("formats")
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        write_folder(base / name, Folder("two_towers", dtype=dtype, scale=1.5))
    return {path.name: path for path in base.iterdir()}


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_half_precision_files_are_understood_as_exactly_as_others(stored: dict[str, Path], kind: str) -> None:
    report = load_foreign(stored[kind], kind, trusted=True).report
    assert report is not None and report.style and report.largest < 1e-4 and report.precision == "float32"


def test_a_number_format_that_is_asked_for_is_used_and_stays_near(stored: dict[str, Path]) -> None:
    whole = Engine(load_foreign(stored["float32"], "x", trusted=True)).look("The cat Мама")
    for precision, most in (("bfloat16", 0.1), ("int8", 0.3)):
        bundle = load_foreign(stored["float32"], "x", trusted=True, precision=precision)
        assert bundle.report is not None and bundle.report.precision == precision
        apart = next_log_probs(Engine(bundle).look("The cat Мама"))[:-1] - next_log_probs(whole)[:-1]
        assert 0 < np.abs(apart).max() < most


def test_the_drift_of_int8_is_measured(stored: dict[str, Path]) -> None:
    """Against a plain computation over the same texts."""
    small, whole = (load_foreign(stored["float32"], "x", True, precision=kind) for kind in ("int8", "bfloat16"))
    tokens = read_tokens(stored["float32"], {}, whole.model.shape.vocabulary, trusted=True)
    bits, same = [], []
    for ids in probe_ids(tokens, whole.model.shape.vocabulary):
        p, q = (b.model(torch.tensor([ids[:48]])).logits[:, 0].double().log_softmax(-1).numpy() for b in (whole, small))
        bits += ((np.exp(p) * (p - q)).sum(-1) / np.log(2)).ravel().tolist()
        same += (p.argmax(-1) == q.argmax(-1)).ravel().tolist()
    assert small.report is not None and small.report.drift is not None and whole.report is not None
    assert whole.report.drift is None and small.report.drift[0] > 0
    assert small.report.drift[0] == pytest.approx(float(np.mean(bits)), rel=1e-3)
    assert small.report.drift[1] == pytest.approx(float(np.mean(same)))
