"""A network that is not ours, run by its own code: slow (no cache), but never wrong about itself."""

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from app.foreign.anatomy.observe import Reader, in_float32, stream
from app.foreign.anatomy.towers import Anatomy
from app.foreign.verify.tail import Tail
from app.network.interface import Output, Shape


@dataclass(eq=False)
class TokenCache:
    """What was fed so far: without a cache, all of it is read again for every token."""

    ids: list[int] = field(default_factory=list)


class Original:
    """An `app.network.experts.Network` over another network's own forward pass, in float32.

    Only what was verified of its anatomy is given: hidden states from the inputs and outputs of its blocks,
    the experts' logits from their read-outs, the fused logits from the network itself.
    """

    def __init__(self, reader: Reader, anatomy: Anatomy, context: int, heads: int) -> None:
        first = anatomy.towers[0]
        assert first.table is not None, "a network whose ids are looked up nowhere"
        width = first.hidden.shape[-1]
        self.shape = Shape(reader.vocabulary, width, len(first.blocks), heads, len(anatomy.towers), context)
        self.embedding = first.table.weight
        self.trained = 0
        """How many numbers were trained; set by the caller."""
        self._reader, self._anatomy = reader, anatomy
        self._tail = Tail(reader, anatomy.towers, context, wide=True)

    def new_cache(self, capacity: int) -> TokenCache:
        """Only ids are kept."""
        return TokenCache()

    @torch.inference_mode()
    def __call__(self, ids: Tensor, *, cache: Any = None, keep: int = 0) -> Output:
        """Run ids (B, T), after those in the cache (B = 1 then); logits of the last `keep` positions."""
        if cache is not None:
            cache.ids += ids[0].tolist()
        whole = ids if cache is None else torch.tensor([cache.ids])
        rows = [self.read(row, ids.shape[1]) for row in whole]
        hidden = tuple(torch.stack(layers, 1) for layers in zip(*(states for states, _ in rows), strict=True))
        fused = torch.stack([logits for _, logits in rows])[:, -keep:]
        fusion = self._anatomy.fusion
        own = fusion is not None and fusion.kind not in ("single", "mean", "weighted")
        return Output(self.read_out(hidden[-1][:, :, -keep:]), hidden, fused if own else None)

    @torch.inference_mode()
    def read(self, ids: Tensor, new: int = 0) -> tuple[list[Tensor], Tensor]:
        """One text (T,): hidden states, L + 1 times (E, new, d), and fused logits (new, V) of its last positions, by
        default of all."""
        new = new or len(ids)
        caught: dict[nn.Module, list[tuple[Tensor, Tensor]]] = defaultdict(list)

        def catch(module: nn.Module, given: tuple[Any, ...], keywords: dict[str, Any], gave: Any) -> None:
            before, after = stream((*given, *keywords.values()), gave)
            assert before is not None and after is not None
            rows = before.reshape(len(ids), -1)[-new:].float(), after.reshape(len(ids), -1)[-new:].float()
            caught[module].append(rows)

        towers = [[block.module for block in tower.blocks] for tower in self._anatomy.towers]
        with self._reader.lock, in_float32(self._reader.model), ExitStack() as stack:
            for module in {block for blocks in towers for block in blocks}:
                stack.callback(module.register_forward_hook(catch, with_kwargs=True).remove)
            logits = self._reader(ids[None])[0, -new:].float()
        calls = [[_taken(caught, blocks, n) for n in range(len(blocks))] for blocks in towers]
        first = [torch.stack([blocks[0][0] for blocks in calls])]
        return first + [torch.stack([after for _, after in layer]) for layer in zip(*calls, strict=True)], logits

    @torch.inference_mode()
    def read_out(self, states: Tensor) -> Tensor:
        """Final norm and head of each expert, as they were found: (E, ..., d) -> (E, ..., V)."""
        if self._anatomy.fusion is None:  # no expert has logits of its own; no panel shows this
            return states[..., :1]
        found = []
        for tower, rows in zip(self._anatomy.towers, states, strict=True):
            flat = rows.reshape(-1, rows.shape[-1]).float()
            logits = self._tail(flat[None]) if tower.read_out is None else tower.read_out(flat)
            found.append(logits.view(*rows.shape[:-1], -1))
        return torch.stack(found)


Rows = tuple[Tensor, Tensor]


def _taken(caught: dict[nn.Module, list[Rows]], blocks: list[nn.Module], place: int) -> Rows:
    """What went through the block at a place of a tower: of a module that stands in several places, the call that
    belongs to this one, counted from the last."""
    module, later = blocks[place], blocks[place + 1 :].count(blocks[place])
    return caught[module][-1 - later]


class Joined:
    """A network whose towers are mixed before any logits: shown as one expert, whose state is that of all
    towers side by side (E * d numbers)."""

    def __init__(self, network: Any, tail: Tail, tables: list[Tensor]) -> None:
        shape = network.shape
        self.network, self.tail, self.trained = network, tail, network.trained
        self._towers = shape.experts
        self.shape = Shape(shape.vocabulary, shape.width * shape.experts, shape.layers, shape.heads, 1, shape.context)
        self.embedding = torch.cat(tables, 1)

    def new_cache(self, capacity: int) -> Any:
        """The cache of the network itself."""
        return self.network.new_cache(capacity)

    @torch.inference_mode()
    def __call__(self, ids: Tensor, *, cache: Any = None, keep: int = 0) -> Output:
        """As the network itself, with all towers as one."""
        output = self.network(ids, cache=cache, keep=keep)
        hidden = tuple(torch.cat(list(layer), -1)[None] for layer in output.hidden)
        return Output(self.read_out(hidden[-1][:, :, -keep:]), hidden)

    @torch.inference_mode()
    def read_out(self, states: Tensor) -> Tensor:
        """(1, ..., E * d) -> (1, ..., V)."""
        flat = torch.stack(states.reshape(-1, states.shape[-1]).chunk(self._towers, -1))
        return self.tail(flat).view(*states.shape[:-1], -1)
