"""The scope of a notebook: its records against the network itself, their tables, files and panels."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from app.intervene.pairs import make_pair
from app.intervene.patching import patch_map
from app.models import LoadedModel
from app.notebook import Scope, read_export
from app.probing.word_states import word_states
from app.wording.errors import UserError
from tests.intervene.tiny import tiny_engine

ROOT = Path(__file__).parents[2]
TEXT = "the cat do"
WORDS = {"first": ["cat", "dog", "tea", "hat"], "second": ["кот", "дом", "сад", "лес"]}


@pytest.fixture(scope="module")
def scope() -> Scope:
    engine = tiny_engine()
    return Scope(LoadedModel.over("tiny", engine.bundle, None))


def logits_of(scope: Scope, ids: list[int]) -> torch.Tensor:
    """(E + 1, T, V), the fusion last."""
    with torch.inference_mode():
        each = scope.engine.model(torch.tensor([ids])).logits[:, 0]
    return torch.cat((each, each.mean(0)[None]))


def test_a_notebook_has_no_gradio_and_plotly_only_for_figures() -> None:
    code = (
        "import sys; from app.notebook import open_model; scope = open_model('assets/mini')\n"
        "text = scope.look('Мама любит дом.'); text.to_json(), scope.lens(text)._repr_html_(), text._repr_html_()\n"
        "print([name for name in ('gradio', 'plotly') if name in sys.modules], scope.about['model'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["[]", "glyphscope-mini"], done.stderr


def test_texts_are_scored_as_the_network_scores_them(scope: Scope) -> None:
    text = scope.look(TEXT)
    logs = logits_of(scope, text.trace.ids.tolist()).log_softmax(-1)
    table = text.to_pandas()
    for position in range(1, len(text.trace)):
        token = int(text.trace.ids[position])
        row = table.loc[position]
        expected = logs[:, position - 1, token].tolist()
        assert row[["log_prob_RU", "log_prob_ZH", "log_prob_fused"]].tolist() == pytest.approx(expected, abs=1e-4)
        assert row["id"] == token and row["text"] == text.tokens[position - 1]
    top = text.expected(2, 5).to_pandas()
    chances = logs[-1, 1].exp()
    assert top.loc["fused", "probability"].tolist() == pytest.approx(chances.topk(5).values.tolist(), abs=1e-5)
    mixed = logs[:2, 1].exp().mean(0).topk(5)
    top = text.expected(2, 5, "probabilities").to_pandas()
    assert top.loc["fused", "id"].tolist() == mixed.indices.tolist()


def test_the_same_seed_writes_the_same_text_and_says_how(scope: Scope) -> None:
    one, other = (scope.write(TEXT, seed=3, new_tokens=6, temperature=1.2) for _ in range(2))
    assert one.text == other.text
    assert one.about["seed"] == 3 and one.about["sampling"]["temperature"] == 1.2
    assert scope.look(TEXT).about["seed"] is None and one.about["text"] == one.text


def test_lens_at_the_last_layer_is_the_prediction(scope: Scope) -> None:
    text = scope.look(TEXT)
    table = scope.lens(text, top=2).to_pandas()
    logs = logits_of(scope, text.trace.ids.tolist()).log_softmax(-1)
    best = table.loc[("ZH", 3, slice(None), 1), "id"].tolist()
    assert best == logs[1].argmax(-1).tolist()


def test_states_and_probes_of_words(scope: Scope) -> None:
    states = scope.states(WORDS)
    assert np.allclose(states.states, word_states(scope.engine, states.words).states)
    table = states.to_pandas()
    assert table.loc[("RU", 0, "кот"), ["group", "language"]].tolist() == ["second", "ru"]
    probes = scope.probe(WORDS)
    assert probes.to_pandas().loc[("purity", "RU", 2), "values"] == pytest.approx(
        float(states.purity()[0, 2]), abs=1e-5
    )
    for page in (states._repr_html_(), probes._repr_html_()):
        assert "<svg" in page and "<script" not in page


def test_causal_records_are_those_of_the_instruments(scope: Scope) -> None:
    moved = scope.patch("the cat do", "the dog do")
    found = patch_map(make_pair(scope.engine, "the cat do", "the dog do"))
    assert np.allclose(moved.found.effect, found.effect, equal_nan=True)
    assert moved.to_pandas().loc[("fused", 3, 4), "effect"] == pytest.approx(float(found.effect[2, 3, 4]), abs=1e-6)
    parts = scope.attribute(TEXT)
    assert parts.to_pandas().groupby("expert")["nats"].sum().tolist() == pytest.approx(
        parts.found.margins.tolist(), abs=2e-3
    )
    own = scope.draw("他喝了一", 2, scope.engine.bundle.substrate.pictures[int(scope.look("他喝了一").trace.ids[2])])
    assert np.allclose(own.found.path, 0, atol=1e-4)  # its own picture changes nothing
    assert scope.draw("他喝了一", 2, "猫").facts()["nearest"][0] == "猫"
    for record in (moved, parts, own):
        assert "gs-panel" in record._repr_html_()


def test_a_file_gives_the_table_back_and_what_it_is_of(scope: Scope, tmp_path: Path) -> None:
    for name, record in (("text", scope.look(TEXT)), ("lens", scope.lens(TEXT)), ("words", scope.states(WORDS))):
        record.to_json(tmp_path / f"{name}.json")
        saved = read_export(tmp_path / f"{name}.json")
        assert saved.table is not None and saved.table.index.names == record.to_pandas().index.names
        for column in record.to_pandas():
            left, right = saved.table[column], record.to_pandas()[column]
            assert np.allclose(left, right, atol=1e-6) if right.dtype.kind == "f" else list(left) == list(right)
        assert saved.about["model"] == "tiny" and saved.about["project"].startswith("Glyphscope")
    assert json.loads(scope.look(TEXT).to_json())["units"]["disagreement"] == "nats"


def test_texts_are_escaped_in_panels(scope: Scope) -> None:
    page = scope.look("the cat <script>alert(1)</script>")._repr_html_()
    assert "<script" not in page
    assert "<script" not in scope.lens("the cat <script>")._repr_html_()


def test_wrong_input_is_a_sentence(scope: Scope, tmp_path: Path) -> None:
    for call, said in (
        (lambda: scope.look(""), "Type a few words"),
        (lambda: scope.states("no such set"), "words"),
        (lambda: scope.states(7), "words: give the name"),  # type: ignore[arg-type]
        (lambda: scope.draw(TEXT, 99, "猫"), "count from"),
        (lambda: scope.patch("the cat", "the cat"), "change one word"),
    ):
        with pytest.raises(UserError, match=said):
            call()
    with pytest.raises(ValueError, match="no JSON"):
        read_export(tmp_path / "picture.gif")
