"""What is recorded and written about trained experts: the bundle's record, the model card, the word list."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from app.network.interface import Shape
from app.probing.contexts import Readings
from app.training import commands as train
from app.training.card_tables import bits_table, runs_table, training_commands, translation_table
from app.training.corpus import (
    LANGUAGES,
)
from app.training.model_card import Release, model_card
from app.training.recipe import Recipe
from app.training.run import open_run


def test_the_card_shows_translation_and_stories_where_they_were_measured() -> None:
    row = {"RU": 0.9996, "ZH": 2.0}
    assert bits_table({"ru_stories": row}).splitlines() == [
        "| | RU | ZH |",
        "|---|---|---|",
        "| ru_stories | 1.000 | 2.000 |",
    ]
    assert bits_table({}) == ""

    pairs = {"mean of logits": {"bleu": 19.84, "chrf": 34.37, "pairs": 1623}, "RU": {"bleu": 7.0, "chrf": 30.0}}
    lines = translation_table({"en-ru": pairs, "ru-zh": pairs}).splitlines()
    assert "| | pairs | mean of logits | RU | best_bvv_moe (0.9B), published |" in lines
    assert "| en-ru | 1,623 | 19.8 / 34.4 | 7.0 / 30.0 | 6.5 |" in lines  # as its card says: 6.52
    assert "| ru-zh | 1,623 | 19.8 / 34.4 | 7.0 / 30.0 | – |" in lines
    assert translation_table({}) == ""
    record = {"bits_per_character": {"ru": row}, "experts": {}}
    shape, release = (
        Shape(vocabulary=50, width=16, layers=1, heads=2, experts=2, context=8),
        Release("home", "text", ""),
    )
    plain = model_card(shape, record, 0.5, release, None)
    whole = model_card(
        shape,
        {**record, "bits_per_character_stories": {"ru_stories": row}, "translation": {"en-ru": pairs}},
        0.5,
        release,
        None,
    )
    assert "connected prose" in whole and "## Translation" in whole and "license:" not in whole
    assert "connected prose" not in plain and "## Translation" not in plain and "does not translate" in plain
    assert "app.training translate" in training_commands(
        {"experts": {}, "translation": {"en-ru": pairs}}, "folder", 256
    )


def test_the_card_names_the_options_of_a_recipe() -> None:
    recipe = {"mix": {"ru": 1.0}, "tokens": 9, "seed": 1, "muon_rate": Recipe.muon_rate, "from_step": 0}
    assert "--tokens 9 --seed 1\n" in training_commands({"experts": {"RU": {"recipes": [recipe]}}}, "folder", 4)


def test_the_card_says_where_a_recipe_was_stopped_before_its_end() -> None:
    begun = {"mix": {"ru": 1.0}, "tokens": 100, "batch": 4, "from_step": 0}
    later = {"mix": {"zh": 1.0}, "tokens": 200, "batch": 2, "from_step": 12}  # 12 batches of 2 rows of 4 tokens
    assert (
        training_commands({"experts": {"RU": {"recipes": [begun, later]}}}, "folder", 4).count("# stopped at 96") == 0
    )
    early = {**later, "from_step": 6}
    assert "# stopped at 48 tokens" in training_commands({"experts": {"RU": {"recipes": [begun, early]}}}, "folder", 4)
    record = {"RU": {"recipes": [begun, early], "tokens": 200, "minutes": 1.0}}
    assert "zh 100% (0.0)" in runs_table(record, 4)


def test_the_word_list_is_read_by_a_command_in_held_out_text(
    toy_work: Path, toy_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[Path, Readings]] = []
    monkeypatch.setattr(train, "write_words", lambda folder, engine, readings: read.append((folder, readings)))
    train.main(["--work", str(toy_work), "words", "--to", str(toy_bundle)])
    ((folder, readings),) = read
    held = [(toy_work / f"{name}.held_out.txt").read_text(encoding="utf-8") for name in LANGUAGES]
    assert folder == toy_bundle and readings
    for word, texts in readings.items():
        assert all(text.endswith(word.text) and any(text in part for part in held) for text in texts)


def test_bundle_tells_how_it_was_made(toy_bundle: Path) -> None:
    record = json.loads((toy_bundle / "training.json").read_text(encoding="utf-8"))
    assert set(record["experts"]) == {"RU", "ZH"}
    assert record["experts"]["RU"]["recipes"][0]["mix"] == {"ru": 0.6, "en": 0.3, "zh": 0.1}
    assert set(record["bits_per_character"]) == set(LANGUAGES)
    assert record["experts"]["RU"]["tokens"] == 32000 // (8 * 48) * 8 * 48


def test_the_mean_of_two_checkpoints(toy_work: Path, tmp_path: Path) -> None:
    """Weights half way between, the table as it is, the later one's record; and what the card says of it."""
    for name in ("tokenizer.json", "substrate.safetensors"):
        shutil.copy(toy_work / name, tmp_path)
    shutil.copy(toy_work / "ru.pt", tmp_path / "early.pt")
    state = torch.load(toy_work / "ru.pt", weights_only=True)
    later = {key: value if key == "embedding" else value + 1 for key, value in state["model"].items()}
    torch.save({**state, "model": later, "step": state["step"] + 5}, tmp_path / "late.pt")
    shutil.copy(toy_work / "ru.curve.jsonl", tmp_path / "late.curve.jsonl")
    train.main(["--work", str(tmp_path), "mean", "ru", "--of", "early", "late"])
    found = torch.load(tmp_path / "ru.pt", weights_only=True)
    for key, value in state["model"].items():
        assert torch.allclose(found["model"][key], value if key == "embedding" else value + 0.5), key
    assert found["mean_of"] == [state["step"], state["step"] + 5] and found["step"] == state["step"] + 5
    shutil.copy(toy_work / "evaluation.json", tmp_path)
    record = train.training_record(tmp_path, {"RU": found})
    assert record["experts"]["RU"]["mean_of"] == found["mean_of"]
    shape = Shape(**found["shape"])
    longer = Recipe({"en": 1.0}, tokens=10 * found["step"] * 8 * shape.context)
    went_on = open_run(tmp_path, "ru", longer, shape, torch.device("cpu")).recipes
    assert went_on[-1]["mean_of"] == found["mean_of"] and "mean_of" not in went_on[0]
    said = runs_table({"RU": {"recipes": went_on, "tokens": 1, "minutes": 1.0}}, shape.context)
    assert f"that RU went on from at {found['step'] * 8 * shape.context / 1e6:.1f} million tokens" in said
    commands = training_commands({"experts": {"RU": {"recipes": went_on}}}, "folder", shape.context).splitlines()
    mean = next(i for i, line in enumerate(commands) if f"mean ru --of ru_{found['mean_of'][0]} ru_" in line)
    assert "--mix en=1.0" in commands[mean + 1]
    train.main(["--work", str(tmp_path), "mean", "ru", "--of", "early", "late", "--shares", "0.25", "0.75"])
    nearer = torch.load(tmp_path / "ru.pt", weights_only=True)
    for key, value in state["model"].items():
        assert torch.allclose(nearer["model"][key], value if key == "embedding" else value + 0.75), key
    assert torch.equal(nearer["model"]["embedding"], state["model"]["embedding"])
    unequal = train.training_record(tmp_path, {"RU": nearer})
    assert f"weighted mean of those at steps {state['step']} (25%) and" in runs_table(unequal["experts"], 48)
    assert f"ru_{state['step'] + 5} --shares 0.25 0.75" in training_commands(unequal, "folder", 48)
    for shares in (["1"], ["0.5", "0.6"], ["-1", "1"]):
        with pytest.raises(SystemExit, match="one share for each of the 2 checkpoints"):
            train.main(["--work", str(tmp_path), "mean", "ru", "--of", "early", "late", "--shares", *shares])
    assert f"mean of those at steps {state['step']} and {state['step'] + 5}" in runs_table(record["experts"], 48)
    assert f"mean ru --of ru_{state['step']} ru_{state['step'] + 5}" in training_commands(record, "folder", 48)
