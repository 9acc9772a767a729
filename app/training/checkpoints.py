"""The files of a run in a work folder: its checkpoint, its loss curve, the table that it stands on."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch import Tensor

from app.training.corpus import TextError


def load_embedding(work: Path) -> Tensor:
    """The frozen table (V, d) of a work folder, float32."""
    return torch.from_numpy(load_file(work / "substrate.safetensors")["embedding"].astype(np.float32))


def read_checkpoint(work: Path, name: str, device: torch.device | str = "cpu") -> dict[str, Any]:
    """A run as `app.training.run` saved it; plain tensors only, nothing is unpickled.

    Raises:
        TextError: when there is none, or when it was trained on another tokenizer or table than the work folder has.
    """
    path = work / f"{name}.pt"
    if not path.is_file():
        raise TextError(f"There is no {path}: train that expert first.")
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if state.get("substrate", substrate_checksum(work)) != substrate_checksum(work):
        raise TextError(
            f"{path} was trained on another tokenizer or table than {work} has now: "
            "prepare again with the text of that time, or train anew in another folder."
        )
    return state


def write_checkpoint(work: Path, name: str, state: dict[str, Any]) -> None:
    """Write `<name>.pt`: beside, then renamed."""
    beside = work / f"{name}.new"
    torch.save(state, beside)
    os.replace(beside, work / f"{name}.pt")


def load_weights(work: Path, name: str) -> dict[str, Tensor]:
    """The weights in a run's checkpoint."""
    weights: dict[str, Tensor] = read_checkpoint(work, name)["model"]
    return weights


def read_curve(log: Path) -> list[dict[str, float]]:
    """The loss curve written so far: records of step, tokens, loss (nats a token), rate, seconds."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


MEAN_FACTS = ("mean_of", "shares")
"""What a checkpoint says of weights that are a mean: the steps of its parts, and their shares where they differ."""


def mean_expert(work: Path, name: str, of: Sequence[str], shares: Sequence[float] | None = None) -> None:
    """Write `<name>.pt`: the last of some checkpoints of one expert, with the mean of all their weights, plain unless
    the share of each is given.  A mean lies flatter and often predicts better than each (Izmailov et al. 2018, arXiv
    1803.05407); between a model and what it became on other text, it keeps most of both (Wortsman et al. 2022, arXiv
    2109.01903).  A negative share leads on, away from a checkpoint (Ilharco et al. 2023, arXiv 2212.04089).

    Raises:
        TextError: when there is not one share a checkpoint, or they do not add up to 1.
    """
    if shares is not None and (len(shares) != len(of) or abs(sum(shares) - 1) > 1e-6):
        raise TextError(f"Give one share for each of the {len(of)} checkpoints; together they are 1.")
    states = [read_checkpoint(work, part) for part in of]
    parts = shares or [1 / len(of)] * len(of)
    weights = {}
    for key, last in states[-1]["model"].items():  # in float64: a frozen table, equal in all, stays to the last bit
        both = zip(parts, states, strict=True)
        weights[key] = (
            torch.stack([share * state["model"][key].double() for share, state in both]).sum(0).to(last.dtype)
        )
    shutil.copy(work / f"{of[-1]}.curve.jsonl", work / f"{name}.curve.jsonl")
    made = {"mean_of": [state["step"] for state in states], **({"shares": [*shares]} if shares else {})}
    write_checkpoint(work, name, {**states[-1], "model": weights, **made})


def substrate_checksum(work: Path) -> str:
    """One checksum of a work folder's tokenizer and frozen table: what every number in a checkpoint refers to."""
    digest = hashlib.sha256(json.dumps(_vocabulary(work), sort_keys=True).encode())
    digest.update(load_file(work / "substrate.safetensors")["embedding"].tobytes())
    return digest.hexdigest()


def _vocabulary(folder: Path) -> dict[str, int]:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise TextError(f"There is no {path}: prepare the work folder, or name a checkpoint folder.")
    vocabulary: dict[str, int] = Tokenizer.from_file(str(path)).get_vocab()
    return vocabulary


def check_same_tokenizer(work: Path, origin: Path) -> None:
    """Raise a `TextError` when a checkpoint folder has other tokens than the work folder."""
    if _vocabulary(work) != _vocabulary(origin):
        raise TextError(f"{origin} has another tokenizer than {work}: prepare with --origin {origin}.")
