"""A network that is not ours, run by its own code: slow (no cache), but never wrong about itself."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from app.foreign.anatomy import Anatomy, ReadOut
from app.foreign.observe import find_logits, first_tensor, run
from app.model import Output, Shape


@dataclass(eq=False)
class Spoken:
    """What was fed so far: without a cache, all of it is read again for every token."""

    ids: list[int] = field(default_factory=list)


class Original:
    """The interface of `app.model.StackedExperts` over another network's own forward pass.

    Only what was proved of its anatomy is given: hidden states from the inputs and outputs of its blocks,
    the experts' logits from their read-outs, the fused logits from the network itself.
    """

    def __init__(self, model: nn.Module, anatomy: Anatomy, shape: Shape) -> None:
        self.model, self.shape, self.anatomy = model, shape, anatomy
        modules = dict(model.named_modules())
        self._blocks = [[modules[block.name] for block in tower.blocks] for tower in anatomy.towers]
        self._read_outs: list[ReadOut | None] = [tower.read_out for tower in anatomy.towers]
        table = anatomy.towers[0].table
        self.embedding = table.weight if table is not None else torch.zeros(shape.vocabulary, shape.width)

    def new_cache(self, capacity: int) -> Spoken:
        """No room is kept but for the ids."""
        return Spoken()

    @torch.inference_mode()
    def __call__(self, ids: Tensor, cache: Spoken | None = None, keep: int = 0) -> Output:
        """Run ids (B, T), after those in the cache (B = 1 then); logits of the last `keep` positions."""
        if cache is not None:
            cache.ids += ids[0].tolist()
        whole = ids if cache is None else torch.tensor([cache.ids])
        rows = [self._row(row, ids.shape[1], keep) for row in whole]
        return Output(
            torch.cat([row.logits for row in rows], 1),
            tuple(torch.cat(layers, 1) for layers in zip(*(row.hidden for row in rows), strict=True)),
            None if rows[0].fused is None else torch.cat([row.fused for row in rows if row.fused is not None]),
        )

    def _row(self, ids: Tensor, new: int, keep: int) -> Output:
        """One text (T,): its last `new` positions."""
        caught: dict[int, Tensor] = {}
        handles = []
        for number, blocks in enumerate(self._blocks):
            for layer, block in enumerate(blocks):

                def catch(
                    _: nn.Module, given: tuple[object, ...], keywords: dict[str, object], gave: object,
                    place: tuple[int, int] = (number, layer),
                ) -> None:  # fmt: skip
                    before, after = first_tensor((*given, *keywords.values())), first_tensor(gave)
                    assert before is not None and after is not None
                    caught[place[0] * 1000 + place[1] + 1] = after
                    if place[1] == 0:
                        caught[place[0] * 1000] = before

                handles.append(block.register_forward_hook(catch, with_kwargs=True))
        try:
            output = run(self.model, ids[None])
        finally:
            for handle in handles:
                handle.remove()
        fused = find_logits(output, len(ids), self.shape.vocabulary).float()[:, -new:]
        experts, layers = self.shape.experts, self.shape.layers + 1
        states = [
            torch.stack([caught[e * 1000 + layer].reshape(1, len(ids), -1)[:, -new:] for e in range(experts)]).float()
            for layer in range(layers)
        ]
        return Output(self.read_out(states[-1][:, :, -keep:]), tuple(states), fused[:, -keep:])

    def read_out(self, states: Tensor) -> Tensor:
        """Final norm and head of each expert, where they were found: (E, ..., d) -> (E, ..., V)."""
        found = [read_out(rows) for read_out, rows in zip(self._read_outs, states, strict=True) if read_out]
        assert len(found) == len(states), "an expert without a read-out is not shown"
        return torch.stack(found)
