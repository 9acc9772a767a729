"""A run: one expert trained to the end of its recipe; it can be killed at any moment and goes on."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from app.checkpoint.bundle import take_expert
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.training.batches import Rows, order_rows
from app.training.checkpoints import (
    MEAN_FACTS,
    check_same_tokenizer,
    load_embedding,
    load_weights,
    read_checkpoint,
    read_curve,
    substrate_checksum,
    write_checkpoint,
)
from app.training.corpus import TextError
from app.training.recipe import Recipe, rate, table_of
from app.training.step import make_optimizers, make_step

LOG_EVERY = 25


@dataclass(eq=False)
class TrainingRun:
    """One expert's training: what a checkpoint holds."""

    model: StackedExperts
    optimizers: list[torch.optim.Optimizer]
    step: int
    """Steps done."""
    seconds: float
    """Spent on them, over all sessions."""
    recipes: list[dict[str, Any]]
    """Every recipe used, each with the step from which on."""
    curve: list[dict[str, float]]
    """Records of step, tokens, loss (nats a token), rate, seconds."""

    def log(self, loss: float, share: float, tokens: int) -> None:
        """Add a record of the last steps: their mean loss, the share of the peak rates, tokens seen so far."""
        record = {"step": self.step, "tokens": tokens, "loss": loss, "rate": round(share, 4)}
        self.curve.append({**record, "seconds": round(self.seconds, 1)})


def open_run(
    work: Path,
    name: str,
    recipe: Recipe,
    shape: Shape,
    device: torch.device,
    origin: Path | None = None,
    start: dict[str, Tensor] | None = None,
) -> TrainingRun:
    """A new run, from the weights `start` where given; or the one in `<name>.pt` to be continued; or else
    one that goes on from an expert in the checkpoint folder `origin`, the one that the name begins with
    (`ru_try_pairs`: RU; with fresh optimizers: such folders keep none)."""
    model = StackedExperts(shape)
    model.set_dropout(recipe.dropout)
    model.initialise(torch.Generator().manual_seed(recipe.seed))
    model.embedding.copy_(table_of(load_embedding(work), recipe))
    if start is not None:
        _, unknown = model.load_state_dict(start, strict=False)  # layers that `start` lacks stay as drawn
        assert not unknown, f"{unknown} have no place in {shape}"
    model.to(device)
    begun_from: dict[str, Any] = {}
    run = TrainingRun(model, make_optimizers(model, recipe), step=0, seconds=0.0, recipes=[], curve=[])
    if origin is not None and not (work / f"{name}.pt").exists():
        check_same_tokenizer(work, origin)
        record = take_expert(origin, name.partition("_")[0].upper(), model)
        run.step = record["tokens"] // (recipe.batch * shape.context)
        run.seconds, run.recipes, run.curve = record["minutes"] * 60, record["recipes"], record["curve"]
    elif (work / f"{name}.pt").exists():
        state = read_checkpoint(work, name, device)
        model.load_state_dict(state["model"])
        for optimizer, part in zip(run.optimizers, state["optimizers"], strict=False):  # none: carried from elsewhere
            optimizer.load_state_dict(part)
        begun_from = {fact: state[fact] for fact in MEAN_FACTS if fact in state}
        rows = state["step"] * state["recipes"][-1]["batch"]
        run.step, run.seconds, run.recipes = rows // recipe.batch, state["seconds"], state["recipes"]
        curve = read_curve(work / f"{name}.curve.jsonl")
        run.curve = [line for line in curve if line["tokens"] <= rows * shape.context]
    known = {**asdict(Recipe({})), **run.recipes[-1]} if run.recipes else {}
    if {**known, **asdict(recipe)} != known:
        run.recipes.append({"from_step": run.step, **begun_from, **asdict(recipe)})
    return run


def save_run(work: Path, name: str, run: TrainingRun) -> None:
    """Write the curve, then the checkpoint: beside, then renamed, so that a kill leaves the old one
    or the new one, never half."""
    lines = "".join(json.dumps(line) + "\n" for line in run.curve)
    (work / f"{name}.curve.jsonl").write_text(lines, encoding="utf-8")
    state = {
        "step": run.step,
        "seconds": run.seconds,
        "model": run.model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in run.optimizers],
        "shape": asdict(run.model.shape),
        "recipes": run.recipes,
        "substrate": substrate_checksum(work),
    }
    write_checkpoint(work, name, state)


def train_expert(
    work: Path,
    name: str,
    recipe: Recipe,
    shape: Shape,
    origin: Path | None = None,
    start: dict[str, Tensor] | None = None,
    save_every: int = 200,
    log_every: int = LOG_EVERY,
) -> StackedExperts:
    """Train one expert to the end of its recipe, from its checkpoint if there is one.

    A run may be continued with another recipe (another mix, more tokens, another batch: what it has read
    counts in tokens), also from a written checkpoint folder `origin`; a new one may begin with the weights
    `start`.  Writes `<name>.pt` (checkpoint) and `<name>.curve.jsonl` (one line every `log_every` steps).
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = open_run(work, name, recipe, shape, device, origin, start)
    begun = run.recipes[-1]["from_step"]
    rows = training_rows(work, recipe, shape)
    steps, started = recipe.steps(shape.context), time.monotonic() - run.seconds
    losses: list[Tensor] = []

    def batch(step: int) -> Tensor:
        return torch.from_numpy(rows.batch(step * recipe.batch, recipe.batch))

    take_step = make_step(run.model, run.optimizers, recipe, batch(0))  # any rows of the right shape
    with tqdm(total=steps, initial=run.step, desc=name, unit="step", mininterval=5) as bar:
        while run.step < steps:
            share = rate(run.step - begun, steps - begun, recipe)
            losses.append(take_step(batch(run.step), share))
            run.step += 1
            run.seconds = time.monotonic() - started
            bar.update()
            if run.step % log_every == 0 or run.step == steps:
                loss = round(float(torch.stack(losses).mean()), 4)
                run.log(loss, share, run.step * recipe.batch * shape.context)
                bar.set_postfix(loss=loss)
                losses.clear()
            if run.step % save_every == 0 or run.step == steps:
                save_run(work, name, run)
    return run.model


def grow_expert(work: Path, name: str, recipe: Recipe, shape: Shape) -> None:
    """Train an expert layer by layer (Bochkov 2025, arXiv 2507.07129): one block and the head; then, again
    and again, that block is left as it is, the next is put on it, and head and new block are trained.
    Each of the stages gets an equal part of the recipe's tokens and is a run of its own, `<name>1`,
    `<name>2`, …, on rows of its own."""
    for layers in range(1, shape.layers + 1):
        stage = replace(
            recipe, tokens=recipe.tokens // shape.layers, seed=recipe.seed + layers - 1, kept_layers=layers - 1
        )
        start = load_weights(work, f"{name}{layers - 1}") if layers > 1 else None
        train_expert(work, f"{name}{layers}", stage, replace(shape, layers=layers), start=start, log_every=5)


def training_rows(work: Path, recipe: Recipe, shape: Shape) -> Rows:
    """The order of rows of a recipe over the token streams of the work folder.

    Raises:
        TextError: when the mix names a stream that the work folder lacks.
    """
    if missing := [name for name in recipe.mix if not (work / f"{name}.npy").is_file()]:
        known = ", ".join(sorted(path.stem for path in work.glob("*.npy")))
        raise TextError(f"{work} has no stream {', '.join(missing)} for the mix: it has {known}.")
    streams = {name: np.load(work / f"{name}.npy", mmap_mode="r") for name in recipe.mix}
    count = recipe.steps(shape.context) * recipe.batch
    return order_rows(streams, recipe.mix, count, shape.context, recipe.seed)
