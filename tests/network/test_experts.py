"""The network against an independent, plain implementation, and its behaviour as a transformers model."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from app.network.experts import Block, StackedExperts, fuse
from app.network.interface import KeyValues, Shape
from app.network.transformers_model import BVVMoEConfig, BVVMoEForCausalLM
from app.training.recipe import Recipe
from app.training.step import make_optimizers, train_step


def plain_expert(model: StackedExperts, expert: int, ids: list[int]) -> tuple[Tensor, list[Tensor]]:
    """One expert, one text, one position and head at a time, rotations as complex numbers: logits
    (T, V) and hidden states, written from the papers without anything of `app.network.experts`."""
    shape = model.shape
    heads, size = shape.heads, shape.width // shape.heads

    def layer_norm(x: Tensor) -> Tensor:
        return (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-5)

    def turned(v: Tensor, position: int) -> Tensor:
        half = size // 2
        pairs = torch.complex(v[:half].double(), v[half:].double())
        angles = torch.tensor([position * 10_000 ** (-2 * i / size) for i in range(half)], dtype=torch.float64)
        result = pairs * torch.polar(torch.ones_like(angles), angles)
        return torch.cat((result.real, result.imag)).float()

    x = model.embedding[ids]
    hidden = [x]
    for block in model.blocks:
        assert isinstance(block, Block)
        q, k, v = (layer_norm(x) @ block.attention_in[expert]).split(shape.width, dim=-1)
        rows = []
        for t in range(len(ids)):
            parts = []
            for h in range(heads):
                at = slice(h * size, (h + 1) * size)
                query = turned(q[t, at], t)
                scores = torch.stack([query @ turned(k[s, at], s) / math.sqrt(size) for s in range(t + 1)])
                parts.append(scores.softmax(0) @ v[: t + 1, at])
            rows.append(torch.cat(parts))
        x = x + torch.stack(rows) @ block.attention_out[expert]
        inner = layer_norm(x) @ block.mlp_in[expert]
        x = x + (0.5 * inner * (1 + torch.erf(inner / math.sqrt(2)))) @ block.mlp_out[expert]
        hidden.append(x)
    return layer_norm(x) @ model.head[expert], hidden


@torch.inference_mode()
def test_stacked_experts_equal_plain_ones(model: StackedExperts) -> None:
    ids = [3, 1, 4, 1, 5, 9, 2]
    output = model(torch.tensor([ids]))
    for expert in range(2):
        logits, hidden = plain_expert(model, expert, ids)
        assert torch.allclose(output.logits[expert, 0], logits, atol=2e-4)
        for ours, theirs in zip(output.hidden, hidden, strict=True):
            assert torch.allclose(ours[expert, 0], theirs, atol=2e-4)


@torch.inference_mode()
def test_cached_logits_equal_uncached(model: StackedExperts) -> None:
    ids = torch.arange(12)[None]
    whole = model(ids).logits
    cache = KeyValues(model.shape, 12)
    pieces = [model(part, cache=cache).logits for part in (ids[:, :5], ids[:, 5:6], ids[:, 6:9], ids[:, 9:])]
    assert torch.allclose(torch.cat(pieces, 2), whole, atol=1e-4)


@pytest.mark.parametrize("count", [1, 3])
@torch.inference_mode()
def test_texts_of_different_lengths_step_together_as_each_alone(model: StackedExperts, count: int) -> None:
    texts = [[1, 2, 3], [9, 8, 7, 6, 5, 4, 3], [30]][:count]
    caches = [KeyValues(model.shape, 12) for _ in texts]
    for text, cache in zip(texts, caches, strict=True):
        model(torch.tensor([text]), cache=cache)
    for following in ([40, 41, 42][:count], [7, 8, 9][:count]):
        texts = [[*text, token] for text, token in zip(texts, following, strict=True)]
        together = model.step(following, caches)
        for row, text in enumerate(texts):
            alone = model(torch.tensor([text]))
            assert torch.allclose(together.logits[:, row, 0], alone.logits[:, 0, -1], atol=1e-4)
            for ours, whole in zip(together.hidden, alone.hidden, strict=True):
                assert torch.allclose(ours[:, row, 0], whole[:, 0, -1], atol=1e-4)


@torch.inference_mode()
def test_a_later_token_never_changes_an_earlier_logit(model: StackedExperts) -> None:
    one = model(torch.tensor([[1, 2, 3, 4, 5, 6]])).logits
    other = model(torch.tensor([[1, 2, 3, 4, 40, 41]])).logits
    assert torch.allclose(one[:, :, :4], other[:, :, :4], atol=1e-6)
    assert not torch.allclose(one[:, :, 4:], other[:, :, 4:], atol=1e-2)


@torch.inference_mode()
def test_fusion_is_the_mean_and_weights_move_it(model: StackedExperts) -> None:
    logits = model(torch.tensor([[1, 2, 3]])).logits
    assert torch.equal(fuse(logits), (logits[0] + logits[1]) / 2)
    assert torch.allclose(fuse(logits, torch.tensor([1.0, 0.0])), logits[0])
    assert torch.allclose(fuse(logits, torch.tensor([0.25, 0.75])), 0.25 * logits[0] + 0.75 * logits[1], atol=1e-5)


@torch.inference_mode()
def test_experts_run_alone_as_together(model: StackedExperts) -> None:
    """Stacking changes nothing: an expert cut out of the stack gives the same logits."""
    ids = torch.tensor([[7, 8, 9]])
    alone = StackedExperts(Shape(vocabulary=50, width=16, layers=3, heads=2, experts=1, context=24))
    state = {k: v if k == "embedding" else v[1:] for k, v in model.state_dict().items()}
    alone.load_state_dict(state)
    assert torch.allclose(alone(ids).logits[0], model(ids).logits[1], atol=1e-5)


def test_training_leaves_the_frozen_table_bit_identical(model: StackedExperts) -> None:
    before = model.embedding.clone()
    weights = [weight.clone() for weight in model.parameters()]
    recipe = Recipe({"en": 1.0})
    optimizers = make_optimizers(model, recipe)
    rows = torch.randint(0, 50, (4, 13), generator=torch.Generator().manual_seed(1))
    losses = [train_step(model, optimizers, rows, recipe, 1.0) for _ in range(5)]
    assert torch.equal(model.embedding, before)
    assert model.embedding.grad is None and not model.embedding.requires_grad
    assert all(not torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))
    assert losses[-1] < losses[0]


def wrapped(model: StackedExperts) -> BVVMoEForCausalLM:
    config = BVVMoEConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=24
    )
    wrapper: BVVMoEForCausalLM = BVVMoEForCausalLM(config).eval()
    wrapper.model.load_state_dict(model.state_dict())
    return wrapper


@torch.inference_mode()
def test_padded_batch_equals_single_rows(model: StackedExperts) -> None:
    causal_lm = wrapped(model)
    rows = [[5, 6, 7, 8], [9, 10]]
    for side in ("left", "right"):
        pads = [[0] * (4 - len(row)) for row in rows]
        ids = torch.tensor([p + r if side == "left" else r + p for r, p in zip(rows, pads, strict=True)])
        real = torch.tensor(
            [
                [0] * len(p) + [1] * len(r) if side == "left" else [1] * len(r) + [0] * len(p)
                for r, p in zip(rows, pads, strict=True)
            ]
        )
        batch = causal_lm(ids, attention_mask=real).logits
        for i, row in enumerate(rows):
            single = causal_lm(torch.tensor([row])).logits[0]
            assert torch.allclose(batch[i][real[i].bool()], single, atol=1e-4), side


@torch.inference_mode()
def test_padded_generation_equals_single_generation(model: StackedExperts) -> None:
    causal_lm = wrapped(model)
    options = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    single = causal_lm.generate(torch.tensor([[9, 10]]), attention_mask=torch.ones(1, 2, dtype=torch.long), **options)
    ids, real = torch.tensor([[5, 6, 7, 8], [0, 0, 9, 10]]), torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
    batch = causal_lm.generate(ids, attention_mask=real, **options)
    assert batch[1, 4:].tolist() == single[0, 2:].tolist()


@torch.inference_mode()
def test_expert_outputs_are_there_when_asked_for(model: StackedExperts) -> None:
    causal_lm = wrapped(model)
    out = causal_lm(torch.tensor([[1, 2, 3]]), output_expert_logits=True, output_hidden_states=True)
    assert torch.allclose(out.expert_logits.mean(0), out.logits)
    assert [tuple(h.shape) for h in out.expert_hidden_states] == [(2, 1, 3, 16)] * 4
    assert causal_lm(torch.tensor([[1, 2, 3]])).expert_logits is None


def test_wrapper_trains_with_labels_and_weights_fuse(model: StackedExperts) -> None:
    causal_lm = wrapped(model)
    ids = torch.tensor([[1, 2, 3, 4]])
    loss = causal_lm(ids, labels=ids).loss
    expected = torch.nn.functional.cross_entropy(causal_lm(ids).logits[0, :-1], ids[0, 1:])
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    causal_lm.config.fusion_weights = [1.0, 0.0]
    assert torch.allclose(causal_lm(ids).logits, causal_lm.model(ids).logits[0], atol=1e-5)


def test_save_and_load_bit_for_bit(model: StackedExperts, tmp_path: Path) -> None:
    original = wrapped(model)
    original.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), BVVMoEConfig)
    for (name, a), (other, b) in zip(original.state_dict().items(), loaded.state_dict().items(), strict=True):
        assert name == other and torch.equal(a, b), name
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(original(ids).logits, loaded(ids).logits)


@torch.inference_mode()
def test_published_example_runs_on_a_bundle(toy_bundle: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(toy_bundle)
    tokenizer = AutoTokenizer.from_pretrained(toy_bundle)
    inputs = tokenizer("Мама", return_tensors="pt")
    torch.manual_seed(0)
    output = model.generate(**inputs, max_new_tokens=20, temperature=0.8, top_k=50, top_p=0.95, do_sample=True)
    assert output.shape[1] > inputs["input_ids"].shape[1]
    assert tokenizer.decode(output[0], skip_special_tokens=True).startswith(" Мама")
    assert model.dtype == torch.float32
