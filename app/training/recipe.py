"""How one expert is trained: its recipe, the table that it starts from, its learning rate."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from app.training.corpus import TextError

OPTIONS = ("tokens", "seed", "batch", "adam_rate", "muon_rate", "warmup", "decay", "dropout", "embedding")
"""Fields of a recipe, beside the mix, that the command line sets."""


@dataclass(frozen=True)
class Recipe:
    """How one expert is trained.  From the step where the recipe begins, the learning rate rises over     `warmup`
    steps, stays, and falls linearly to zero over the last `decay` share of the steps left.      Raises:
    TextError: for values that no run can work with."""

    mix: dict[str, float]
    """Share of each text stream."""
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
    """`frozen` pictures, or one of the controls in `EMBEDDINGS`."""
    kept_layers: int = 0
    """So many first blocks are left as they are (growth)."""
    fused: bool = False
    """The loss is that of the experts' mean logits, not the mean of their own losses (joint tuning after a merge)."""
    dropout: float = 0.0
    """Of what attention and the MLP give, for runs that read their text many times (Srivastava 2014)."""

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.batch < 1 or self.warmup < 1:
            raise TextError("--tokens, --batch and --warmup must be 1 or more.")
        if not (0 <= self.dropout < 1 and 0 < self.decay <= 1):
            raise TextError("--dropout must be 0 or more and less than 1, --decay more than 0 and at most 1.")
        if any(share <= 0 for share in self.mix.values()):
            raise TextError("Shares of a mix must be more than 0: leave a stream out instead.")

    def steps(self, context: int) -> int:
        """Steps of the whole recipe over rows of so many tokens."""
        return max(1, self.tokens // (self.batch * context))


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
