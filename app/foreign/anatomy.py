"""The anatomy of a network that is not ours, found by what its parts do on a probe text.

A tower is a chain of like modules in one place, each of which reads exactly what the one before gave; one
tower is one expert.  Its read-out is what turns its last hidden states into logits over the vocabulary.
The embedding is the table whose rows the towers read.  Nothing is taken for granted: what is not found
stays empty, and says so.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.foreign.norms import Norm, find_norm
from app.foreign.observe import Call, Observation

TOLERANCE = 5e-4
"""Largest difference of two float32 results that are called equal, in units of their root mean square.
Rounding stays ten times below; half precision is ten times above."""


def equal(a: Tensor, b: Tensor) -> bool:
    """Whether two float tensors agree within float32 rounding."""
    if a.shape != b.shape:
        return False
    size = float(b.float().pow(2).mean().sqrt())
    return float((a.float() - b.float()).abs().max()) <= TOLERANCE * max(size, 1e-9)


@dataclass(frozen=True, eq=False)
class ReadOut:
    """Final norm (None: none) and head: logits = norm(h) @ weight.T + bias, weight (V, d)."""

    norm: Norm | None
    weight: Tensor
    bias: Tensor | None

    def __call__(self, states: Tensor) -> Tensor:
        """(..., d) -> (..., V), float32."""
        rows = states.float() if self.norm is None else self.norm(states.float())
        return nn.functional.linear(rows, self.weight.float(), None if self.bias is None else self.bias.float())


@dataclass(frozen=True, eq=False)
class Table:
    """The embedding: what the first block reads of token i at position t is scale * weight[i] + positions[t].
    frozen: whether the network marks it as not trained (None: cannot be told)."""

    name: str
    weight: Tensor
    scale: float
    positions: Tensor | None


@dataclass(frozen=True, eq=False)
class Tower:
    """One expert: the calls of its blocks on the probe text, its hidden states (L + 1, T, d), its table, its
    logits on the probe text and its read-out (None: not found)."""

    name: str
    blocks: tuple[Call, ...]
    hidden: Tensor
    table: Table | None
    logits: Tensor | None
    read_out: ReadOut | None


@dataclass(frozen=True, eq=False)
class Fusion:
    """kind: `single`, `mean`, `weighted` (fixed weights of logits), `probabilities` (mean of probabilities),
    `learned` (anything else).  weights (E,): of a mean or weighted sum."""

    kind: str
    weights: tuple[float, ...]

    @property
    def additive(self) -> bool:
        """Whether each expert has an exact share in every logit."""
        return self.kind in ("single", "mean", "weighted")


@dataclass(frozen=True, eq=False)
class Anatomy:
    """All towers and how they are fused; fusion None: not even the experts' logits were found."""

    towers: tuple[Tower, ...]
    fusion: Fusion | None


def dissect(model: nn.Module, seen: Observation) -> Anatomy:
    """Find the anatomy of a network that was observed on a probe text.

    Raises:
        ValueError: when it has no tower of blocks, or towers of different width or depth.
    """
    chains = find_towers(seen)
    if not chains:
        raise ValueError("no chain of like blocks")
    sizes = {(len(chain), chain[0].given.shape[-1]) for chain in chains}
    if len(sizes) > 1:
        raise ValueError(f"towers of different depth or width: {sorted(sizes)}")
    towers = tuple(_tower(model, seen, chain, len(chains)) for chain in chains)
    return Anatomy(towers, find_fusion(seen.logits, [tower.logits for tower in towers]))


def find_towers(seen: Observation) -> list[tuple[Call, ...]]:
    """The chains of like blocks, outermost ones only, in the order in which they ran."""
    width_calls = [c for c in seen.calls if c.given.is_floating_point() and c.given.shape == c.gave.shape]
    places: dict[tuple[str, str, type], list[Call]] = defaultdict(list)
    for call in width_calls:
        if call.given.dim() == 2 and len(call.given) == len(seen.ids) and _has_matrices(call.module):
            parent, _, _ = call.name.rpartition(".")
            places[parent, _kind(call.module), type(call.module)].append(call)
    chains = [tuple(chain) for calls in places.values() for chain in _chained(calls)]
    longer = [chain for chain in chains if len(chain) > 1]
    listed = [chain for chain in chains if chain[0].name.rpartition(".")[2].isdigit()]  # one block, in a list
    found = longer or listed
    return [chain for chain in found if not any(_inside(chain[0].name, other) for other in found)]


def _has_matrices(module: nn.Module) -> bool:
    """Whether a module could be a block: several weights, not one map."""
    return sum(weight.dim() >= 2 for weight in module.parameters()) > 1


def _kind(module: nn.Module) -> str:
    return str([(name, tuple(weight.shape)) for name, weight in module.named_parameters()])


def _chained(calls: list[Call]) -> Iterator[list[Call]]:
    """Split calls of like modules into runs in which each reads what the one before gave."""
    chain: list[Call] = []
    for call in calls:
        if chain and not torch.equal(chain[-1].gave, call.given):
            yield chain
            chain = []
        chain.append(call)
    if chain:
        yield chain


def _inside(name: str, chain: tuple[Call, ...]) -> bool:
    return any(name.startswith(f"{block.name}.") for block in chain)


def _tower(model: nn.Module, seen: Observation, chain: tuple[Call, ...], towers: int) -> Tower:
    hidden = torch.stack([chain[0].given, *(call.gave for call in chain)])
    logits, read_out = find_read_out(model, seen, chain, hidden[-1], towers)
    return Tower(_common(chain), chain, hidden, find_table(model, seen, hidden[0], chain), logits, read_out)


def _common(chain: tuple[Call, ...]) -> str:
    return chain[0].name.rpartition(".")[0]


def find_read_out(
    model: nn.Module, seen: Observation, chain: tuple[Call, ...], last: Tensor, towers: int
) -> tuple[Tensor | None, ReadOut | None]:
    """A tower's logits, and the norm and matrix that give them from its last hidden states (T, d)."""
    vocabulary = seen.logits.shape[-1]
    candidates = [c.gave for c in seen.calls if c.gave.shape == (len(seen.ids), vocabulary) and _shares(c.name, chain)]
    others = [c.gave for c in seen.calls if c.gave.shape == (len(seen.ids), vocabulary)]
    norms = [None, *_final_norms(seen, chain, last)]
    for logits in _unique([*candidates, *others, *([seen.logits] if towers == 1 else [])]):
        for weight, bias in _matrices(model, vocabulary, last.shape[-1]):
            for norm in norms:
                read_out = ReadOut(norm, weight, bias)
                if equal(read_out(last[-1:]), logits[-1:]) and equal(read_out(last), logits):
                    return logits, read_out
    return (candidates[0] if len(candidates) == 1 else None), None


def _shares(name: str, chain: tuple[Call, ...]) -> bool:
    """Whether a module and a tower sit in one and the same part of the network (which is not all of it)."""
    part = _common(chain).rpartition(".")[0]
    return bool(part) and name.startswith(part)


def _unique(tensors: list[Tensor]) -> Iterator[Tensor]:
    """Tensors without those that equal one before."""
    kept: list[Tensor] = []
    for tensor in tensors:
        if not any(torch.equal(tensor, other) for other in kept):
            kept.append(tensor)
            yield tensor


def _final_norms(seen: Observation, chain: tuple[Call, ...], last: Tensor) -> list[Norm]:
    """Norms that are applied to a tower's last hidden states, and those that need no module."""
    found = [find_norm(c.module, c.given, c.gave) for c in seen.calls if c.given.shape == last.shape and
             torch.equal(c.given, last) and not _inside(c.name, chain)]  # fmt: skip
    return [norm for norm in found if norm is not None] + Norm.plain()


def _matrices(model: nn.Module, vocabulary: int, width: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Every weight that maps hidden states to logits, as (V, d), with its bias."""
    for module in model.modules():
        bias = module._parameters.get("bias")
        for weight in (*module._parameters.values(), *module._buffers.values()):
            if weight is None or weight.dim() != 2:
                continue
            fitting = bias if bias is not None and bias.shape == (vocabulary,) else None
            if weight.shape == (vocabulary, width):
                yield weight.detach(), fitting
            elif weight.shape == (width, vocabulary):
                yield weight.detach().T, fitting


def find_table(model: nn.Module, seen: Observation, first: Tensor, chain: tuple[Call, ...]) -> Table | None:
    """The table whose rows make up what a tower reads (T, d), if they do."""
    tables = [
        (f"{name}.{key}".lstrip("."), weight.detach())
        for name, module in model.named_modules()
        for key, weight in (*module._parameters.items(), *module._buffers.items())
        if weight is not None and weight.dim() == 2 and len(weight) >= seen.logits.shape[-1] // 2
        and weight.shape[1] == first.shape[1] and len(weight) > int(seen.ids.max())
    ]  # fmt: skip
    part = _common(chain).rpartition(".")[0]
    tables.sort(key=lambda pair: (not (part and pair[0].startswith(part)), len(pair[1]) != seen.logits.shape[-1]))
    for positions in (None, *_positions(model, len(seen.ids), first.shape[1])):
        rest = first if positions is None else first - positions[: len(first)].float()
        for name, weight in tables:
            rows = weight[seen.ids].float()
            scale = float((rows * rest).sum() / rows.pow(2).sum().clamp_min(1e-20))
            if equal(scale * rows, rest):
                return Table(name, weight, 1.0 if abs(scale - 1) < 1e-5 else scale, positions)
    return None


def _positions(model: nn.Module, length: int, width: int) -> Iterator[Tensor]:
    """Tables that could hold positions: as wide as the states, shorter than a vocabulary."""
    for module in model.modules():
        for weight in (*module._parameters.values(), *module._buffers.values()):
            if weight is not None and weight.dim() >= 2 and weight.shape[-1] == width:
                flat = weight.detach().reshape(-1, width)
                if length <= len(flat) <= 65_536 and weight.numel() == flat.numel():
                    yield flat


def find_fusion(logits: Tensor, experts: list[Tensor | None]) -> Fusion | None:
    """How the network's logits (T, V) come from its experts'."""
    known = [z for z in experts if z is not None]
    if len(known) < len(experts):
        return None
    if len(known) == 1:
        return Fusion("single", (1.0,)) if equal(known[0], logits) else Fusion("learned", ())
    stacked = torch.stack(known)  # (E, T, V)
    count = len(known)
    if equal(stacked.mean(0), logits):
        return Fusion("mean", (1 / count,) * count)
    flat = stacked.flatten(1).T.double()
    weights = torch.linalg.lstsq(flat, logits.flatten()[:, None].double()).solution[:, 0]
    if equal(torch.tensordot(weights.float(), stacked, dims=1), logits):
        return Fusion("weighted", tuple(weights.tolist()))
    mixed = stacked.log_softmax(-1).logsumexp(0) - torch.log(torch.tensor(float(count)))
    if equal(mixed, logits.log_softmax(-1)):
        return Fusion("probabilities", (1 / count,) * count)
    return Fusion("learned", ())
