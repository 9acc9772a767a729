"""Train the bundled experts, step by step:

    python -m app.train prepare --text FOLDER
    python -m app.train expert ru --mix ru=0.52,en=0.30,zh=0.18
    python -m app.train expert zh --mix zh=0.50,en=0.32,ru=0.18
    python -m app.train evaluate
    python -m app.train bundle --to assets/mini

Every step reads and writes one work folder and can be run alone.  `expert` saves a checkpoint as
it goes and resumes from it, whenever it was killed, on the same rows with the same optimizer state.
"""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.numpy import load_file
from torch import Tensor
from tqdm import tqdm

from app.batches import Rows, order_rows
from app.bundle import write_bundle
from app.card import model_card
from app.evaluate import evaluate
from app.model import Shape, StackedExperts
from app.prepare import prepare

ATTRIBUTION = Path(__file__).parent.parent / "assets" / "attribution.md"


@dataclass(frozen=True)
class Recipe:
    """How one expert is trained.  The learning rate rises over `warmup` steps, stays, and falls
    linearly to zero over the last `decay` share of the run."""

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

    def steps(self, context: int) -> int:
        return max(1, self.tokens // (self.batch * context))


def load_embedding(work: Path) -> Tensor:
    """The frozen table (V, d) of a work folder, float32."""
    return torch.from_numpy(load_file(work / "substrate.safetensors")["embedding"].astype(np.float32))


def rate(step: int, steps: int, recipe: Recipe) -> float:
    """Share of the peak learning rate at a step: rise, stay, fall to zero."""
    left = (steps - step) / max(1.0, recipe.decay * steps)
    return min(1.0, (step + 1) / recipe.warmup, left)


def make_optimizers(model: StackedExperts, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) for the blocks' matrices, one matrix an expert; AdamW for the heads.

    Muon takes matrices only: it gets views of the stacked weights, whose gradients
    `lend_gradients` sets before each step.
    """
    views = [torch.nn.Parameter(weight.data[e]) for weight in model.blocks.parameters() for e in range(len(weight))]
    decay = recipe.weight_decay
    return [
        torch.optim.Muon(views, lr=recipe.muon_rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW([model.head], lr=recipe.adam_rate, betas=(0.9, 0.95), weight_decay=decay, fused=True),
    ]


def lend_gradients(model: StackedExperts, muon: torch.optim.Optimizer) -> None:
    """Point the gradients of Muon's views at the slices of the stacked gradients."""
    slices = [weight.grad[e] for weight in model.blocks.parameters() for e in range(len(weight))]  # type: ignore[index]
    for view, gradient in zip(muon.param_groups[0]["params"], slices, strict=True):
        view.grad = gradient


def train_step(
    model: StackedExperts, optimizers: list[torch.optim.Optimizer], batch: Tensor, recipe: Recipe, share: float
) -> float:
    """One optimizer step on rows (B, T + 1) at a share of the peak rates; returns the loss in nats
    a token, summed over experts' own losses and averaged."""
    with torch.autocast(batch.device.type, torch.bfloat16):
        logits = model(batch[:, :-1]).logits
    targets = batch[:, 1:].flatten().repeat(model.shape.experts)
    loss = F.cross_entropy(logits.flatten(0, 2).float(), targets)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
    lend_gradients(model, optimizers[0])
    for optimizer, peak in zip(optimizers, (recipe.muon_rate, recipe.adam_rate), strict=True):
        optimizer.param_groups[0]["lr"] = peak * share
        optimizer.step()
    model.zero_grad()
    return loss.item()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write beside, then rename: a kill leaves the old checkpoint or the new one, never half."""
    beside = path.with_suffix(".new")
    torch.save(state, beside)
    os.replace(beside, path)


def train_expert(work: Path, name: str, recipe: Recipe, shape: Shape, save_every: int = 200) -> StackedExperts:
    """Train one expert to the end of its recipe, from its checkpoint if there is one.

    A run may be resumed with another recipe (another mix, more tokens): the checkpoint lists all of
    them with the step from which each was used.  Writes `<name>.pt` (checkpoint) and
    `<name>.curve.jsonl` (one line every 25 steps).
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = StackedExperts(shape)
    model.initialise(torch.Generator().manual_seed(recipe.seed))
    model.embedding.copy_(load_embedding(work))
    model.to(device)
    optimizers = make_optimizers(model, recipe)
    checkpoint, log = work / f"{name}.pt", work / f"{name}.curve.jsonl"
    first, seconds = 0, 0.0
    recipes: list[dict[str, Any]] = []
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, part in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(part)
        first, seconds = state["step"], state["seconds"]
        recipes = state.get("recipes") or [{"from_step": 0, **state["recipe"]}]
    if not recipes or {**recipes[-1], "from_step": 0} != {**asdict(recipe), "from_step": 0}:
        recipes.append({"from_step": first, **asdict(recipe)})
    curve = [line for line in read_curve(log) if line["step"] <= first]
    rows = training_rows(work, recipe, shape)
    steps, started = recipe.steps(shape.context), time.monotonic() - seconds
    losses: list[float] = []
    with tqdm(total=steps, initial=first, desc=name, unit="step", mininterval=5) as bar:
        for step in range(first, steps):
            batch = torch.from_numpy(rows.batch(step * recipe.batch, recipe.batch)).to(device)
            losses.append(train_step(model, optimizers, batch, recipe, rate(step, steps, recipe)))
            bar.update()
            done = step + 1
            if done % 25 == 0 or done == steps:
                seconds = time.monotonic() - started
                curve.append(
                    {
                        "step": done,
                        "tokens": done * recipe.batch * shape.context,
                        "loss": sum(losses) / len(losses),
                        "rate": rate(step, steps, recipe),
                        "seconds": round(seconds, 1),
                    }
                )
                bar.set_postfix(loss=f"{curve[-1]['loss']:.3f}")
                losses.clear()
            if done % save_every == 0 or done == steps:
                log.write_text("".join(json.dumps(line) + "\n" for line in curve), encoding="utf-8")
                save_checkpoint(
                    checkpoint,
                    {
                        "step": done,
                        "seconds": time.monotonic() - started,
                        "model": model.state_dict(),
                        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                        "shape": asdict(shape),
                        "recipes": recipes,
                    },
                )
    return model


def read_curve(log: Path) -> list[dict[str, float]]:
    """The loss curve written so far: records of step, tokens, loss (nats a token), rate, seconds."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def training_rows(work: Path, recipe: Recipe, shape: Shape) -> Rows:
    """The order of rows of a recipe over the token streams of the work folder."""
    streams = {name: np.load(work / f"{name}.npy", mmap_mode="r") for name in recipe.mix}
    count = recipe.steps(shape.context) * recipe.batch
    return order_rows(streams, recipe.mix, count, shape.context, recipe.seed)


def parse_mix(text: str) -> dict[str, float]:
    """`ru=0.55,en=0.28` -> {"ru": 0.55, "en": 0.28}."""
    return {name: float(share) for name, share in (part.split("=") for part in text.split(","))}


def load_states(work: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """The checkpoints of named experts, `{NAME: checkpoint}`; plain tensors only, nothing is unpickled."""
    return {name.upper(): torch.load(work / f"{name}.pt", map_location="cpu", weights_only=True) for name in names}


def write_report(work: Path, states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Evaluate the merged experts on the held-out lines; write and return `evaluation.json`."""
    report = evaluate(work, {name: state["model"] for name, state in states.items()}, merged_shape(states))
    (work / "evaluation.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    for language, row in report.items():
        print(language, "  ".join(f"{name} {bits:.3f}" for name, bits in row.items()))
    return report


def merged_shape(states: dict[str, dict[str, Any]]) -> Shape:
    """The shape of all experts stacked into one network."""
    first = next(iter(states.values()))
    return Shape(**{**first["shape"], "experts": len(states)})


def training_record(work: Path, states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What `training.json` says: recipe, tokens, minutes and loss curve of each expert, and the
    held-out bits per character."""
    experts = {
        name: {
            "recipes": state["recipes"],
            "tokens": state["step"] * state["recipes"][-1]["batch"] * state["shape"]["context"],
            "minutes": round(state["seconds"] / 60, 1),
            "curve": read_curve(work / f"{name.lower()}.curve.jsonl"),
        }
        for name, state in states.items()
    }
    report = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    return {"experts": experts, "bits_per_character": report}


def make_parser() -> argparse.ArgumentParser:
    """The command line: one sub-command a step."""
    parser = argparse.ArgumentParser(prog="python -m app.train", description="Train the bundled experts.")
    parser.add_argument("--work", type=Path, default=Path("runs/mini"), help="the work folder")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    steps = parser.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare", help="vocabulary, pictures, embedding and token streams")
    first.add_argument("--text", type=Path, required=True, help="folder with en.txt, ru.txt, zh.txt (or .txt.xz)")
    first.add_argument("--size", type=int, default=Shape.vocabulary, help="vocabulary size")
    first.add_argument("--width", type=int, default=Shape.width, help="dimensions of the embedding")
    expert = steps.add_parser("expert", help="train one expert; resumes from its checkpoint")
    expert.add_argument("name")
    expert.add_argument("--mix", type=parse_mix, required=True, help="language shares: ru=0.52,en=0.30,zh=0.18")
    expert.add_argument("--tokens", type=int, default=Recipe.tokens)
    for name in ("layers", "heads", "context"):
        expert.add_argument(f"--{name}", type=int, default=getattr(Shape, name))
    for step, text in (("evaluate", "held-out bits per character"), ("bundle", "write a checkpoint folder")):
        last = steps.add_parser(step, help=text)
        last.add_argument("--experts", nargs="+", default=["ru", "zh"])
        if step == "bundle":
            last.add_argument("--to", type=Path, required=True)
            last.add_argument("--attribution", type=Path, default=ATTRIBUTION, help="whose text it was, for the card")
    return parser


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.step == "prepare":
        prepare(options.text, options.work, options.size, options.width)
    elif options.step == "expert":
        vocabulary, width = load_embedding(options.work).shape
        shape = Shape(vocabulary, width, options.layers, options.heads, experts=1, context=options.context)
        train_expert(options.work, options.name, Recipe(options.mix, options.tokens), shape)
    else:
        states = load_states(options.work, options.experts)
        if options.step == "evaluate":
            write_report(options.work, states)
        else:
            weights = {name: state["model"] for name, state in states.items()}
            record = training_record(options.work, states)
            write_bundle(options.to, options.work, weights, merged_shape(states), record)
            with safe_open(options.work / "substrate.safetensors", "numpy") as file:
                kept = float(file.metadata()["kept"])
            attribution = options.attribution.read_text(encoding="utf-8")
            card = model_card(merged_shape(states), record, kept, attribution)
            (options.to / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
