"""Code of networks that are not ours, in the styles of transformers 4: towers whose logits are averaged."""

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
