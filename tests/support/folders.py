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
from tests.support.foreign_code import ADAPTED, LISTED, TWO_TOWERS
from tests.support.unusual_code import MIXED, ODD, SINGLE

CHARACTERS = sorted(set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?"
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯ"
    "我们喜欢这只猫你呢爱妈的是有看到他说红绿蓝白黑狗鸟鱼一二三四五六七八九十大小人口手山水火木土日月，。？！"
))  # fmt: skip
GRAMS = [" cat", " dog", "the", " the", "ing", "Мама", " дом", " любит", "我们", "喜欢", " bird", "and", " и", "ка"]
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
    with torch.random.fork_rng():
        torch.manual_seed(5)  # the first biases are drawn by torch itself
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
