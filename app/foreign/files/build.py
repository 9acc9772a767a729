"""Build a network from a hub-shaped folder that brings its own code, and load its weights.

Code that was not agreed to is never run; code written for transformers 4 is adapted where possible.
"""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from app.foreign.files.family import check_family
from app.foreign.files.weights import check_buffers, load_weights, read_weights
from app.system.transformers_import import transformers_ready
from app.wording.errors import UserError

CODE_KEY = "AutoModelForCausalLM"


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a folder.

    Raises:
        UserError: when it is missing or no JSON object.
    """
    try:
        text = (folder / "config.json").read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError("missing_files", folder=folder.name, files="config.json") from error
    except UnicodeDecodeError as error:
        raise UserError("broken_config", folder=folder.name) from error
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError("broken_config", folder=folder.name) from error
    if not isinstance(config, dict):
        raise UserError("broken_config", folder=folder.name)
    return config


@dataclass(frozen=True, eq=False)
class Built:
    """A network with its weights.  frozen: names of its tensors that no training touches; numbers: how many
    it has in all, trained: those of them that are not frozen; dtype: the format of most of them."""

    network: nn.Module
    frozen: frozenset[str]
    numbers: int
    trained: int
    dtype: torch.dtype


def check_memory(folder: Path) -> None:
    """Refuse weights for which there is no room.

    Raises:
        UserError: with what is needed and what there is, in GB.
    """
    size = sum(path.stat().st_size for pattern in ("*.safetensors", "*.bin") for path in folder.glob(pattern))
    needed, free = 1.5 * size + 0.3e9, free_memory()
    if needed > free:
        raise UserError("no_memory", folder=folder.name, needed=needed / 1e9, free=free / 1e9)


def free_memory() -> float:
    """Bytes that this process may still take: of the machine, and of the container it runs in."""
    free = float("inf")
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = 1024.0 * int(lines["MemAvailable"].split()[0])
        limit, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text().strip() for name in ("max", "current"))
        free = min(free, float(limit) - float(used)) if limit != "max" else free
    except (OSError, KeyError, ValueError):  # another system: nothing is known, nothing is refused
        pass
    return free


def build_network(folder: Path, trusted: bool) -> Built:
    """The network of a folder, in the number format in which its weights are stored, for inference.

    Raises:
        UserError: for a model of another kind, for code that is not trusted or fails, and for missing, damaged or
            pickled weights.
    """
    transformers_ready()
    config = read_config(folder)
    check_family(folder, config)
    weights = read_weights(folder)
    if not config.get("auto_map"):
        return _built(_from_library(folder, config))
    try:
        network = _empty(folder, config, trusted)
    except UserError:
        raise
    except Exception as error:  # whatever code that is not ours raises
        raise _sentence(error, folder.name) from error
    trainable = {key for key, parameter in network.named_parameters(remove_duplicate=False) if parameter.requires_grad}
    if missing := load_weights(network, weights, folder.name, config):
        check_buffers(network, missing, _empty(folder, config, trusted), folder.name)
    return _built(network, trainable)


def _from_library(folder: Path, config: dict[str, Any]) -> nn.Module:
    """A network whose code is part of transformers, which knows its own old names and ties.

    Raises:
        UserError: when the folder lacks weights, or the library cannot build what its config says.
    """
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM, __version__

    try:
        # From what was read, not from the file: the library cannot read one that begins with a byte order mark.
        settings = CONFIG_MAPPING[config["model_type"]].from_dict(config)
        network, found = AutoModelForCausalLM.from_pretrained(
            folder, config=settings, dtype="auto", output_loading_info=True
        )
    except Exception as error:  # whatever the library raises
        name = type(error).__name__
        raise UserError("not_built", folder=folder.name, version=__version__, reason=name) from error
    if found["missing_keys"]:
        missing = sorted(found["missing_keys"])
        raise UserError("missing_weights", folder=folder.name, count=len(missing), first=missing[0])
    loaded: nn.Module = network
    return loaded


def _built(network: nn.Module, trainable: set[str] | None = None) -> Built:
    """A network with its weights; trainable: names of what may be trained, by default all parameters."""
    if trainable is None:
        trainable = {key for key, _ in network.named_parameters(remove_duplicate=False)}
    tensors = dict(network.named_parameters()) | dict(network.named_buffers())
    frozen = frozenset(key for key in tensors if key not in trainable)
    sizes = {key: tensor.numel() for key, tensor in network.named_parameters()}
    half = next((t.dtype for t in network.parameters() if t.dtype != torch.float32), torch.float32)
    trained = sum(count for key, count in sizes.items() if key in trainable)
    network.requires_grad_(False).eval()
    return Built(network, frozen, sum(sizes.values()), trained, half)


def _empty(folder: Path, config: dict[str, Any], trusted: bool) -> nn.Module:
    """A network without weights; with first ones where its code computes with them."""
    try:
        with _without_drawing(), _weights_on_meta():
            network = _instantiate(folder, config, trusted)
        if not any(buffer.is_meta for buffer in network.buffers()):
            return network
    except (NotImplementedError, RuntimeError):
        pass
    return _instantiate(folder, config, trusted)


def _instantiate(folder: Path, config: dict[str, Any], trusted: bool) -> nn.Module:
    from transformers import AutoConfig
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    code = config["auto_map"]
    if not trusted:
        raise UserError("untrusted_code", folder=folder.name)
    reference = code.get(CODE_KEY) or code.get("AutoModel")
    if reference is None:
        raise UserError("no_model_code", folder=folder.name)
    if any("--" in str(place) for place in code.values()):
        raise UserError("code_elsewhere", folder=folder.name)
    model_class = get_class_from_dynamic_module(reference, str(folder))
    if isinstance(getattr(model_class, "_tied_weights_keys", None), list | tuple):
        model_class._tied_weights_keys = None  # transformers 5 wants a mapping; tied here by what is shared
    config_class = (
        get_class_from_dynamic_module(code["AutoConfig"], str(folder))
        if "AutoConfig" in code
        else getattr(model_class, "config_class", None) or AutoConfig
    )
    marked = (folder / "config.json").read_bytes().startswith(codecs.BOM_UTF8)  # the library cannot read such a file
    settings = config_class.from_dict(config) if marked else config_class.from_pretrained(folder)
    network: nn.Module = model_class(settings)
    return network


@contextmanager
def _without_drawing() -> Iterator[None]:
    """Skip drawing first weights at random: all of them are replaced."""
    names = [name for name in dir(nn.init) if name.endswith("_") and not name.startswith("_")]
    kept = {name: getattr(nn.init, name) for name in names}
    try:
        for name in names:
            setattr(nn.init, name, lambda tensor, *_, **__: tensor)
        yield
    finally:
        for name, function in kept.items():
            setattr(nn.init, name, function)


@contextmanager
def _weights_on_meta() -> Iterator[None]:
    """Give new parameters no memory; buffers (rotary tables, masks) are computed as ever."""
    register = nn.Module.register_parameter
    kept: dict[int, tuple[nn.Parameter, nn.Parameter]] = {}  # by identity, alive, so that shared ones stay shared

    def on_meta(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None and not parameter.is_meta:
            pair = kept.get(id(parameter))
            if pair is None:
                pair = parameter, nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)
                kept[id(parameter)] = pair
            parameter = pair[1]
        register(module, name, parameter)

    nn.Module.register_parameter = on_meta  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def _sentence(error: Exception, folder: str) -> UserError:
    """What went wrong in code that is not ours, without paths or what it quotes: a name that it wants and that
    is not here, or the kind of the error."""
    wanted = re.search(r"cannot import name '([\w.]+)' from '([\w.]+)'", str(error))
    packages = re.search(r"packages that were not found in your environment: ([\w, .-]+?)\. Run", str(error))
    if wanted:
        return UserError("old_code", folder=folder, name=f"{wanted[2]}.{wanted[1]}")
    if packages:
        return UserError("old_code", folder=folder, name=packages[1])
    if isinstance(error, ImportError) and error.name:
        return UserError("old_code", folder=folder, name=error.name)
    return UserError("foreign_code", folder=folder, reason=type(error).__name__)
