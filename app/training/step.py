"""One step of the optimizers, on a processor or captured on a graphics card."""

from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from app.network.experts import StackedExperts, fuse
from app.system.timing import fastest
from app.training.captured import Step, captured
from app.training.muon import Muon
from app.training.recipe import Recipe

_SQUARE = 256  # rows of the matrices that arithmetic is timed on


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


def make_step(model: StackedExperts, optimizers: list[torch.optim.Optimizer], recipe: Recipe, rows: Tensor) -> Step:
    """The step of a run: as it is on a processor, captured on a graphics card.  rows: a first batch."""
    device = model.embedding.device
    if device.type != "cuda":
        return lambda batch, share: train_step(model, optimizers, batch, recipe, share)
    return captured(
        lambda batch: loss_of(model, batch, recipe),
        optimizers,
        [recipe.muon_rate, recipe.adam_rate],
        lambda: clip(optimizers, recipe),
        rows.to(device),
    )
