"""Train one expert: its recipe, one step, a run that can be killed at any moment and goes on."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from app.checkpoint.bundle import take_expert
from app.network.experts import StackedExperts, fuse
from app.network.interface import Shape
from app.system.timing import fastest
from app.training.batches import Rows, order_rows
from app.training.captured import Step, captured
from app.training.corpus import TextError
from app.training.muon import Muon

LOG_EVERY = 25
_SQUARE = 256  # rows of the matrices that arithmetic is timed on


OPTIONS = ("tokens", "seed", "batch", "adam_rate", "muon_rate", "warmup", "decay", "dropout", "embedding")
"""Fields of a recipe, beside the mix, that the command line sets."""


@dataclass(frozen=True)
class Recipe:
    """How one expert is trained.  From the step where the recipe begins, the learning rate rises over
    `warmup` steps, stays, and falls linearly to zero over the last `decay` share of the steps left.

    embedding: `frozen` pictures, or one of the controls in `EMBEDDINGS`.  kept_layers: so many first
    blocks are left as they are (growth).  fused: the loss is that of the experts' mean logits, not the
    mean of their own losses (joint tuning after a merge).  dropout: of what attention and the MLP give, for runs
    that read their text many times (Srivastava 2014).

    Raises:
        TextError: for values that no run can work with.
    """

    mix: dict[str, float]
    tokens: int = 10_000_000
    batch: int = 8
    adam_rate: float = 3e-3
    muon_rate: float = 5e-3
    warmup: int = 100
    decay: float = 0.4
    weight_decay: float = 0.1
    clip: float = 1.0
    seed: int = 0
    embedding: str = "frozen"
    kept_layers: int = 0
    fused: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.batch < 1 or self.warmup < 1:
            raise TextError("--tokens, --batch and --warmup must be 1 or more.")
        if not (0 <= self.dropout < 1 and 0 < self.decay <= 1):
            raise TextError("--dropout must be 0 or more and less than 1, --decay more than 0 and at most 1.")
        if any(share <= 0 for share in self.mix.values()):
            raise TextError("Shares of a mix must be more than 0: leave a stream out instead.")

    def steps(self, context: int) -> int:
        return max(1, self.tokens // (self.batch * context))


def load_embedding(work: Path) -> Tensor:
    """The frozen table (V, d) of a work folder, float32."""
    return torch.from_numpy(load_file(work / "substrate.safetensors")["embedding"].astype(np.float32))


EMBEDDINGS = ("frozen", "trained", "permuted", "random")
"""frozen: the pictures, never trained.  Controls: the same table, trained along (`trained`); every token
given another token's picture (`permuted`); random unit vectors (`random`); the last two never trained."""


def table_of(pictures: Tensor, recipe: Recipe) -> Tensor:
    """The table (V, d) that a recipe starts from, given that of the pictures."""
    assert recipe.embedding in EMBEDDINGS, f"{recipe.embedding} is none of {EMBEDDINGS}"
    generator = torch.Generator().manual_seed(recipe.seed)
    if recipe.embedding == "permuted":
        return pictures[torch.randperm(len(pictures), generator=generator)]
    if recipe.embedding == "random":
        return F.normalize(torch.randn(pictures.shape, generator=generator), dim=-1)
    return pictures


def rate(step: int, steps: int, recipe: Recipe) -> float:
    """Share of the peak learning rate at a step: rise, stay, fall to zero."""
    left = (steps - step) / max(1.0, recipe.decay * steps)
    return min(1.0, (step + 1) / recipe.warmup, left)


def make_optimizers(model: StackedExperts, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices, one matrix an expert; AdamW for the heads, and for the embedding where
    a control trains it."""
    decay = recipe.weight_decay
    model.blocks[: recipe.kept_layers].requires_grad_(False)
    model.embedding.requires_grad_(recipe.embedding == "trained")
    tables = [model.head, *([model.embedding] if model.embedding.requires_grad else [])]
    dtype = torch.bfloat16 if half_pays(model.embedding.device) else torch.float32
    return [
        Muon(model.blocks[recipe.kept_layers :].parameters(), recipe.muon_rate, decay, dtype),
        torch.optim.AdamW(
            tables,
            lr=recipe.adam_rate,
            betas=(0.9, 0.95),
            weight_decay=decay,
            fused=True,
            capturable=model.embedding.is_cuda,
        ),
    ]


@cache
def half_pays(device: torch.device) -> bool:
    """Whether bfloat16 is the faster arithmetic here, timed on one product of matrices: many processors only
    emulate it, up to 50 times slower than float32."""
    if device.type != "cpu":
        return True
    squares = {dtype: torch.ones(_SQUARE, _SQUARE, dtype=dtype) for dtype in (torch.float32, torch.bfloat16)}
    return fastest({dtype: partial(torch.matmul, m, m) for dtype, m in squares.items()}) is torch.bfloat16


def loss_of(model: StackedExperts, batch: Tensor, recipe: Recipe) -> Tensor:
    """Loss in nats a token on rows (B, T + 1): the mean over the experts' own losses, or that of their fusion."""
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=half_pays(batch.device), cache_enabled=False):
        logits = model(batch[:, :-1]).logits
        logits = fuse(logits)[None] if recipe.fused else logits
    targets = batch[:, 1:].flatten().repeat(len(logits))
    return F.cross_entropy(logits.flatten(0, 2).float(), targets)


def clip(optimizers: list[torch.optim.Optimizer], recipe: Recipe) -> None:
    """Scale all gradients down to a norm of `recipe.clip` together."""
    weights = [weight for optimizer in optimizers for weight in optimizer.param_groups[0]["params"]]
    torch.nn.utils.clip_grad_norm_(weights, recipe.clip)


def train_step(
    model: StackedExperts, optimizers: list[torch.optim.Optimizer], batch: Tensor, recipe: Recipe, share: float
) -> Tensor:
    """One optimizer step on rows (B, T + 1) at a share of the peak rates; returns the loss, a scalar."""
    loss = loss_of(model, batch, recipe)
    loss.backward()  # type: ignore[no-untyped-call]
    clip(optimizers, recipe)
    for optimizer, peak in zip(optimizers, (recipe.muon_rate, recipe.adam_rate), strict=True):
        optimizer.param_groups[0]["lr"] = peak * share
        optimizer.step()
    model.zero_grad()
    return loss.detach()


def make_step(run: "Run", recipe: Recipe, rows: Tensor) -> Step:
    """The step of a run: as it is on a processor, captured on a graphics card.  rows: a first batch."""
    device = run.model.embedding.device
    if device.type != "cuda":
        return lambda batch, share: train_step(run.model, run.optimizers, batch, recipe, share)
    return captured(
        lambda batch: loss_of(run.model, batch, recipe),
        run.optimizers,
        [recipe.muon_rate, recipe.adam_rate],
        lambda: clip(run.optimizers, recipe),
        rows.to(device),
    )


@dataclass(eq=False)
class Run:
    """One expert's training: what a checkpoint holds.

    step: steps done; seconds: spent on them, over all sessions; recipes: every recipe used, each with
    the step from which on; curve: records of step, tokens, loss (nats a token), rate, seconds.
    """

    model: StackedExperts
    optimizers: list[torch.optim.Optimizer]
    step: int
    seconds: float
    recipes: list[dict[str, Any]]
    curve: list[dict[str, float]]


def open_run(
    work: Path,
    name: str,
    recipe: Recipe,
    shape: Shape,
    device: torch.device,
    origin: Path | None = None,
    start: dict[str, Tensor] | None = None,
) -> Run:
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
    run = Run(model, make_optimizers(model, recipe), step=0, seconds=0.0, recipes=[], curve=[])
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
        run.step, run.seconds, run.recipes = state["step"], state["seconds"], state["recipes"]
        run.curve = [line for line in read_curve(work / f"{name}.curve.jsonl") if line["step"] <= run.step]
    known = {**asdict(Recipe({})), **run.recipes[-1]} if run.recipes else {}
    if {**known, **asdict(recipe)} != known:
        run.recipes.append({"from_step": run.step, **asdict(recipe)})
    return run


def save_run(work: Path, name: str, run: Run) -> None:
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


def read_checkpoint(work: Path, name: str, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What `save_run` wrote; plain tensors only, nothing is unpickled.

    Raises:
        TextError: when there is none, or when it was trained on another tokenizer or table than the work folder has.
    """
    path = work / f"{name}.pt"
    if not path.is_file():
        raise TextError(f"There is no {path}: train that expert first.")
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if state.get("substrate", substrate_checksum(work)) != substrate_checksum(work):
        raise TextError(
            f"{path} was trained on another tokenizer or table than {work} has now: "
            "prepare again with the text of that time, or train anew in another folder."
        )
    return state


def substrate_checksum(work: Path) -> str:
    """One checksum of a work folder's tokenizer and frozen table: what every number in a checkpoint refers to."""
    digest = hashlib.sha256(json.dumps(_vocabulary(work), sort_keys=True).encode())
    digest.update(load_file(work / "substrate.safetensors")["embedding"].tobytes())
    return digest.hexdigest()


def _vocabulary(folder: Path) -> dict[str, int]:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise TextError(f"There is no {path}: prepare the work folder, or name a checkpoint folder.")
    vocabulary: dict[str, int] = Tokenizer.from_file(str(path)).get_vocab()
    return vocabulary


def check_same_tokenizer(work: Path, origin: Path) -> None:
    """Raise a `TextError` when a checkpoint folder has other tokens than the work folder."""
    if _vocabulary(work) != _vocabulary(origin):
        raise TextError(f"{origin} has another tokenizer than {work}: prepare with --origin {origin}.")


def write_checkpoint(work: Path, name: str, state: dict[str, Any]) -> None:
    """Write `<name>.pt`: beside, then renamed."""
    beside = work / f"{name}.new"
    torch.save(state, beside)
    os.replace(beside, work / f"{name}.pt")


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

    A run may be continued with another recipe (another mix, more tokens), also from a written
    checkpoint folder `origin`; a new one may begin with the weights `start`.  Writes `<name>.pt`
    (checkpoint) and `<name>.curve.jsonl` (one line every `log_every` steps).
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = open_run(work, name, recipe, shape, device, origin, start)
    begun = run.recipes[-1]["from_step"]
    rows = training_rows(work, recipe, shape)
    steps, started = recipe.steps(shape.context), time.monotonic() - run.seconds
    losses: list[Tensor] = []

    def batch(step: int) -> Tensor:
        return torch.from_numpy(rows.batch(step * recipe.batch, recipe.batch))

    take_step = make_step(run, recipe, batch(0))  # any rows of the right shape
    with tqdm(total=steps, initial=run.step, desc=name, unit="step", mininterval=5) as bar:
        while run.step < steps:
            share = rate(run.step - begun, steps - begun, recipe)
            losses.append(take_step(batch(run.step), share))
            run.step += 1
            run.seconds = time.monotonic() - started
            bar.update()
            if run.step % log_every == 0 or run.step == steps:
                run.curve.append(
                    {
                        "step": run.step,
                        "tokens": run.step * recipe.batch * shape.context,
                        "loss": round(float(torch.stack(losses).mean()), 4),
                        "rate": round(share, 4),
                        "seconds": round(run.seconds, 1),
                    }
                )
                bar.set_postfix(loss=run.curve[-1]["loss"])
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


def load_weights(work: Path, name: str) -> dict[str, Tensor]:
    """The weights in a run's checkpoint."""
    weights: dict[str, Tensor] = read_checkpoint(work, name)["model"]
    return weights


def mean_expert(work: Path, name: str, of: Sequence[str]) -> None:
    """Write `<name>.pt`: the last of some checkpoints of one expert, with the plain mean of all their weights, which
    lies flatter and often predicts better than each (Izmailov et al. 2018, arXiv 1803.05407)."""
    states = [read_checkpoint(work, part) for part in of]
    weights = {  # in float64, so that a frozen table, equal in all of them, stays as it is to the last bit
        key: torch.stack([state["model"][key] for state in states]).double().mean(0).to(last.dtype)
        for key, last in states[-1]["model"].items()
    }
    shutil.copy(work / f"{of[-1]}.curve.jsonl", work / f"{name}.curve.jsonl")
    write_checkpoint(work, name, {**states[-1], "model": weights, "mean_of": [state["step"] for state in states]})


def read_curve(log: Path) -> list[dict[str, float]]:
    """The loss curve written so far: records of step, tokens, loss (nats a token), rate, seconds."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


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
