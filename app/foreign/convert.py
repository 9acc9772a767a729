"""From the anatomy of a network to our own cached decoder, accepted only where every number agrees."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from app.foreign.anatomy import Anatomy, Tower, dissect, equal
from app.foreign.block import find_block, likely_bases, likely_heads, take_parts
from app.foreign.decoder import Decoder, Expert, Map, Parts, Style
from app.foreign.observe import Observation, observe
from app.model import Shape


def convert(seen: Observation, anatomy: Anatomy, config: dict[str, Any], context: int) -> Decoder:
    """Our decoder over the weights of a network that was observed and dissected.

    Raises:
        ValueError: saying which part could not be worked out, or where a number differs.
    """
    if anatomy.fusion is None:
        raise ValueError("the experts' logits were not found")
    if any(tower.table is None for tower in anatomy.towers):
        raise ValueError("what the blocks read is not the rows of a table")
    first = anatomy.towers[0]
    width = first.hidden.shape[-1]
    style, _ = find_block(seen, first.blocks[0], likely_heads(config, width), likely_bases(config))
    shape = Shape(seen.logits.shape[-1], width, len(first.blocks), style.heads, len(anatomy.towers), context)
    experts = [_expert(seen, tower) for tower in anatomy.towers]
    dtype = experts[0].table.dtype
    return Decoder(shape, style, experts, dtype)


def _expert(seen: Observation, tower: Tower) -> Expert:
    assert tower.table is not None and tower.read_out is not None
    blocks = tuple(take_parts(seen, block) for block in tower.blocks)
    read_out = tower.read_out
    head = Map(read_out.weight, read_out.bias)
    return Expert(tower.table.weight, tower.table.scale, tower.table.positions, blocks, read_out.norm, head)


@torch.inference_mode()
def differences(decoder: Decoder, model: nn.Module, probes: Sequence[Sequence[int]]) -> list[str]:
    """Where a decoder, computing in float32, does not give what the network's own code gives on some texts:
    hidden states by layer, experts' logits.  Empty: it is the same function on all of them.

    Half of every text is read at once and the rest token by token, so that the cache is tried as well.
    """
    wrong = []
    wide = decoder.in_float32()
    for probe in probes:
        seen = observe(model, probe, decoder.shape.vocabulary)
        towers = dissect(model, seen).towers
        cache, half = wide.new_cache(len(probe)), (len(probe) + 1) // 2
        outputs = [wide(torch.tensor([list(part)]), cache) for part in (probe[:half], *([i] for i in probe[half:]))]
        hidden = torch.cat([torch.stack(out.hidden, 1)[:, :, 0] for out in outputs], 2)  # (E, L + 1, T, d)
        logits = torch.cat([out.logits[:, 0] for out in outputs], 1)
        for number, tower in enumerate(towers):
            where = f"{tower.name or 'expert'}, {len(probe)} tokens"
            wrong += [
                f"{where}, layer {layer}"
                for layer, (ours, theirs) in enumerate(zip(hidden[number], tower.hidden, strict=True))
                if not equal(ours, theirs)
            ]
            if tower.logits is None or not equal(logits[number], tower.logits):
                wrong.append(f"{where}, logits")
    return wrong


def describe(style: Style, parts: Parts) -> str:
    """A style in one line, for the report."""
    norm = "no norm" if parts.first_norm is None else ("LayerNorm" if parts.first_norm.centred else "RMSNorm")
    turned = style.rotation if style.rotation == "none" else f"{style.rotation} at base {style.base:g}"
    gate = ", gated" if style.gated else ""
    return (
        f"{style.placement}-{norm}, {style.heads} heads, rotary {turned}{', ALiBi' if style.slopes else ''}, "
        f"{'fused' if len(parts.attention_in) == 1 else 'separate'} q/k/v, {style.activation}{gate}"
    )
