"""The same weights in other hands: what the bench compares with.

`ours_in_transformers` is our own stacked network behind transformers' `generate`; `stock_pair` is what one
would write without it: two stock GPT-NeoX models of transformers, run one after the other, logits averaged.
"""

import math
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, DynamicCache, GPTNeoXConfig, GPTNeoXForCausalLM

import app.network.transformers_model  # noqa: F401  registers the model class
from app.checkpoint.bundle import MINI
from app.network.experts import StackedExperts


def ours_in_transformers() -> Any:
    """The bundled checkpoint as README loads it."""
    return AutoModelForCausalLM.from_pretrained(MINI).eval()


class StockPair(GPTNeoXForCausalLM):  # type: ignore[misc]
    """A stock model, and a second one beside it; each has a cache of its own."""

    def __init__(self, config: GPTNeoXConfig) -> None:
        super().__init__(config)
        self.second = GPTNeoXForCausalLM(config)
        self._cache = DynamicCache()

    def forward(self, input_ids: Tensor, past_key_values: Any = None, **named: Any) -> Any:
        if past_key_values is not None and past_key_values.get_seq_length() == 0:
            self._cache = DynamicCache()
        first = super().forward(input_ids, past_key_values=past_key_values, **named)
        cache = None if past_key_values is None else self._cache
        second = self.second(input_ids, past_key_values=cache, **named)
        first.logits = (first.logits + second.logits) / 2
        if first.hidden_states is not None:
            first.hidden_states = (*first.hidden_states, *second.hidden_states)
        return first


def stock_pair(model: StackedExperts) -> StockPair:
    """Two stock models with the weights of our two experts."""
    shape = model.shape
    config = GPTNeoXConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.width, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, intermediate_size=4 * shape.width, hidden_act="gelu", rotary_pct=1.0,
        max_position_embeddings=shape.context, use_parallel_residual=False, attention_bias=False, bos_token_id=2,
        eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    pair = StockPair(config)
    for expert, stock in enumerate((pair, pair.second)):
        stock.load_state_dict(_state(model, expert), strict=False)
    return pair.eval().requires_grad_(False)


def _state(model: StackedExperts, expert: int) -> dict[str, Tensor]:
    width, heads = model.shape.width, model.shape.heads
    ones, zeros = torch.ones(width), torch.zeros(4 * width)
    state = {
        "gpt_neox.embed_in.weight": model.embedding,
        "lm_head.weight": model.head[expert].T,
        "gpt_neox.final_layer_norm.weight": ones,
        "gpt_neox.final_layer_norm.bias": zeros[:width],
    }
    for n, block in enumerate(model.blocks):
        qkv: Tensor = block.attention_in[expert].T  # type: ignore[index, union-attr]
        stock = {
            # ours: queries, keys, values, each head by head; theirs: head by head, each with its three
            "attention.query_key_value.weight": qkv.view(3, heads, -1, width).transpose(0, 1).reshape(3 * width, width),
            "attention.dense.weight": block.attention_out[expert].T,  # type: ignore[index, union-attr]
            "mlp.dense_h_to_4h.weight": block.mlp_in[expert].T,  # type: ignore[index, union-attr]
            "mlp.dense_h_to_4h.bias": zeros,
            "mlp.dense_4h_to_h.weight": block.mlp_out[expert].T,  # type: ignore[index, union-attr]
            "mlp.dense_4h_to_h.bias": zeros[:width],
        }
        for norm in ("input_layernorm", "post_attention_layernorm"):
            stock |= {f"{norm}.weight": ones, f"{norm}.bias": zeros[:width]}
        state |= {f"gpt_neox.layers.{n}.{name}": value for name, value in stock.items()}
    return state


@torch.inference_mode()
def plain_lens(pair: StockPair, ids: Tensor, top: int) -> list[tuple[Tensor, Tensor]]:
    """The best of every layer of each model and, last, of their fusion: one plain pass of each with all hidden states,
    each inner layer unembedded in turn; the last layer's logits are those of the pass."""
    read, last = [], []
    for stock in (pair, pair.second):
        out = GPTNeoXForCausalLM.forward(stock, ids, output_hidden_states=True, use_cache=False)
        for state in out.hidden_states[:-1]:
            read.append(_best(stock.lm_head(stock.gpt_neox.final_layer_norm(state)), top))
        read.append(_best(out.logits, top))
        last.append(out.logits)
    return [*read, _best((last[0] + last[1]) / 2, top)]


def _best(logits: Tensor, top: int) -> tuple[Tensor, Tensor]:
    best = logits[0].log_softmax(-1).topk(top, -1)
    return best.indices, best.values


@torch.inference_mode()
def plain_reading(pair: StockPair, ids: Tensor, top: int) -> list[Tensor]:
    """What the page shows of a text before the lens is opened, the plain way: the best under each model and the
    fusion, log-probability and rank of the token that follows, and the divergence of the two in bits."""
    logits = [GPTNeoXForCausalLM.forward(stock, ids, use_cache=False).logits[0] for stock in (pair, pair.second)]
    logs = torch.stack([*logits, (logits[0] + logits[1]) / 2]).log_softmax(-1)  # (E + 1, T, V)
    best, following = logs.topk(top, -1), ids[0, 1:].view(1, -1, 1).expand(3, -1, 1)
    given = logs[:, :-1].gather(-1, following)
    ranks = (logs[:, :-1] > given).sum(-1) + 1
    chances = logs[:2].exp()
    mixture = chances.mean(0)
    divergence = (chances * (logs[:2] - mixture.log())).sum(-1).mean(0) / math.log(2)
    return [best.indices, best.values, given, ranks, divergence]
