"""A checkpoint folder as the demo reads it, in the shape a model hub has.

config.json            sizes, names of the experts, special tokens
model.safetensors      both experts and the one frozen table, half precision
tokenizer.json         the BPE tokenizer, with tokenizer_config.json for transformers
substrate.safetensors  the pictures and the PCA basis behind the frozen table
modeling_bvv_moe.py    the network for transformers, with the two files that it imports (`standalone`)
SHA256SUMS             checksums of the others
training.json          loss curves, held-out figures, languages, the commands that made them
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from app.checkpoint.checksums import damaged_files, write_checksums
from app.checkpoint.import_report import Report
from app.checkpoint.standalone import write_modelling_files
from app.network.experts import StackedExperts
from app.network.interface import Network, Shape
from app.substrate.glyphs import Substrate, read_substrate
from app.substrate.vocabulary import with_start
from app.system.lfs import refuse_pointers
from app.wording.errors import UserError

MINI = Path(__file__).parents[2] / "assets" / "mini"
START = "</s>"
"""The token before every text, which also ends it."""
_PREFIX = "model."  # transformers' name of the network inside its wrapper class
_FILES = ("config.json", "model.safetensors", "tokenizer.json", "substrate.safetensors")


@dataclass(frozen=True, eq=False)
class Bundle:
    """A loaded checkpoint."""

    name: str
    folder: str
    """Its name, empty for the bundled one."""
    model: Network
    tokenizer: Tokenizer
    substrate: Substrate
    experts: tuple[str, ...]
    """Their names."""
    start: int
    """The id put before every text."""
    training: dict[str, Any]
    """What training.json says; empty if there is none."""
    ends: tuple[int, ...] = ()
    """Other ids that end a text."""
    fusion: str = "mean"
    """How the experts' logits become the network's: `mean`, `weighted`, or anything else, which only the network itself
    can do."""
    weights: tuple[float, ...] | None = None
    """(E,): where the fusion is `weighted`."""
    report: Report | None = None
    """How a checkpoint that is not ours was understood."""

    @property
    def additive(self) -> bool:
        """Whether each expert has an exact share in every logit."""
        return self.fusion in ("mean", "weighted")

    @property
    def adjustable(self) -> bool:
        """Whether other weights of two experts are fusions of the same kind."""
        weights = self.weights or (0.5, 0.5)
        fits = abs(sum(weights) - 1) < 1e-3 and all(0 <= weight <= 1 for weight in weights)
        return self.additive and len(self.experts) == 2 and fits


def is_ours(folder: Path) -> bool:
    """Whether a folder has, or should have, the shape that `write_bundle` gives it: by what its config says."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8-sig")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return False
    return bool(kind == "bvv_moe" and (folder / "substrate.safetensors").is_file())


def load_bundle(folder: Path = MINI) -> Bundle:
    """Load a checkpoint folder for inference, float32.

    Raises:
        UserError: when a file is missing or does not fit the others.
    """
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise UserError("missing_files", folder=folder.name, files=", ".join(missing))
    refuse_pointers(folder / name for name in _FILES)
    if damaged := damaged_files(folder, _FILES):
        raise UserError("damaged_files", folder=folder.name, files=", ".join(damaged))
    try:
        return _loaded(folder)
    except Exception as error:  # truncated or damaged, of any kind; other names or shapes
        raise UserError("broken_weights", folder=folder.name) from error


def _loaded(folder: Path) -> Bundle:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8-sig"))
    model = StackedExperts(shape_of(config))
    stored = load_file(folder / "model.safetensors")
    model.load_state_dict({key.removeprefix(_PREFIX): value for key, value in stored.items()})
    model.requires_grad_(False).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokens = tuple(tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size()))
    log = folder / "training.json"
    return Bundle(
        name=config.get("_name_or_path") or folder.name,
        folder="" if folder.resolve() == MINI.resolve() else folder.resolve().name,
        model=model,
        tokenizer=tokenizer,
        substrate=read_substrate(folder / "substrate.safetensors", tokens, model.embedding.numpy()),
        experts=tuple(config["expert_names"]),
        start=config["bos_token_id"],
        training=json.loads(log.read_text(encoding="utf-8")) if log.is_file() else {},
    )


def model_name(folder: Path) -> str:
    """What a folder's config.json calls its model, else the folder's own name."""
    try:
        named = json.loads((folder / "config.json").read_text(encoding="utf-8-sig")).get("_name_or_path")
    except (OSError, ValueError, AttributeError):
        named = None
    return str(named or folder.resolve().name)


def shape_of(config: dict[str, Any]) -> Shape:
    """Sizes from a config.json (transformers' names)."""
    return Shape(
        vocabulary=config["vocab_size"],
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        experts=config["num_experts"],
        context=config["max_position_embeddings"],
    )


def take_expert(folder: Path, name: str, model: StackedExperts) -> dict[str, Any]:
    """Load one expert of a checkpoint folder into a one-expert network; returns its training record.

    The network gets the folder's frozen table: drawn and projected on another machine, the same
    pictures can give other last bits.

    Raises:
        ValueError: when the two tables differ by more than such rounding.
    """
    bundle = load_bundle(folder)
    if not torch.allclose(bundle.model.embedding, model.embedding.cpu(), atol=1e-3):
        raise ValueError("The checkpoint was trained on another frozen embedding: prepare with the same text.")
    assert isinstance(bundle.model, StackedExperts), "a network with weights of our own shape"
    index = bundle.experts.index(name)
    stacked = bundle.model.state_dict()
    model.load_state_dict({k: v if k == "embedding" else v[index : index + 1].clone() for k, v in stacked.items()})
    return dict(bundle.training["experts"][name])


def merge(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Stack single experts' weights (each with an expert axis of 1) into one network's.

    Raises:
        ValueError: when the experts were not trained on one and the same frozen table.
    """
    table = states[0]["embedding"]
    if not all(torch.equal(state["embedding"], table) for state in states):
        raise ValueError("The experts do not share one frozen embedding: train them in one work folder.")
    merged = {key: torch.cat([state[key] for state in states]) for key in states[0] if key != "embedding"}
    return {"embedding": table, **merged}


def write_bundle(
    folder: Path, work: Path, states: dict[str, dict[str, Tensor]], shape: Shape, training: dict[str, Any]
) -> None:
    """Write experts `{name: weights}` of a training work folder as a checkpoint folder, half precision.

    The model keeps the name that the folder's config.json gives it, if there is one; else it is called like the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {_PREFIX + key: value.half().contiguous() for key, value in merge(list(states.values())).items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["BVVMoEForCausalLM"],
        "model_type": "bvv_moe",
        "_name_or_path": model_name(folder),
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_experts": len(states),
        "expert_names": list(states),
        "max_position_embeddings": shape.context,
        "bos_token_id": 2,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "dtype": "float32",
    }
    write_json(folder / "config.json", config)
    write_modelling_files(folder)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.context,
            "model_input_names": ["input_ids", "attention_mask"],
            "pad_token": "<pad>",
            "bos_token": START,
            "eos_token": START,
            "unk_token": "<unk>",
            "clean_up_tokenization_spaces": False,
        },
    )
    write_json(folder / "training.json", training)
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    with_start(tokenizer, START).save(str(folder / "tokenizer.json"))
    with safe_open(work / "substrate.safetensors", "pt") as file:
        kept = {name: file.get_tensor(name) for name in ("pictures", "mean", "components")}
        save_file(kept, folder / "substrate.safetensors", metadata=file.metadata())
    for name in _FILES:
        (folder / name).chmod(0o644)  # safetensors writes for the owner only
    write_checksums(folder)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write a record of a checkpoint folder."""
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
