"""Training runs: resumed after a kill, continued, grown, tuned together; what cannot work is refused."""

import dataclasses
import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file, save_file

from app.checkpoint.bundle import load_bundle, merge, take_expert
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.training import commands as train
from app.training import step as step_module
from app.training import transfer
from app.training.checkpoints import load_embedding, load_weights, read_checkpoint, read_curve
from app.training.corpus import (
    TextError,
)
from app.training.muon import Muon
from app.training.recipe import EMBEDDINGS, Recipe, rate, table_of
from app.training.run import grow_expert, open_run, train_expert, training_rows
from app.training.step import train_step


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--warmup", "0"], "--warmup must be 1"),
        (["--dropout", "1.5"], "--dropout must be"),
        (["--mix", "en=1,fr=1"], "no stream fr"),
        (["--mix", "en=0"], "more than 0"),
        (["--origin", "nowhere"], "nowhere"),
    ],
)
def test_options_that_cannot_work_are_refused_in_a_sentence(
    toy_work: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    small_work(toy_work, tmp_path)
    with pytest.raises(SystemExit, match=said):
        train.main(["--work", str(tmp_path), "expert", "en", "--mix", "en=1", "--context", "32", *arguments])


def test_a_mix_may_have_spaces() -> None:
    assert train.parse_shares("ru=0.5, en = 0.5") == {"ru": 0.5, "en": 0.5}


def test_a_checkpoint_of_another_tokenizer_or_table_is_refused(toy_work: Path, tmp_path: Path) -> None:
    """Resumed, evaluated, merged or bundled."""
    shape = small_work(toy_work, tmp_path)
    recipe = Recipe({"en": 1.0}, tokens=4 * 8 * 48, warmup=2)
    train_expert(tmp_path, "ru", recipe, shape)
    table = load_file(tmp_path / "substrate.safetensors")
    for swapped in ({**table, "embedding": table["embedding"][::-1].copy()}, table):
        save_file(swapped, tmp_path / "substrate.safetensors")
        if swapped is table:  # the table is back, now two tokens change places
            tokenizer = (tmp_path / "tokenizer.json").read_text(encoding="utf-8")
            ids = json.loads(tokenizer)
            vocabulary = ids["model"]["vocab"]
            vocabulary["а"], vocabulary["б"] = vocabulary["б"], vocabulary["а"]
            (tmp_path / "tokenizer.json").write_text(json.dumps(ids), encoding="utf-8")
        for command in (
            ["expert", "ru", "--mix", "en=1"],
            ["evaluate", "--experts", "ru"],
            ["joint", "j", "--of", "ru", "--mix", "en=1"],
        ):
            with pytest.raises(SystemExit, match="another tokenizer or table"):
                train.main(["--work", str(tmp_path), *command])


def test_a_packed_expert_is_the_same_expert(toy_work: Path, tmp_path: Path) -> None:
    """To half precision, in files of a bounded size; one trained on begins with fresh optimizers."""
    shape = small_work(toy_work, tmp_path)
    recipe = Recipe({"en": 1.0}, tokens=4 * 8 * 48, warmup=2, embedding="trained")
    train_expert(tmp_path, "ru", recipe, shape)
    before = read_checkpoint(tmp_path, "ru")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "LARGEST_FILE", 60_000)
        files = transfer.pack_expert(tmp_path, "ru", tmp_path / "packed")
    assert len(files) > 1
    (tmp_path / "ru.pt").unlink()
    train.main(["--work", str(tmp_path), "unpack", "ru", "--folder", str(tmp_path / "packed")])
    after = read_checkpoint(tmp_path, "ru")
    for name, value in before["model"].items():
        assert torch.allclose(after["model"][name], value, atol=1e-3), name
    assert after["step"] == before["step"] and after["recipes"] == before["recipes"]
    longer = dataclasses.replace(recipe, tokens=6 * 8 * 48)
    assert open_run(tmp_path, "ru", longer, shape, torch.device("cpu")).step == before["step"]
    with pytest.raises(TextError, match="pack that expert first"):
        transfer.unpack_expert(tmp_path / "packed", "zh", tmp_path)


class Killed(Exception):
    pass


def test_resume_after_a_kill_gives_the_same_weights(toy_work: Path, tmp_path: Path) -> None:
    """Killed in the middle of a step, and again in the middle of writing a checkpoint."""
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json"):
            shutil.copy(file, tmp_path)
    vocabulary, width = load_embedding(tmp_path).shape
    shape = Shape(vocabulary, width, layers=1, heads=2, experts=1, context=32)
    recipe = Recipe({"en": 1.0}, tokens=30 * 8 * 32, warmup=5)
    whole = train_expert(tmp_path, "whole", recipe, shape, save_every=10)

    real_step, real_replace = train_step, os.replace
    for kill_step_at, kill_save_at in ((14, None), (None, 2)):
        calls = {"step": 0, "save": 0}

        def step(*arguments: object, at: int | None = kill_step_at, calls: dict[str, int] = calls) -> torch.Tensor:
            calls["step"] += 1
            if calls["step"] == at:
                raise Killed
            return real_step(*arguments)  # type: ignore[arg-type]

        def replace(*arguments: object, at: int | None = kill_save_at, calls: dict[str, int] = calls) -> None:
            calls["save"] += 1
            if calls["save"] == at:
                raise Killed
            real_replace(*arguments)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(step_module, "train_step", step)
            patch.setattr(os, "replace", replace)
            with pytest.raises(Killed):
                train_expert(tmp_path, "part", recipe, shape, save_every=10)
        resumed = train_expert(tmp_path, "part", recipe, shape, save_every=10)
        for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
            assert torch.equal(a, b), name
        steps = [line["step"] for line in read_curve(tmp_path / "part.curve.jsonl")]
        assert steps == [25, 30]
        (tmp_path / "part.pt").unlink()


def test_a_run_continued_with_another_batch_goes_on_after_the_tokens_it_has_read(
    toy_work: Path, tmp_path: Path
) -> None:
    shape = small_work(toy_work, tmp_path)
    rows = 6 * 4
    train_expert(
        tmp_path, "ru", Recipe({"en": 1.0}, tokens=rows * shape.context, batch=4, warmup=2), shape, log_every=1
    )
    larger = Recipe({"en": 1.0}, tokens=2 * rows * shape.context, batch=8, warmup=2)
    run = open_run(tmp_path, "ru", larger, shape, torch.device("cpu"))
    assert run.step == rows // 8 and run.recipes[-1]["from_step"] == run.step and len(run.curve) == 6
    train_expert(tmp_path, "ru", larger, shape, log_every=1)
    assert [line["tokens"] for line in read_curve(tmp_path / "ru.curve.jsonl")] == [
        *(4 * shape.context * step for step in range(1, 7)),
        *(8 * shape.context * step for step in range(4, 7)),
    ]


def test_rate_rises_stays_and_falls_to_nothing() -> None:
    recipe = Recipe({}, warmup=10, decay=0.5)
    rates = [rate(step, 100, recipe) for step in range(101)]
    assert rates[0] == 0.1 and rates[30] == 1.0 and rates[75] == 0.5 and rates[100] == 0


def test_muon_on_a_stack_does_what_torch_does_to_each_matrix() -> None:
    """torch.optim.Muon (bfloat16 inside) on single matrices, ours on their stack, three steps each; how products are
    rounded differs among processors."""
    generator = torch.Generator().manual_seed(0)
    for shape in ((2, 12, 20), (2, 20, 12)):
        start, gradients = torch.randn(shape, generator=generator), torch.randn((3, *shape), generator=generator)
        for dtype, tolerance in ((torch.bfloat16, 5e-4), (torch.float32, 2e-3)):
            stack = torch.nn.Parameter(start.clone())
            singles = [torch.nn.Parameter(matrix.clone()) for matrix in start]
            ours = Muon([stack], lr=0.02, weight_decay=0.1, dtype=dtype)
            theirs = torch.optim.Muon(singles, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
            for gradient in gradients:
                stack.grad = gradient.clone()
                for single, part in zip(singles, gradient, strict=True):
                    single.grad = part.clone()
                ours.step()
                theirs.step()
            assert torch.allclose(stack, torch.stack(list(singles)), atol=tolerance, rtol=0)
            assert not torch.allclose(stack, start, atol=0.01)


def test_a_run_goes_on_from_a_written_checkpoint_folder(toy_work: Path, toy_bundle: Path, tmp_path: Path) -> None:
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json"):
            shutil.copy(file, tmp_path)
    bundle = load_bundle(toy_bundle)
    shape = dataclasses.replace(bundle.model.shape, experts=1)
    begun = bundle.training["experts"]["ZH"]["tokens"] // (8 * shape.context)
    recipe = Recipe({"zh": 1.0}, tokens=(begun + 4) * 8 * shape.context, warmup=2, seed=1)
    run = open_run(tmp_path, "zh", recipe, shape, torch.device("cpu"), toy_bundle)
    assert run.step == begun and run.recipes[-1]["from_step"] == begun and len(run.recipes) == 2
    assert torch.equal(run.model.head[0], bundle.model.head[bundle.experts.index("ZH")])  # type: ignore[attr-defined]
    model = train_expert(tmp_path, "zh", recipe, shape, origin=toy_bundle)
    assert torch.equal(model.embedding, bundle.model.embedding)
    assert not torch.equal(model.head[0], bundle.model.head[bundle.experts.index("ZH")])  # type: ignore[attr-defined]
    assert torch.load(tmp_path / "zh.pt", weights_only=True)["step"] == begun + 4


def test_another_frozen_table_is_not_continued(toy_work: Path, toy_bundle: Path) -> None:
    model = StackedExperts(dataclasses.replace(load_bundle(toy_bundle).model.shape, experts=1))
    model.embedding.fill_(0.5)
    with pytest.raises(ValueError, match="another frozen embedding"):
        take_expert(toy_bundle, "RU", model)


@pytest.mark.parametrize("control", EMBEDDINGS)
def test_only_the_trained_control_changes_its_table(toy_work: Path, tmp_path: Path, control: str) -> None:
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json"):
            shutil.copy(file, tmp_path)
    pictures = load_embedding(tmp_path)
    shape = Shape(pictures.shape[0], pictures.shape[1], layers=1, heads=2, experts=1, context=32)
    recipe = Recipe({"en": 1.0}, tokens=6 * 8 * 32, warmup=2, embedding=control)
    model = train_expert(tmp_path, "control", recipe, shape)
    start = table_of(pictures, recipe)
    assert torch.equal(model.embedding, start) == (control != "trained")
    assert torch.equal(start, pictures) == (control in ("frozen", "trained"))
    if control == "permuted":
        assert torch.equal(start.sort(0).values, pictures.sort(0).values)
    if control == "random":
        assert torch.allclose(start.norm(dim=-1), torch.ones(len(start)))
    again = open_run(tmp_path, "control", recipe, shape, torch.device("cpu"))
    assert torch.equal(again.model.embedding, model.embedding) and len(again.recipes) == 1


def small_work(toy_work: Path, folder: Path) -> Shape:
    """Streams and table of the toy work folder in a folder of one's own; the shape of a small expert."""
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json", ".txt"):
            shutil.copy(file, folder)
    vocabulary, width = load_embedding(folder).shape
    return Shape(vocabulary, width, layers=3, heads=2, experts=1, context=48)


def test_growth_leaves_the_lower_blocks_as_they_are(toy_work: Path, tmp_path: Path) -> None:
    shape = small_work(toy_work, tmp_path)
    grow_expert(tmp_path, "ru_grown", Recipe({"en": 1.0}, tokens=3 * 6 * 8 * 48, warmup=2), shape)
    stages = [load_weights(tmp_path, f"ru_grown{layers}") for layers in (1, 2, 3)]
    for layers, (below, above) in enumerate(itertools.pairwise(stages), 1):
        blocks = [name for name in below if name.startswith("blocks")]
        assert len(blocks) == 4 * layers
        assert all(torch.equal(below[name], above[name]) for name in blocks)
        assert not torch.equal(below["head"], above["head"])
    drawn = StackedExperts(shape)
    drawn.initialise(torch.Generator().manual_seed(2))
    assert not torch.equal(stages[2]["blocks.2.mlp_in"], drawn.state_dict()["blocks.2.mlp_in"])
    assert [line["step"] for line in read_curve(tmp_path / "ru_grown3.curve.jsonl")] == [5, 6]


def test_joint_tuning_lowers_the_loss_of_the_mean_logits(toy_work: Path, tmp_path: Path) -> None:
    """On rows of Chinese, which one of the two hardly knows; two steps of the same rows, by hand."""
    shape = small_work(toy_work, tmp_path)
    parts = []
    for name, mix in (("ru_alone", {"ru": 1.0}), ("zh_alone", {"zh": 1.0})):
        recipe = Recipe(mix, tokens=10 * 8 * 48, warmup=2)
        train_expert(tmp_path, name, recipe, shape)
        parts.append(load_weights(tmp_path, name))
    start, both = merge(parts), dataclasses.replace(shape, experts=2)
    recipe = Recipe({"zh": 1.0}, tokens=12 * 8 * 48, warmup=2, fused=True)
    rows = torch.from_numpy(training_rows(tmp_path, recipe, shape).batch(0, 8))

    def loss(weights: dict[str, torch.Tensor]) -> float:
        network = StackedExperts(both)
        network.load_state_dict(weights)
        with torch.inference_mode():
            z = network(rows[:, :-1]).logits
        fused = (z[0] + z[1]) / 2
        return float(torch.nn.functional.cross_entropy(fused.flatten(0, 1), rows[:, 1:].flatten()))

    tuned = train_expert(tmp_path, "joint", recipe, both, start=start, log_every=1)
    assert loss(dict(tuned.state_dict())) < 0.9 * loss(start)
    first = read_curve(tmp_path / "joint.curve.jsonl")[0]["loss"]
    assert first == pytest.approx(loss(start), rel=1e-3)


def test_training_learned_something(toy_work: Path) -> None:
    curve = read_curve(toy_work / "ru.curve.jsonl")
    assert curve[-1]["loss"] < 0.6 * curve[0]["loss"]
    assert [line["tokens"] for line in curve] == sorted(line["tokens"] for line in curve)
