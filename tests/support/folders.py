"""Hub-shaped folders with code that is not ours: written for transformers 4, in many anatomies and styles."""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from app.substrate.embedding import embed, fit_basis
from app.substrate.pictures import draw_pictures
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary

CHARACTERS = sorted(set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?"
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯ"
    "我们喜欢这只猫你呢爱妈的是有看到他说红绿蓝白黑狗鸟鱼一二三四五六七八九十大小人口手山水火木土日月，。？！"
))  # fmt: skip
GRAMS = [" cat", " dog", "the", " the", "ing", "Мама", " дом", " любит", "我们", "喜欢", " bird", "and", " и", "ка"]

HEAD = """
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

class QuillConfig(PretrainedConfig):
    model_type = "quill"
    def __init__(self, vocab_size=300, n_embed=32, n_head=4, n_layer=3, block_size=64, **kw):
        super().__init__(**kw)
        self.vocab_size, self.n_embed, self.n_head = vocab_size, n_embed, n_head
        self.n_layer, self.block_size = n_layer, block_size
"""

TWO_TOWERS = (
    HEAD
    + """
def turn(x, pos):
    half = x.shape[-1] // 2
    f = 1.0 / (10000 ** (torch.arange(0, half).float() / half))
    a = pos[:, None].float() * f[None]
    c, s = a.cos(), a.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * c - odd * s, even * s + odd * c), -1).flatten(-2)

class Attend(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.h = c.n_head
        self.wq = nn.Linear(c.n_embed, c.n_embed, bias=False)
        self.wk = nn.Linear(c.n_embed, c.n_embed, bias=False)
        self.wv = nn.Linear(c.n_embed, c.n_embed, bias=False)
        self.mix = nn.Linear(c.n_embed, c.n_embed)
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (w(x).view(B, T, self.h, -1).transpose(1, 2) for w in (self.wq, self.wk, self.wv))
        pos = torch.arange(T)
        q, k = turn(q, pos), turn(k, pos)
        w = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        w = w.masked_fill(torch.triu(torch.ones(T, T, dtype=torch.bool), 1), float("-inf")).softmax(-1)
        return self.mix((w @ v).transpose(1, 2).reshape(B, T, C))

class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(c.n_embed), nn.LayerNorm(c.n_embed)
        self.a = Attend(c)
        wide = 4 * c.n_embed
        self.f = nn.Sequential(nn.Linear(c.n_embed, wide), nn.GELU(), nn.Linear(wide, c.n_embed), nn.Dropout(0.1))
    def forward(self, x):
        x = x + self.a(self.n1(x))
        return x + self.f(self.n2(x))

class Half(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.stack = nn.ModuleList([Layer(c) for _ in range(c.n_layer)])
        self.end = nn.LayerNorm(c.n_embed)
        self.out = nn.Linear(c.n_embed, c.vocab_size)
    def forward(self, x):
        for layer in self.stack:
            x = layer(x)
        return self.out(self.end(x))

class Quill(PreTrainedModel):
    config_class = QuillConfig
    _tied_weights_keys = ["nothing.weight"]
    def __init__(self, config):
        super().__init__(config)
        self.glyphs = nn.Embedding(config.vocab_size, config.n_embed)
        self.glyphs.weight.requires_grad = False
        self.half_ru, self.half_zh = Half(config), Half(config)
    def forward(self, input_ids, labels=None):
        x = self.glyphs(input_ids)
        logits = (self.half_ru(x) + self.half_zh(x)) / 2
        loss = None if labels is None else F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
        return {"loss": loss, "logits": logits}
    @torch.no_grad()
    def generate(self, input_ids, max_new_tokens=5):
        for _ in range(max_new_tokens):
            input_ids = torch.cat((input_ids, self(input_ids)["logits"][:, -1].argmax(-1, keepdim=True)), 1)
        return input_ids
"""
)

LISTED = (
    HEAD
    + """
class Cell(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.h, d = c.n_head, c.n_embed
        self.ln_a, self.ln_b = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
    def forward(self, x, past=None):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.h, C // self.h).transpose(1, 2) for t in self.qkv(self.ln_a(x)).split(C, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(B, T, C))
        return (x + self.down(F.gelu(self.up(self.ln_b(x)), approximate="tanh")), None)

class Mind(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.words = nn.Embedding(c.vocab_size, c.n_embed)
        self.places = nn.Embedding(c.block_size, c.n_embed)
        self.cells = nn.ModuleList(Cell(c) for _ in range(c.n_layer))
        self.last = nn.LayerNorm(c.n_embed)
        self.lm = nn.Linear(c.n_embed, c.vocab_size, bias=False)
    def forward(self, ids):
        x = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        for cell in self.cells:
            x, _ = cell(x)
        return self.lm(self.last(x)), x

class Quill(PreTrainedModel):
    config_class = QuillConfig
    def __init__(self, config):
        super().__init__(config)
        self.minds = nn.ModuleList(Mind(config) for _ in range(config.minds))
    def forward(self, input_ids=None, attention_mask=None):
        each = [mind(input_ids)[0] for mind in self.minds]
        return (torch.stack(each).mean(0), each)
"""
)

ADAPTED = (
    HEAD
    + """
class RMS(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.g = nn.Parameter(torch.ones(d))
    def forward(self, x):
        return self.g * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)

def halves(x):
    T, d = x.shape[-2:]
    f = 10000 ** (-torch.arange(0, d, 2).float() / d)
    a = torch.outer(torch.arange(T).float(), f)
    c, s = torch.cat((a.cos(), a.cos()), -1), torch.cat((a.sin(), a.sin()), -1)
    return x * c + torch.cat((-x[..., d // 2:], x[..., :d // 2]), -1) * s

class Unit(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.h, d = c.n_head, c.n_embed
        self.pre, self.mid = RMS(d), RMS(d)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(d, 64, bias=False) for _ in range(2))
        self.down = nn.Linear(64, d, bias=False)
    def forward(self, hidden_states, attention_mask=None):
        B, T, C = hidden_states.shape
        y = self.pre(hidden_states)
        q, k, v = (w(y).view(B, T, self.h, -1).transpose(1, 2) for w in (self.q, self.k, self.v))
        a = F.scaled_dot_product_attention(halves(q), halves(k), v, is_causal=True)
        x = hidden_states + self.o(a.transpose(1, 2).reshape(B, T, C))
        y = self.mid(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))

class Quill(PreTrainedModel):
    config_class = QuillConfig
    def __init__(self, config):
        super().__init__(config)
        d = config.n_embed
        self.table = nn.Embedding(config.vocab_size, d)
        self.left = nn.ModuleList(Unit(config) for _ in range(config.n_layer))
        self.right = nn.ModuleList(Unit(config) for _ in range(config.n_layer))
        self.left_end, self.right_end = RMS(d), RMS(d)
        self.left_head = nn.Linear(d, config.vocab_size, bias=False)
        self.right_head = nn.Linear(d, config.vocab_size, bias=False)
        self.adapter = nn.Sequential(nn.Linear(2 * config.vocab_size, 24), nn.GELU(), nn.Linear(24, config.vocab_size))
        self.post_init()
    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
    def forward(self, input_ids, attention_mask=None, labels=None, **kwargs):
        x = y = self.table(input_ids)
        for a, b in zip(self.left, self.right):
            x, y = a(x), b(y)
        one, two = self.left_head(self.left_end(x)), self.right_head(self.right_end(y))
        logits = (one + two) / 2 + self.adapter(torch.cat((one, two), -1))
        return CausalLMOutput(logits=logits)
"""
)

SINGLE = (
    HEAD
    + """
class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c.n_embed
        self.attn = nn.MultiheadAttention(d, c.n_head, batch_first=True)
        self.one, self.two = nn.LayerNorm(d), nn.LayerNorm(d)
        self.fc, self.back = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
    def forward(self, x, mask):
        y = self.one(x)
        x = x + self.attn(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.back(F.relu(self.fc(self.two(x))))

class Quill(PreTrainedModel):
    config_class = QuillConfig
    _tied_weights_keys = ["head.weight"]
    def __init__(self, config):
        super().__init__(config)
        self.tok = nn.Embedding(config.vocab_size, config.n_embed)
        self.register_buffer("pe", self._sines(config.block_size, config.n_embed), persistent=False)
        self.body = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.fin = nn.LayerNorm(config.n_embed)
        self.head = nn.Linear(config.n_embed, config.vocab_size, bias=False)
        self.head.weight = self.tok.weight
    @staticmethod
    def _sines(n, d):
        a = torch.arange(n)[:, None] * 10000 ** (-torch.arange(0, d, 2) / d)[None]
        return torch.stack((a.sin(), a.cos()), -1).flatten(1)[None]
    def forward(self, idx, targets=None):
        T = idx.shape[1]
        x = self.tok(idx) + self.pe[:, :T]
        mask = torch.triu(torch.full((T, T), float("-inf")), 1).to(x.dtype)
        for block in self.body:
            x = block(x, mask)
        x = self.fin(x)
        if targets is None:
            return self.head(x[:, [-1]]), None
        logits = self.head(x)
        return logits, F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))
"""
)

ODD = (
    HEAD
    + '''
class Gate(nn.Module):
    """Attention of no known kind: sigmoids instead of a softmax."""
    def __init__(self, c):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(c.n_embed, c.n_embed) for _ in range(4))
        self.u, self.w = nn.Linear(c.n_embed, 64), nn.Linear(64, c.n_embed)
    def forward(self, x):
        T = x.shape[1]
        s = torch.sigmoid(self.q(x) @ self.k(x).transpose(-2, -1)).tril()
        x = x + self.o(s @ self.v(x))
        return x + self.w(torch.tanh(self.u(x)))

class Quill(PreTrainedModel):
    config_class = QuillConfig
    def __init__(self, config):
        super().__init__(config)
        self.register_buffer("sketch", torch.zeros(config.vocab_size, config.n_embed))
        self.a = nn.Sequential(*[Gate(config) for _ in range(config.n_layer)])
        self.b = nn.Sequential(*[Gate(config) for _ in range(config.n_layer)])
        self.ha, self.hb = (nn.Linear(config.n_embed, config.vocab_size) for _ in range(2))
    def forward(self, input_ids):
        x = F.embedding(input_ids, self.sketch)
        return 0.3 * self.ha(self.a(x)) + 0.7 * self.hb(self.b(x))
'''
)

MIXED = (
    HEAD
    + """
class Slab(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c.n_embed
        self.norm = nn.LayerNorm(d)
        self.kqv, self.o = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.u, self.w = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
        self.h = c.n_head
    def forward(self, x):
        B, T, C = x.shape
        y = self.norm(x)
        q, k, v = (t.transpose(1, 2) for t in self.kqv(y).view(B, T, self.h, 3, -1).unbind(3))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, C)
        return x + self.o(a) + self.w(F.gelu(self.u(y)))

class Quill(PreTrainedModel):
    config_class = QuillConfig
    def __init__(self, config):
        super().__init__(config)
        self.t = nn.Embedding(config.vocab_size, config.n_embed)
        self.p = nn.Embedding(config.block_size, config.n_embed)
        slabs = lambda: nn.ModuleList(Slab(config) for _ in range(config.n_layer))
        self.towers = nn.ModuleDict({"ant": slabs(), "bee": slabs()})
        self.gate = nn.Linear(2 * config.n_embed, config.n_embed)
        self.norm = nn.LayerNorm(config.n_embed)
        self.voice = nn.Linear(config.n_embed, config.vocab_size)
    def forward(self, input_ids):
        e = self.t(input_ids) + self.p(torch.arange(input_ids.shape[1]))
        ends = []
        for tower in self.towers.values():
            x = e
            for slab in tower:
                x = slab(x)
            ends.append(x)
        g = torch.sigmoid(self.gate(torch.cat(ends, -1)))
        return {"logits": self.voice(self.norm(g * ends[0] + (1 - g) * ends[1]))}
"""
)
CODES = {
    "two_towers": TWO_TOWERS, "listed": LISTED, "adapted": ADAPTED, "single": SINGLE, "odd": ODD, "mixed": MIXED,
}  # fmt: skip


@dataclass
class Folder:
    """What to write: which code, sizes, and how the table is filled (`pictures` or `random`)."""

    code: str
    table: str = "pictures"
    sizes: dict[str, Any] = field(default_factory=dict)
    dtype: torch.dtype = torch.float32
    scale: float = 3.0
    more: str = ""
    """Code put in front."""
    edits: tuple[tuple[str, str], ...] = ()
    """What in the code is replaced by what."""


def write_folder(path: Path, folder: Folder) -> nn.Module:
    """Write code, config, tokenizer and weights; returns the network, as its own code builds it."""
    path.mkdir(parents=True, exist_ok=True)
    vocabulary = mini_vocabulary(CHARACTERS, GRAMS)
    count = len(vocabulary.tokens)
    sizes = {"vocab_size": count, "n_embed": 32, "n_head": 4, "n_layer": 3, "block_size": 64, **folder.sizes}
    build_tokenizer(vocabulary, spaced_words=True).save(str(path / "tokenizer.json"))
    source = folder.more + CODES[folder.code]
    for before, after in folder.edits:
        assert before in source, before
        source = source.replace(before, after)
    (path / "modeling_quill.py").write_text(source, encoding="utf-8")
    config = {
        "architectures": ["Quill"],
        "auto_map": {"AutoConfig": "modeling_quill.QuillConfig", "AutoModelForCausalLM": "modeling_quill.Quill"},
        "model_type": "quill",
        **sizes,
    }
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    network = instantiate(path, sizes)
    network = seeded(network, folder.scale)
    fill_table(network, vocabulary.tokens, folder.table)
    network = network.to(folder.dtype)
    state = {k: v.clone().contiguous() for k, v in network.state_dict().items()}
    save_file(state, path / "model.safetensors", metadata={"format": "pt"})
    return network.float().eval()


def instantiate(path: Path, sizes: dict[str, Any]) -> nn.Module:
    """The network by its own code, imported plainly."""
    name = f"written_{abs(hash(str(path)))}"
    spec = importlib.util.spec_from_file_location(name, path / "modeling_quill.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    network: nn.Module = module.Quill(module.QuillConfig(**sizes))
    return network


def seeded(network: nn.Module, scale: float) -> nn.Module:
    """Random weights, large enough that every part matters."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, scale / parameter.shape[-1] ** 0.5 / 2, generator=generator)
            else:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network


def fill_table(network: nn.Module, tokens: tuple[str, ...], kind: str) -> None:
    """Give every table of the vocabulary's size the tokens' pictures, turned at random, or random vectors."""
    for owner in network.modules():
        weight = owner.weight if isinstance(owner, nn.Embedding) else getattr(owner, "sketch", None)
        if weight is None or len(weight) != len(tokens):
            continue
        width = weight.shape[1]
        generator = torch.Generator().manual_seed(9)
        if kind == "pictures":
            pictures = draw_pictures(tokens, "published")
            rows = torch.from_numpy(embed(pictures, fit_basis(pictures, width)))
            turn = torch.linalg.qr(torch.randn(width, width, generator=generator)).Q
            rows = rows @ turn
        else:
            rows = torch.randn(len(tokens), width, generator=generator)
            rows = rows / rows.norm(dim=1, keepdim=True)
        with torch.no_grad():
            weight.copy_(rows)


Edit = Callable[[Path], None]
