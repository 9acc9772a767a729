"""Code of networks that are not ours: a single tower, attention of no known kind, towers that are mixed."""

from tests.support.foreign_code import HEAD

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
