"""Trained experts as small files, to be carried from the machine that trained them: half precision, without the frozen
table that the work folder has anyway and without the optimizers' states."""

import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from app.training.checkpoints import MEAN_FACTS, load_embedding, read_checkpoint, write_checkpoint
from app.training.corpus import TextError

LARGEST_FILE = 15_000_000
"""Bytes of weights in one file at most."""

_FACTS = ("step", "seconds", "shape", "recipes", "substrate", *MEAN_FACTS)


def pack_expert(work: Path, name: str, folder: Path) -> list[Path]:
    """Write an expert's checkpoint as `NAME-1.safetensors`, `NAME-2.safetensors`, … and its curve."""
    state = read_checkpoint(work, name)
    table = state["model"]["embedding"].cpu()
    kept = {key: value.half().cpu().contiguous() for key, value in state["model"].items() if key != "embedding"}
    if not torch.equal(table, load_embedding(work)):  # trained along, permuted or random
        kept["embedding"] = table.half().contiguous()
    facts = {"facts": json.dumps({key: state[key] for key in _FACTS if key in state})}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, part in enumerate(_parts(kept), 1):
        written.append(folder / f"{name}-{number}.safetensors")
        save_file(part, written[-1], metadata=facts)
    shutil.copy(work / f"{name}.curve.jsonl", folder)
    return written


def unpack_expert(folder: Path, name: str, work: Path) -> None:
    """Write a packed expert back as `NAME.pt` of a work folder; trained on, it begins with fresh optimizers.

    Raises:
        TextError: when there are no such files.
    """
    files = sorted(folder.glob(f"{name}-?.safetensors"))
    if not files:
        raise TextError(f"{folder} has no {name}-1.safetensors: pack that expert first.")
    weights: dict[str, Tensor] = {"embedding": load_embedding(work)}
    for path in files:
        with safe_open(path, "pt") as file:
            facts = json.loads(file.metadata()["facts"])
            weights |= {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    shutil.copy(folder / f"{name}.curve.jsonl", work)
    write_checkpoint(work, name, {"model": weights, "optimizers": [], **facts})
    read_checkpoint(work, name)  # refuses one of another tokenizer or table


def _parts(weights: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Weights in as few parts of at most `LARGEST_FILE` bytes as filling one after the other gives."""
    parts: list[dict[str, Tensor]] = [{}]
    room = LARGEST_FILE
    for key, value in weights.items():
        if value.nbytes > room and parts[-1]:
            parts.append({})
            room = LARGEST_FILE
        parts[-1][key] = value
        room -= value.nbytes
    return parts
