"""Train the bundled experts, step by step:

    python -m app.train prepare --text FOLDER     vocabulary, pictures, frozen embedding, token streams
    python -m app.train expert ru --mix ru=0.55,en=0.28,zh=0.17
    python -m app.train expert zh --mix zh=0.50,en=0.33,ru=0.17
    python -m app.train evaluate                  bits per character on the held-out lines
    python -m app.train bundle --to assets/mini   half-precision files for the demo

Every step reads and writes one work folder and can be run alone.  `expert` saves a checkpoint as
it goes and resumes from it, whenever it was killed, on the same rows with the same optimizer state.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from app.batches import Rows, order_rows, token_stream
from app.corpus import LANGUAGES, read_lines
from app.embedding import embed, fit_basis
from app.model import Shape, StackedExperts
from app.pictures import draw_pictures
from app.vocabulary import (
    MINI_SPECIALS,
    Vocabulary,
    build_tokenizer,
    frequent_characters,
    frequent_pieces,
    is_han,
    mini_vocabulary,
)

SEPARATOR = MINI_SPECIALS.index("</s>")
PIECES = {"en": (0.22, r" ?[A-Za-z']+", 8), "ru": (0.25, r" ?[А-Яа-яЁё]+", 8), "zh": (0.104, r"\p{Han}+", 2)}
"""Language -> (share of the vocabulary, what a piece stays inside of, longest piece)."""


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


def corpus_vocabulary(lines: Mapping[str, tuple[str, ...]], size: int) -> Vocabulary:
    """The mini vocabulary of `size` ids: ASCII, Cyrillic, every other character seen 20 times,
    frequent pieces of each language, and as many of the most frequent Hanzi as fit."""
    pieces = [
        frequent_pieces(lines[name], round(share * size), word, longest)
        for name, (share, word, longest) in PIECES.items()
        if name in lines
    ]
    longest = max(map(len, pieces))
    grams = list(dict.fromkeys(p[rank] for rank in range(longest) for p in pieces if rank < len(p)))
    everything = [line for part in lines.values() for line in part]
    others = {c for c in frequent_characters(everything, 20) if not is_han(c)}
    characters = {chr(c) for c in range(0x20, 0x7F)} | {chr(c) for c in range(0x410, 0x450)} | {*"\nЁё"} | others
    hanzi = [c for c in frequent_characters(lines.get("zh", ()), 2) if is_han(c)]
    free = size - len(MINI_SPECIALS) - len(characters) - len(grams)
    return mini_vocabulary(characters | set(hanzi[: max(0, free)]), grams)


def prepare(text: Path, work: Path, size: int, width: int) -> None:
    """Read the text; write tokenizer, substrate and token streams to the work folder."""
    work.mkdir(parents=True, exist_ok=True)
    lines = {name: read_lines(text, name) for name in LANGUAGES}
    vocabulary = corpus_vocabulary({name: part.train for name, part in lines.items()}, size)
    tokenizer = build_tokenizer(vocabulary, spaced_words=True)
    tokenizer.save(str(work / "tokenizer.json"))
    pictures = draw_pictures(vocabulary.tokens, "legible")
    basis = fit_basis(pictures, width)
    # Rounded once to what the bundle stores, so that training and display use the same bits.
    table = embed(pictures, basis).astype(np.float16)
    save_file(
        {
            "embedding": table,
            "pictures": np.packbits(pictures.reshape(len(pictures), -1), axis=1),
            "mean": basis.mean,
            "components": basis.components,
        },
        work / "substrate.safetensors",
        metadata={"kept": repr(basis.kept), "recipe": "legible"},
    )
    for name, part in lines.items():
        np.save(work / f"{name}.npy", token_stream(part.train, tokenizer, SEPARATOR, seed=0))
        (work / f"{name}.held_out.txt").write_text("\n".join(part.held_out), encoding="utf-8")
        print(f"{name}: {len(part.train)} lines, {len(part.held_out)} held out, {part.dropped} dropped")
    print(f"{len(vocabulary.tokens)} tokens; {width} dimensions keep {basis.kept:.1%} of the pictures")


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
    loss.backward()
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

    Writes `<name>.pt` (checkpoint) and `<name>.curve.jsonl` (one line every 25 steps).
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = StackedExperts(shape)
    model.initialise(torch.Generator().manual_seed(recipe.seed))
    model.embedding.copy_(load_embedding(work))
    model.to(device)
    optimizers = make_optimizers(model, recipe)
    checkpoint, log = work / f"{name}.pt", work / f"{name}.curve.jsonl"
    first, seconds = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, part in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(part)
        first, seconds = state["step"], state["seconds"]
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
                        "recipe": asdict(recipe),
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.train", description="Train the bundled experts.")
    parser.add_argument("--work", type=Path, default=Path("runs/mini"), help="the work folder")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    steps = parser.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare", help="vocabulary, pictures, embedding and token streams")
    first.add_argument("--text", type=Path, required=True, help="folder with en.txt, ru.txt, zh.txt (or .txt.xz)")
    first.add_argument("--size", type=int, default=8192)
    first.add_argument("--width", type=int, default=256)
    expert = steps.add_parser("expert", help="train one expert; resumes from its checkpoint")
    expert.add_argument("name")
    expert.add_argument("--mix", type=parse_mix, required=True, help="language shares: ru=0.52,en=0.30,zh=0.18")
    expert.add_argument("--tokens", type=int, default=Recipe.tokens)
    expert.add_argument("--layers", type=int, default=Shape.layers)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.step == "prepare":
        prepare(options.text, options.work, options.size, options.width)
    if options.step == "expert":
        table = load_embedding(options.work)
        shape = Shape(vocabulary=len(table), width=table.shape[1], layers=options.layers, experts=1)
        train_expert(options.work, options.name, Recipe(options.mix, options.tokens), shape)


if __name__ == "__main__":
    main()
