"""Watch a network that is not ours while it reads a text: every module's input and output, in order.

What a module is gets decided by what it does (`app.foreign.anatomy`), never by what it is called.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module.  given and gave: its first tensor in and out, float32, without the batch axis
    (T, width) where there was one; ids stay integers (T,)."""

    name: str
    module: nn.Module
    given: Tensor
    gave: Tensor


@dataclass(frozen=True, eq=False)
class Observation:
    """ids (T,) as read, logits (T, V) as the network gave them, and all calls in the order in which they
    ended."""

    ids: Tensor
    logits: Tensor
    calls: tuple[Call, ...]

    def of(self, module: nn.Module) -> Call | None:
        """The first call of a module."""
        return next((call for call in self.calls if call.module is module), None)


@torch.inference_mode()
def observe(model: nn.Module, ids: Sequence[int], vocabulary: int) -> Observation:
    """Let a network read ids, computing in float32, and record every call.

    Raises:
        ValueError: when the output holds no logits over the vocabulary.
    """
    calls: list[Call] = []

    def record(name: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], keywords: dict[str, Any], gave: Any) -> None:
            first, out = first_tensor((*given, *keywords.values())), first_tensor(gave)
            if first is not None and out is not None:
                calls.append(Call(name, module, _plain(first), _plain(out)))

        return hook

    with ExitStack() as stack:
        stack.enter_context(in_float32(model))
        for name, module in model.named_modules():
            handle = module.register_forward_hook(record(name), with_kwargs=True)
            stack.callback(handle.remove)
        output = run(model, torch.tensor([list(ids)]))
    return Observation(torch.tensor(list(ids)), find_logits(output, len(ids), vocabulary)[0].float(), tuple(calls))


def run(model: nn.Module, ids: Tensor) -> Any:
    """Call a causal language model in the plainest way it understands."""
    try:
        return model(input_ids=ids)
    except TypeError:
        return model(ids)


def find_logits(output: Any, length: int, vocabulary: int) -> Tensor:
    """The logits (1, T, V) in whatever a network returned: a tensor, a tuple, a dict, a record.

    Raises:
        ValueError: when there are none.
    """
    named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    for tensor in (named, *tensors_in(output)):
        if isinstance(tensor, Tensor) and tuple(tensor.shape) == (1, length, vocabulary):
            return tensor
    raise ValueError(f"no logits (1, {length}, {vocabulary}) in what the network returned")


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists, mappings and records."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_in(part)


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in nested values."""
    return next(tensors_in(value), None)


def _plain(tensor: Tensor) -> Tensor:
    tensor = tensor.detach()
    if tensor.dim() > 1 and tensor.shape[0] == 1:
        tensor = tensor[0]
    elif tensor.dim() == 3 and tensor.shape[1] == 1:  # positions first
        tensor = tensor[:, 0]
    return (tensor.float() if tensor.is_floating_point() else tensor).clone()


@contextmanager
def in_float32(model: nn.Module) -> Iterator[None]:
    """Compute in float32 with weights stored in half precision: each module's own weights are widened
    while it runs and narrowed again, so that only one layer at a time takes the room."""
    kept: dict[int, list[Tensor]] = {}

    def widen(module: nn.Module, _: Any) -> None:
        for weight in own_tensors(module):
            if weight.is_floating_point() and weight.dtype != torch.float32:
                kept.setdefault(id(weight), []).append(weight.data)
                weight.data = weight.data.float()

    def narrow(module: nn.Module, _: Any, output: Any) -> Any:
        for weight in own_tensors(module):
            if kept.get(id(weight)):
                weight.data = kept[id(weight)].pop()
        return output

    def read(module: nn.Module, _: Any, output: Tensor) -> Tensor:
        return output.float()  # a table is read row by row: widening the rows is enough

    with ExitStack() as stack:
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                stack.callback(module.register_forward_hook(read).remove)
            elif any(True for _ in own_tensors(module)):
                stack.callback(module.register_forward_pre_hook(widen).remove)
                stack.callback(module.register_forward_hook(narrow, always_call=True).remove)
        yield


def own_tensors(module: nn.Module) -> Iterator[Tensor]:
    """Parameters and buffers of the module itself, not those of its parts (but for torch's attention, which
    reads the weights of its parts without calling them)."""
    if isinstance(module, nn.MultiheadAttention | nn.TransformerEncoderLayer):
        yield from (*module.parameters(), *module.buffers())
        return
    for tensor in (*module._parameters.values(), *module._buffers.values()):
        if tensor is not None:
            yield tensor
