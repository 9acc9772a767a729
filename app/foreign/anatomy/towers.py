"""The anatomy of a network that is not ours, found by what its parts do on a probe text.

A tower is a chain of like modules, each of which reads exactly what the one before gave; one tower is one
expert.  Its read-out is what turns its last hidden states into logits over the vocabulary.  The embedding
is the table whose rows the towers read.  Nothing is taken for granted: what is not found stays empty, and
says so.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.foreign.anatomy.observe import Call, Observation
from app.foreign.anatomy.readout import ReadOut, equal, find_read_out, fits_sum, guess_read_outs


@dataclass(frozen=True, eq=False)
class Table:
    """The embedding: what the first block reads of token i at position t is scale * weight[i] + positions[t].
    exact False: this is the table that the network looks its ids up in, but something is done to its rows
    before the first block.  sources: the tensors that the rows come from, where it is not this one alone."""

    name: str
    weight: Tensor
    scale: float
    positions: Tensor | None
    exact: bool = True
    sources: tuple[str, ...] = ()


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


@dataclass(frozen=True, eq=False)
class Anatomy:
    """All towers and how they are fused; fusion None: not all experts have logits of their own.  left_out: towers of
    another depth or width, which cannot be shown beside these."""

    towers: tuple[Tower, ...]
    fusion: Fusion | None
    left_out: int = 0


def dissect(model: nn.Module, seen: Observation) -> Anatomy:
    """Find the anatomy of a network that was observed on a probe text.

    Raises:
        ValueError: when it has no tower of blocks.
    """
    chains, left_out = find_towers(seen)
    if not chains:
        raise ValueError("no chain of like blocks")
    pairs = [find_read_out(model, seen, chain, len(chains)) for chain in chains]
    if any(pair is None for pair in pairs):
        pairs = list(guess_read_outs(model, seen, chains) or pairs)
    towers = tuple(_tower(model, seen, chain, pair) for chain, pair in zip(chains, pairs, strict=True))
    return Anatomy(towers, find_fusion(seen.logits, [tower.logits for tower in towers]), left_out)


def find_towers(seen: Observation) -> tuple[list[tuple[Call, ...]], int]:
    """The chains of like blocks, outermost ones only, in the order in which they began; of chains that differ
    in depth or width, those that hold most weights, and how many others there are."""
    groups: dict[tuple[str, type], list[Call]] = defaultdict(list)
    for call in seen.calls:
        square = call.given.is_floating_point() and call.given.shape == call.gave.shape and call.given.dim() == 2
        if square and len(call.given) == len(seen.ids) and _could_be_block(call.module):
            groups[_kind(call.module), type(call.module)].append(call)
    chains = _called_last([chain for calls in groups.values() for chain in _chained(calls)])
    longer = [chain for chain in chains if len(chain) > 1]
    listed = [chain for chain in chains if chain[0].name.rpartition(".")[2].isdigit()]  # one block, in a list
    found = [chain for chain in longer or listed if not any(_inside(chain[0].name, c) for c in longer or listed)]
    by_size: dict[tuple[int, int], list[tuple[Call, ...]]] = defaultdict(list)
    for chain in found:
        by_size[len(chain), chain[0].given.shape[-1]].append(chain)
    towers = max(by_size.values(), key=lambda like: sum(map(_weights, like)), default=[])
    return towers, len(found) - len(towers)


def _could_be_block(module: nn.Module) -> bool:
    """Whether a module could be a block: several weights, not one map."""
    return sum(weight.dim() >= 2 for weight in module.parameters()) > 1


def _weights(chain: tuple[Call, ...]) -> int:
    return sum(weight.numel() for call in chain for weight in call.module.parameters())


def _kind(module: nn.Module) -> str:
    return str([(name, tuple(weight.shape)) for name, weight in module.named_parameters()])


def _chained(calls: list[Call]) -> list[tuple[Call, ...]]:
    """Chains of calls in which each reads what the one before gave; several may run side by side."""
    chains: list[list[Call]] = []
    for call in calls:
        before = next((c for c in chains if torch.equal(c[-1].gave, call.given)), None)
        if before is None:
            chains.append([call])
        else:
            before.append(call)
    return [tuple(chain) for chain in chains]


def _called_last(chains: list[tuple[Call, ...]]) -> list[tuple[Call, ...]]:
    """Of chains that are calls of the very same modules, the last one."""
    return list({tuple(id(call.module) for call in chain): chain for chain in chains}.values())


def _inside(name: str, chain: tuple[Call, ...]) -> bool:
    return any(name.startswith(f"{block.name}.") for block in chain)


def _tower(model: nn.Module, seen: Observation, chain: tuple[Call, ...], pair: tuple[Tensor, ReadOut] | None) -> Tower:
    hidden = torch.stack([chain[0].given, *(call.gave for call in chain)])
    logits, read_out = pair or (None, None)
    return Tower(_name(chain), chain, hidden, find_table(model, seen, hidden[0]), logits, read_out)


def _name(chain: tuple[Call, ...]) -> str:
    """The part of a network in which a tower sits, without what numbers or lists its blocks."""
    return chain[0].name.rpartition(".")[0].rpartition(".")[0] or chain[0].name.rpartition(".")[0]


def find_table(model: nn.Module, seen: Observation, first: Tensor) -> Table | None:
    """The table whose rows make up what a tower reads (T, d); else the one that ids are looked up in."""
    lookups = [c.module for c in seen.calls if isinstance(c.module, nn.Embedding) and torch.equal(c.given, seen.ids)]
    tables = [
        (f"{name}.{key}".lstrip("."), weight.detach())
        for name, module in model.named_modules()
        for key, weight in (*module._parameters.items(), *module._buffers.items())
        if weight is not None and weight.dim() == 2 and weight.is_floating_point() and len(weight) > int(seen.ids.max())
        and len(weight) >= seen.logits.shape[-1] // 2
    ]  # fmt: skip
    wide = [(name, weight) for name, weight in tables if weight.shape[1] == first.shape[1]]
    for positions in (None, *_positions(model, len(seen.ids), first.shape[1])):
        rest = first if positions is None else first - positions[: len(first)].float()
        for name, weight in wide:
            rows = weight[seen.ids].float()
            scale = float((rows * rest).sum() / rows.pow(2).sum().clamp_min(1e-20))
            if abs(scale) > 1e-6 and equal(scale * rows, rest):
                return Table(name, weight, 1.0 if abs(scale - 1) < 1e-5 else scale, positions)
    looked_up = [
        (name, weight) for name, weight in tables if any(weight.data_ptr() == m.weight.data_ptr() for m in lookups)
    ]
    name, weight = max(looked_up, key=lambda pair: pair[1].numel(), default=("", None))
    return None if weight is None else Table(name, weight, 1.0, None, exact=False)


def _positions(model: nn.Module, length: int, width: int) -> Iterator[Tensor]:
    """Tables that could hold positions: as wide as the states, shorter than a vocabulary."""
    for module in model.modules():
        for weight in (*module._parameters.values(), *module._buffers.values()):
            if weight is not None and weight.dim() >= 2 and weight.shape[-1] == width:
                flat = weight.detach().reshape(-1, width)
                if length <= len(flat) <= 65_536 and flat.is_floating_point():
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
    if (weights := fits_sum(stacked, logits)) is not None:
        return Fusion("mean" if weights == (1 / count,) * count else "weighted", weights)
    mixed = stacked.log_softmax(-1).logsumexp(0) - torch.log(torch.tensor(float(count)))
    if equal(mixed, logits.log_softmax(-1)):
        return Fusion("probabilities", (1 / count,) * count)
    return Fusion("learned", ())
