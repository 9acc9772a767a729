"""Controls: what is recorded of a run is what can be measured on it again."""

import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from app.checkpoint.bundle import Bundle, load_bundle
from app.engine.engine import Engine
from app.engine.examples import EXAMPLES
from app.engine.sampling import Sampling
from app.models import LoadedModel
from app.network.interface import Shape
from app.panels.controls import controls_view
from app.panels.settings import PanelSettings
from app.probing.contexts import held_out_contexts
from app.probing.control_record import ControlRecord, ControlRun, Kind, beside, read_control_record
from app.probing.word_list import preset
from app.probing.word_states import word_states
from app.training import commands as train
from app.training.controls import measure_run, write_control_record
from app.training.evaluate import load_network
from app.web.on_tab import model_panels
from app.wording.catalogue import say, speaker


@pytest.fixture(scope="module")
def work(toy_work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder whose controls are the toy experts; one of them on a table of its own."""
    folder = tmp_path_factory.mktemp("controls")
    for path in toy_work.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    for expert in ("ru", "zh"):
        for kind in ("frozen", "trained"):
            shutil.copy(folder / f"{expert}.pt", folder / f"{expert}_{kind}.pt")
        shutil.copy(folder / f"{expert}.curve.jsonl", folder / f"{expert}_frozen.curve.jsonl")
    state = torch.load(folder / "zh_trained.pt", weights_only=True)
    state["model"]["embedding"] = state["model"]["embedding"].flip(0)
    torch.save(state, folder / "zh_trained.pt")
    return folder


@pytest.fixture(scope="module")
def bundle(toy_bundle: Path) -> Bundle:
    return load_bundle(toy_bundle)


@pytest.fixture(scope="module")
def controls(work: Path, bundle: Bundle) -> ControlRecord:
    return write_control_record(work, work, bundle)


def test_the_record_comes_back_as_it_was_written(work: Path, controls: ControlRecord) -> None:
    again = read_control_record(work)
    assert again is not None and again.fusions == controls.fusions
    assert [run.name for run in again.runs] == ["ru_frozen", "ru_trained", "zh_frozen", "zh_trained"]
    assert again.runs[0].curve == controls.runs[0].curve and len(again.runs[0].curve) > 1
    assert read_control_record(work / "nowhere") is None


def test_bits_of_controls_are_those_of_the_merged_experts(work: Path, controls: ControlRecord) -> None:
    """The same two experts, evaluated as one stacked network when the toy was made."""
    known = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    for language, row in known.items():
        assert controls.fusions["some"][language] == pytest.approx(row, rel=1e-5)
        assert controls.runs[0].bits[language] == pytest.approx(row["RU"], rel=1e-5)
        assert controls.runs[2].bits[language] == pytest.approx(row["ZH"], rel=1e-5)


def test_experts_on_two_tables_are_fused_each_on_its_own(controls: ControlRecord) -> None:
    """Russian controls are equal, so is what they are recorded with; the Chinese one reads wrong pictures."""
    for language, row in controls.fusions["trained"].items():
        assert row["RU"] == pytest.approx(controls.fusions["some"][language]["RU"], rel=1e-6)
        assert row["ZH"] > controls.fusions["some"][language]["ZH"]


def test_purity_of_a_control_by_another_way(work: Path, controls: ControlRecord, bundle: Bundle) -> None:
    state = torch.load(work / "zh_trained.pt", weights_only=True)
    engine = Engine(replace(bundle, model=load_network(state["model"], Shape(**state["shape"])), experts=("x",)))
    words = preset("en")
    readings = held_out_contexts(work, words, bundle.tokenizer)
    states = word_states(engine, words, readings=readings).states[0]
    labels = np.array([word.concept for word in words])
    expected = []
    for layer in states[1:].astype(np.float64):  # at layer 0 words that end alike are ties
        rows = (layer - layer.mean(axis=0)) / np.maximum(layer.std(axis=0), 1e-9)
        near = NearestNeighbors(n_neighbors=5, metric="cosine").fit(rows).kneighbors(return_distance=False)
        expected.append((labels[near] == labels[:, None]).mean())
    recorded = np.array(controls.runs[3].curves["en"]["purity"])
    assert recorded[1:, 0] == pytest.approx(expected, abs=2e-3)
    assert np.all(recorded[:, 1] <= recorded[:, 0]) and np.all(recorded[:, 0] <= recorded[:, 2])


def test_the_answer_is_what_the_control_writes(bundle: Bundle, work: Path, controls: ControlRecord) -> None:
    state = torch.load(work / "ru_frozen.pt", weights_only=True)
    engine = Engine(replace(bundle, model=load_network(state["model"], Shape(**state["shape"])), experts=("x",)))
    *_, last = engine.generate(EXAMPLES[0].prompt, Sampling(new_tokens=32, seed=1))
    assert last.trace is not None
    assert controls.runs[0].answer and last.trace.text.endswith(controls.runs[0].answer)


def test_what_was_measured_is_not_measured_again(
    work: Path, bundle: Bundle, controls: ControlRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.training.controls.probe", None)
    assert write_control_record(work, work, bundle) == controls


def test_what_is_recorded_of_other_runs_is_kept(
    work: Path, bundle: Bundle, controls: ControlRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A work folder with one run more and none of the others."""
    for path in work.iterdir():
        if path.is_file() and not path.name.startswith(("ru_", "zh_")):
            shutil.copy(path, tmp_path)
    shutil.copy(work / "controls.safetensors", tmp_path)
    shutil.copy(work / "ru_frozen.pt", tmp_path / "ru_random.pt")
    shutil.copy(work / "ru_frozen.curve.jsonl", tmp_path / "ru_random.curve.jsonl")
    states = (tmp_path / "controls.safetensors").read_bytes()
    found = write_control_record(tmp_path, tmp_path, bundle)
    assert found == read_control_record(tmp_path) and found.fusions == controls.fusions
    new = [run for run in found.runs if run.name == "ru_random"]
    assert [replace(new[0], name="ru_frozen", kind="frozen"), *new] == [found.runs[0], found.runs[2]]
    assert tuple(run for run in found.runs if run not in new) == controls.runs
    assert (tmp_path / "controls.safetensors").read_bytes() == states


def test_curves_over_another_word_list_are_not_compared(
    work: Path, bundle: Bundle, controls: ControlRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record made on an earlier list keeps its bits and loses its curves, until the runs are measured again."""
    for module in ("app.probing.control_record", "app.training.controls"):
        monkeypatch.setattr(f"{module}.list_code", lambda: "another")
    fresh = replace(controls.runs[0], words="another")
    joined = beside(controls, replace(controls, runs=(fresh,)))
    assert joined.runs[0] == fresh
    assert joined.runs[1:] == tuple(replace(run, curves={}) for run in controls.runs[1:])
    monkeypatch.setattr("app.training.controls.probe", lambda engine, language, readings: {language: [(0.5, 0.4, 0.6)]})
    again = measure_run(work, bundle, "zh_frozen", "frozen", {})
    assert again.words == "another" and list(again.curves["ru"]) == ["ru"]
    assert measure_run(work, bundle, "zh_frozen", "grown", {}) == replace(again, kind="grown")  # as it is called now


def test_controls_are_measured_by_a_command(work: Path, toy_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, Path]] = []
    monkeypatch.setattr(train, "write_control_record", lambda folder, work, bundle: asked.append((folder, work)))
    train.main(["--work", str(work), "controls", "--to", str(toy_bundle)])
    assert asked == [(toy_bundle, work)]


# What the panel shows of it


def made_up(name: str, kind: Kind, layers: int = 2, loss: float = 4.0, **bits: float) -> ControlRun:
    """A run with numbers that are easy to find again."""
    curve = [(1_000_000, loss), (2_000_000, loss - 1)]
    purity = {"purity": [(0.1, 0.05, 0.15), (0.2, 0.15, 0.25), (0.4, 0.3, 0.5)][: layers + 1]}
    curves = {language: purity for language in ("en", "ru", "zh")}
    every = {"en": 1.0, "ru": 2.0, "zh": 4.0} | bits
    return ControlRun(
        name, name[:2].upper(), kind, layers, 2_000_000, 30.0, {"en": 1.0}, curve, every, curves, "<b>${x}</b>"
    )


RECORD = ControlRecord(
    (
        made_up("ru_frozen", "frozen"),
        made_up("ru_trained", "trained", loss=3.5),
        made_up("zh_frozen", "frozen"),
        made_up("zh_grown1", "grown", 1, loss=6.0, zh=5.5),
        made_up("zh_grown2", "grown", 2, loss=5.25, zh=4.5),
    ),
    {
        "some": {
            language: {
                "RU": 2.0,
                "ZH": 4.0,
                "mean of logits": 2.2,
                "mean of probabilities": 1.9,
                "gate by likelihood": 2.0,
            }
            for language in ("en", "ru", "zh")
        }
    },
    (),
    "a prompt",
)
TRAINING = {"experts": {"RU": {"tokens": 30_000_000}, "ZH": {"tokens": 31_000_000}}}


def shown() -> tuple[str, list[dict[str, Any]]]:
    page = controls_view(RECORD, TRAINING, speaker("en"))
    found = re.search(r"data-charts='([^']*)'", page)
    assert found is not None
    return page, json.loads(html.unescape(found[1]))


def test_the_panel_is_empty_without_a_record() -> None:
    assert controls_view(None, {}, speaker("en")) == ""


def test_charts_draw_the_recorded_curves() -> None:
    _, charts = shown()
    lines = charts[0]["figure"]["data"]
    assert [line["name"] for line in lines] == ["frozen pictures", "trainable pictures"]
    assert [line["x"] for line in lines] == [[1.0, 2.0]] * 2 and [line["y"] for line in lines] == [[4, 3], [3.5, 2.5]]
    assert "After 2 million" in charts[0]["sentence"] and "3.00; trainable pictures 2.50" in charts[0]["sentence"]
    purity = charts[1]["figure"]["data"]
    assert purity[-1]["y"] == [0.1, 0.2, 0.4] and purity[0]["y"] == [0.05, 0.15, 0.3]
    assert "frozen pictures 0.40 (0.30–0.50)" in charts[1]["sentence"]


def test_a_run_without_curves_has_none_drawn() -> None:
    bare = tuple(replace(run, curves={}) if run.kind in ("trained", "grown") else run for run in RECORD.runs)
    found = re.search(r"data-charts='([^']*)'", controls_view(replace(RECORD, runs=bare), TRAINING, speaker("en")))
    assert found is not None
    lines = [len(chart["figure"]["data"]) for chart in json.loads(html.unescape(found[1]))]
    assert lines[:3] == [2, 3, 3]  # loss of both; purity, with both ends of its interval, of the one that has it


def test_growth_stands_stage_after_stage_and_its_jump_is_said() -> None:
    _, charts = shown()
    figure, sentence = next(
        (chart["figure"], chart["sentence"]) for chart in charts if "largest jump" in chart["sentence"]
    )
    grown, whole = figure["data"]
    assert grown["x"] == [1, 2, 3, 4] and grown["y"] == [6, 5, 5.25, 4.25] and whole["x"] == [1, 2]
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [0, 2]
    assert "+0.25" in sentence and "Chinese: 5.50 → 4.50" in sentence


def test_the_cost_of_a_merge_is_counted_against_the_better_expert() -> None:
    page, _ = shown()
    assert "2.200 <small>+10.0%</small>" in page and "1.900 <small>-5.0%</small>" in page
    assert "experts that saw a little of it +10.0%" in page


def test_the_pictures_are_compared_with_random_vectors() -> None:
    """Bits 2.0 over pictures, 2.5 over random vectors: a fifth less."""
    record = replace(RECORD, runs=(*RECORD.runs, made_up("ru_random", "random", ru=2.5)))
    view = lambda controls: html.unescape(controls_view(controls, TRAINING, speaker("en")))  # noqa: E731
    assert "RU, Russian -20.0%." in view(record)
    assert "compared with random vectors" not in view(RECORD)


@pytest.mark.parametrize(
    ("unshared", "alone", "said"),
    [
        (2.2, 2.2, ("it costs no more (+0.0 percentage points)", "costs no more (+0.0 percentage points)")),
        (2.5, 3.0, ("sharing the table matters", "that is what the merge needs")),
    ],
)
def test_the_verdict_follows_from_the_costs(unshared: float, alone: float, said: tuple[str, str]) -> None:
    def fusion(bits: float) -> dict[str, dict[str, float]]:
        row = {"RU": 2.0, "ZH": 4.0, "mean of logits": bits, "mean of probabilities": 2.0, "gate by likelihood": 2.0}
        return dict.fromkeys(("en", "ru", "zh"), row)

    record = replace(RECORD, fusions={"alone": fusion(alone), "some": fusion(2.2), "unshared": fusion(unshared)})
    page = html.unescape(controls_view(record, TRAINING, speaker("en")))
    assert all(sentence in page for sentence in said)
    assert (
        f"{50 * alone - 110:+.1f} percentage points" in page and f"{50 * unshared - 110:+.1f} percentage points" in page
    )


def test_what_a_control_wrote_is_text_only() -> None:
    page, _ = shown()
    assert "<b>" not in page and "&lt;b&gt;${x}&lt;/b&gt;" in page


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_figures_of_controls_are_figures(language: str) -> None:
    page = controls_view(RECORD, TRAINING, speaker(language))
    for chart in json.loads(html.unescape(re.findall(r"data-charts='([^']*)'", page)[0])):
        coloured = re.sub(r"--gs-\w+(/[\d.]+)?", "#123456", json.dumps(chart["figure"]))
        plotly.graph_objects.Figure(json.loads(coloured))


def test_a_record_that_cannot_be_drawn_takes_no_other_panel_along(controls: ControlRecord, toy_bundle: Path) -> None:
    """The page opens, and the panel says that it failed."""
    shown = LoadedModel.over("toy", load_bundle(toy_bundle), None)
    odd = replace(controls, runs=(replace(controls.runs[0], kind="unheard of"),))  # type: ignore[arg-type]
    drawn = model_panels(replace(shown, controls=odd), PanelSettings())
    (failed,) = (text for text in drawn.values() if "gs-failed" in text)
    assert say("panel_failed", "en") in html.unescape(failed)
