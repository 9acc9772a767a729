"""The weights of a hub-shaped folder, and how they get into a network.  Nothing is unpickled.

They are loaded here, not by `from_pretrained`, so that a class without `post_init()`, or with a list of tied
weights, works as well as any other.
"""

import json
from collections import defaultdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from app.system.lfs import refuse_pointers
from app.wording.errors import UserError


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All weights of a folder, memory-mapped where the format allows it.

    Raises:
        UserError: when there are none, when they were not fetched, are damaged or hold more than tensors.
    """
    try:
        files = _weight_files(folder, "model", "safetensors")
        pickles = [] if files else _weight_files(folder, "pytorch_model", "bin")
        refuse_pointers([*files, *pickles])
        if files:
            return {name: tensor for file in files for name, tensor in load_file(file).items()}
        if not pickles:
            raise UserError("missing_files", folder=folder.name, files="model.safetensors")
        parts = [torch.load(file, map_location="cpu", weights_only=True, mmap=True) for file in pickles]
        return {name: tensor for part in parts for name, tensor in part.items() if isinstance(tensor, Tensor)}
    except UnpicklingError as error:
        raise UserError("pickled_code", folder=folder.name) from error
    except (SafetensorError, RuntimeError, OSError, EOFError) as error:
        raise UserError("broken_weights", folder=folder.name) from error


def _weight_files(folder: Path, stem: str, ending: str) -> list[Path]:
    """The files with a folder's weights, by the rules of the hub: the one of the usual name, else those that the
    index names, else the numbered ones, else the only one there is.

    Raises:
        UserError: when the index names files that are not there.
    """
    whole, index = folder / f"{stem}.{ending}", folder / f"{stem}.{ending}.index.json"
    if whole.is_file():
        return [whole]
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise UserError("broken_weights", folder=folder.name) from error
        files = [folder / Path(str(name)).name for name in names]
        if missing := [file.name for file in files if not file.is_file()]:
            raise UserError("missing_files", folder=folder.name, files=", ".join(missing[:3]))
        return files
    numbered = sorted(folder.glob(f"{stem}-*-of-*.{ending}"))
    return numbered or (only if len(only := list(folder.glob(f"*.{ending}"))) == 1 else [])


def load_weights(network: nn.Module, weights: dict[str, Tensor], name: str, config: dict[str, Any]) -> list[str]:
    """Put weights into a network that has none yet; weights that are one tensor stay one.  Returns the names of
    buffers that the folder lacks: they are as the code made them.

    Raises:
        UserError: when the network needs a weight that the folder lacks, or one of another shape.
    """
    shared: dict[int, list[str]] = defaultdict(list)
    for key, parameter in network.named_parameters(remove_duplicate=False):
        shared[id(parameter)].append(key)
    groups = [keys for keys in shared.values() if len(keys) > 1]
    weights = _fitting(network, weights)
    for keys in groups:
        found = next((weights[key] for key in keys if key in weights), None)
        if found is not None:
            weights |= {key: found for key in keys}
    try:
        missing = set(network.load_state_dict(weights, strict=False, assign=True).missing_keys)
    except RuntimeError as error:  # other shapes
        raise UserError("broken_weights", folder=name) from error
    if missing:
        _tie(network, config)
    parameters = dict(network.named_parameters(remove_duplicate=False))
    filled = {id(parameter) for key, parameter in parameters.items() if key not in missing and not parameter.is_meta}
    if empty := [key for key, parameter in parameters.items() if id(parameter) not in filled]:
        raise UserError("missing_weights", folder=name, count=len(empty), first=empty[0])
    for keys in groups:
        first = network.get_parameter(keys[0])
        for key in keys[1:]:
            _set(network, key, first)
    return sorted(missing - set(parameters))


def check_buffers(network: nn.Module, missing: list[str], other: nn.Module, folder: str) -> None:
    """Refuse a folder that lacks a buffer which the code draws at random; one that is computed (a mask, say) may be
    missing: another network of the same code has the same.

    Raises:
        UserError: `missing_weights`.
    """
    drawn = [key for key in missing if not torch.equal(network.get_buffer(key), other.get_buffer(key))]
    if drawn:
        raise UserError("missing_weights", folder=folder, count=len(drawn), first=drawn[0])


def _fitting(network: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the network's own names: without what wrappers put in front, or with what it expects."""
    wanted = set(network.state_dict())
    prefix = getattr(network, "base_model_prefix", "") or ""
    best, most = weights, len(wanted & set(weights))
    for front in ("module.", "_orig_mod.", "model.", "transformer.", f"{prefix}."):
        for renamed in (
            {key.removeprefix(front): tensor for key, tensor in weights.items()},
            {front + key: tensor for key, tensor in weights.items()},
            {key.replace(front, ""): tensor for key, tensor in weights.items()},
        ):
            if len(wanted & set(renamed)) > most:
                best, most = renamed, len(wanted & set(renamed))
    return dict(best)


def _tie(network: nn.Module, config: dict[str, Any]) -> None:
    """Let the network share input and output tables, which was the rule before transformers 5 where nothing else
    was said."""
    source, target = (getattr(network, name, None) for name in ("get_input_embeddings", "get_output_embeddings"))
    try:
        table, head = source() if source else None, target() if target else None
    except Exception:  # many models have the method and no answer
        return
    first, second = getattr(table, "weight", None), getattr(head, "weight", None)
    alike = isinstance(first, Tensor) and isinstance(second, Tensor) and first.shape == second.shape
    if alike and head is not None and config.get("tie_word_embeddings", True):
        head.weight = first


def _set(network: nn.Module, key: str, parameter: nn.Parameter) -> None:
    place, _, name = key.rpartition(".")
    setattr(network.get_submodule(place), name, parameter)
