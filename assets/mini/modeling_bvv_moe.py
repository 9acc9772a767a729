# Glyphscope's app/network/transformers_model.py, Apache-2.0, copied by `python -m app.training bundle`.
"""The network as a transformers model, so that the published example works on our checkpoints:

    model = AutoModelForCausalLM.from_pretrained("assets/mini", trust_remote_code=True)
    model.generate(**inputs, max_new_tokens=100, temperature=0.8, top_k=50, top_p=0.95, do_sample=True)

A checkpoint folder brings this file with it (`app.checkpoint.standalone`), hence `trust_remote_code`; where this module
is imported, that is not needed.  Only this file knows transformers' model classes; the demo itself runs
`app.network.experts` directly.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    DynamicCache,
    GenerationMixin,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers import initialization as init
from transformers.modeling_outputs import CausalLMOutputWithPast

from .experts import Block, StackedExperts, causal_mask, fuse, rotary_table
from .interface import Shape


class BVVMoEConfig(PreTrainedConfig):  # type: ignore[misc]
    """Sizes of the network under transformers' usual names.

    fusion_weights: one weight an expert, by default the plain mean of logits.
    expert_names: what the experts are called, one name an expert.
    """

    model_type = "bvv_moe"
    keys_to_ignore_at_inference = ("past_key_values",)

    vocab_size: int = 8192
    hidden_size: int = 256
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    num_experts: int = 2
    max_position_embeddings: int = 256
    initializer_range: float = 0.02
    fusion_weights: list[float] | None = None
    expert_names: list[str] | None = None
    use_cache: bool = True
    tie_word_embeddings: bool = False
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 2
    pad_token_id: int | None = 0

    @property
    def shape(self) -> Shape:
        return Shape(
            vocabulary=self.vocab_size,
            width=self.hidden_size,
            layers=self.num_hidden_layers,
            heads=self.num_attention_heads,
            experts=self.num_experts,
            context=self.max_position_embeddings,
        )


@dataclass
class BVVMoEOutput(CausalLMOutputWithPast):  # type: ignore[misc]
    """logits (B, K, V) are fused; expert_logits (E, B, K, V) and expert_hidden_states, layers + 1
    tensors (E, B, T, d), are there when asked for."""

    expert_logits: Tensor | None = None
    expert_hidden_states: tuple[Tensor, ...] | None = None


class BVVMoEForCausalLM(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """N experts over one frozen embedding; generates from the fusion of their logits."""

    config_class = BVVMoEConfig
    base_model_prefix = "model"
    _no_split_modules = ("Block",)
    _supports_sdpa = True

    def __init__(self, config: BVVMoEConfig) -> None:
        super().__init__(config)
        self.model = StackedExperts(config.shape)
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        if isinstance(module, Block):
            for weight in module.parameters():
                init.normal_(weight, std=self.config.initializer_range)
        if isinstance(module, StackedExperts):
            init.normal_(module.head, std=self.config.initializer_range)
            init.copy_(module.turns, rotary_table(module.shape.context, module.shape.head_width))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        output_hidden_states: bool | None = None,
        output_expert_logits: bool = False,
        return_dict: bool | None = None,
        **_: Any,
    ) -> BVVMoEOutput | tuple[Tensor, ...]:
        """Fused logits of ids (B, T); rows may be padded on either side (attention_mask (B, S))."""
        if past_key_values is None and (self.config.use_cache if use_cache is None else use_cache):
            past_key_values = DynamicCache(config=self.config)
        length, mask = input_ids.shape[1], None
        if attention_mask is None or bool(attention_mask.all()):
            position_ids = None  # counted on from the cache, which is cheaper than looking them up
        else:
            mask = padding_mask(attention_mask, length)
            if position_ids is None:
                position_ids = positions_of(attention_mask)[:, -length:]
        out = self.model(input_ids, position_ids, mask, past_key_values, logits_to_keep)
        weights = self.config.fusion_weights
        logits = fuse(out.logits, None if weights is None else out.logits.new_tensor(weights))
        loss = None if labels is None else self.loss_function(logits, labels, self.config.vocab_size)
        result = BVVMoEOutput(
            loss=loss,
            logits=logits,
            past_key_values=past_key_values,
            expert_logits=out.logits if output_expert_logits else None,
            expert_hidden_states=out.hidden if output_hidden_states else None,
        )
        return result.to_tuple() if return_dict is False else result


def positions_of(attention_mask: Tensor) -> Tensor:
    """Positions (B, S) counted over the real tokens of each row."""
    return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)


def padding_mask(attention_mask: Tensor, queries: int) -> Tensor:
    """(B, 1, T, S) booleans: causal, and blind to padding.  A padded query sees itself, so that no
    row of the softmax is empty."""
    keys = attention_mask.shape[1]
    causal = causal_mask(queries, keys, attention_mask.device)
    itself = torch.eye(keys, dtype=torch.bool, device=attention_mask.device)[-queries:]
    return causal & attention_mask[:, None, None, :].bool() | itself


AutoConfig.register("bvv_moe", BVVMoEConfig, exist_ok=True)
AutoModelForCausalLM.register(BVVMoEConfig, BVVMoEForCausalLM, exist_ok=True)
