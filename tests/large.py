"""A checkpoint of the published shape with random weights, written to a folder of one's choice: 2 experts x 16 layers
x 1,024, 32 heads, 131,072 tokens, bfloat16, with code that is not ours.  For measurements; nothing of it is kept here.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from app.vocabulary import build_tokenizer, mini_vocabulary
from tests.folders import CHARACTERS, GRAMS, TWO_TOWERS, instantiate

SIZES = {"vocab_size": 131_072, "n_embed": 1_024, "n_head": 32, "n_layer": 16, "block_size": 1_024}


def write_large(path: Path) -> int:
    """Write the folder; returns the number of weights."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "modeling_quill.py").write_text(TWO_TOWERS, encoding="utf-8")
    places = {"AutoConfig": "modeling_quill.QuillConfig", "AutoModelForCausalLM": "modeling_quill.Quill"}
    (path / "config.json").write_text(json.dumps({"auto_map": places, "model_type": "quill", **SIZES}))
    build_tokenizer(mini_vocabulary(CHARACTERS, GRAMS), spaced_words=True).save(str(path / "tokenizer.json"))
    with torch.device("meta"):
        network = instantiate(path, SIZES)
    generator = torch.Generator().manual_seed(3)
    state = {}
    for name, weight in network.state_dict().items():
        if weight.dim() == 1:
            state[name] = torch.ones(weight.shape) if name.endswith("weight") else torch.zeros(weight.shape)
        else:
            shrink = 5.6 if name.endswith(("mix.weight", "f.2.weight")) else 1.0  # what writes to the residual stream
            state[name] = torch.empty(weight.shape).normal_(0, 0.02 / shrink, generator=generator)
        if name == "glyphs.weight":
            state[name] /= state[name].norm(dim=1, keepdim=True)
        state[name] = state[name].bfloat16()
    save_file(state, path / "model.safetensors", metadata={"format": "pt"})
    return sum(weight.numel() for weight in state.values())
