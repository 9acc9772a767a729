"""Watch a network that is not ours while it reads a text: every module's input and output, in order.

What a module is gets decided by what it does (`app.foreign.anatomy.towers`), never by what it is called.
"""

import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from app.foreign.compute.widened import float32


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module.  given and gave: its first tensor in and out, float32, without the batch axis
    (T, width) where there was one; ids stay integers (T,).  raw: what it gave, as it gave it."""

    name: str
    module: nn.Module
    given: Tensor
    gave: Tensor
    raw: Any


@dataclass(frozen=True, eq=False)
class Observation:
    """ids (T,) as read, logits (T, V) as the network gave them, and all calls in the order in which they
    ended."""

    ids: Tensor
    logits: Tensor
    calls: tuple[Call, ...]


_IDS = ("input_ids", "idx", "ids", "tokens", "token_ids", "input", "inputs", "x", "inp", "src")
"""Usual names of the argument that takes ids."""


class Reader:
    """A network and the plainest way to call it: the arguments that its `forward` requires and, for networks that
    return only the last position's logits unless they are given labels, the text itself as labels."""

    def __init__(self, model: nn.Module, vocabulary: int) -> None:
        """vocabulary: what the config says; the network's own logits decide.

        Raises:
            ValueError: when the network returns no logits for every position.
        """
        self.model, self.vocabulary = model, vocabulary
        self.lock = threading.RLock()
        """Held while the network is changed for a moment: its hooks, its parts, its number format."""
        self._known = inspect.signature(model.forward).parameters
        self._ids = next((name for name in self._known if name in _IDS), next(iter(self._known), "input_ids"))
        self._targets: str | None = None
        probe = torch.arange(5)[None]
        with torch.inference_mode(), in_float32(model):
            found = _logits_in(self._call(probe), 5, vocabulary)
            for name in ("labels", "targets", "target"):
                if found is None and name in self._known:
                    self._targets = name
                    found = _logits_in(self._call(probe), 5, vocabulary)
        if found is None:
            raise ValueError("it gives no logits")
        self.vocabulary = int(found.shape[-1])

    def __call__(self, ids: Tensor) -> Tensor:
        """Logits (1, T, V) of ids (1, T), in the network's own number format."""
        found = _logits_in(self._call(ids), ids.shape[1], self.vocabulary)
        if found is None:
            raise ValueError("it gives no logits")
        return found

    def _call(self, ids: Tensor) -> Any:
        options: dict[str, Any] = {}
        for name, parameter in self._known.items():
            named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if parameter.default is parameter.empty and named and name != self._ids:
                options[name] = _demanded(name, ids)
        if "use_cache" in self._known:
            options["use_cache"] = False
        if self._targets:
            options[self._targets] = ids
        kind = self._known[self._ids].kind if self._ids in self._known else None
        if kind in (None, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            return self.model(ids, **options)
        if kind == inspect.Parameter.VAR_KEYWORD:
            return self.model(input_ids=ids, **options)
        return self.model(**{self._ids: ids}, **options)


def _demanded(name: str, ids: Tensor) -> Any:
    """A value for an argument that has no default."""
    if "mask" in name:
        return torch.ones_like(ids)
    if "position" in name:
        return torch.arange(ids.shape[1])[None]
    return 0 if any(part in name for part in ("start", "offset", "past_len", "pos")) else None


@torch.inference_mode()
def observe(reader: Reader, ids: Sequence[int]) -> Observation:
    """Let a network read ids, computing in float32, and record every call."""
    calls: list[Call] = []

    def record(name: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], keywords: dict[str, Any], gave: Any) -> None:
            first, out = stream((*given, *keywords.values()), gave)
            if first is not None and out is not None:
                calls.append(Call(name, module, _plain(first), _plain(out), gave))

        return hook

    with ExitStack() as stack:
        stack.enter_context(in_float32(reader.model))
        for name, module in reader.model.named_modules():
            handle = module.register_forward_hook(record(name), with_kwargs=True)
            stack.callback(handle.remove)
        logits = reader(torch.tensor([list(ids)]))
    return Observation(torch.tensor(list(ids)), logits[0].float(), tuple(calls))


def stream(given: Any, gave: Any) -> tuple[Tensor | None, Tensor | None]:
    """What flows through a module: the first float tensors of one shape that it was given and gave (not a mask
    beside them), else the first tensor of each."""
    before = [t for t in tensors_in(given) if t.is_floating_point() and t.dim() > 1]
    for after in tensors_in(gave):
        if (same := next((t for t in before if t.shape == after.shape), None)) is not None:
            return same, after
    return first_tensor(given), first_tensor(gave)


def _logits_in(output: Any, length: int, vocabulary: int) -> Tensor | None:
    """The logits (1, T, V) in whatever a network returned: a tensor, a tuple, a dict, a record."""
    named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    tensors = [t for t in (named, *tensors_in(output)) if isinstance(t, Tensor) and t.is_floating_point()]
    fitting = [t for t in tensors if t.dim() == 3 and t.shape[:2] == (1, length)]
    exact = [t for t in fitting if t.shape[-1] == vocabulary]
    if isinstance(named, Tensor) or len(exact) < 2:
        widest = sorted(fitting, key=lambda t: -t.shape[-1]) if vocabulary == 0 else []
        return next(iter((*exact, *(t for t in fitting if t is named), *widest)), None)
    return _blend(exact)


def _blend(several: list[Tensor]) -> Tensor:
    """Of several logits that a network returned without a name, those that the others add up to with weights of 0
    to 1: the fusion; else the first."""
    for one in several:
        others = [other for other in several if other is not one and not torch.equal(other, one)]
        if others:
            columns = torch.stack([other.flatten() for other in others], 1).double()
            weights = torch.linalg.lstsq(columns, one.flatten()[:, None].double(), driver="gelsd").solution
            fits = torch.allclose(columns @ weights, one.flatten()[:, None].double(), rtol=1e-3, atol=1e-4)
            if fits and bool(((weights > 1e-3) & (weights < 1 + 1e-3)).all()):
                return one
    return several[0]


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
    elif hasattr(value, "__dataclass_fields__"):
        yield from tensors_in(list(vars(value).values()))


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


_PRODUCTS = {
    F.linear, torch.matmul, Tensor.matmul, Tensor.__matmul__, Tensor.__rmatmul__, torch.mm, Tensor.mm, torch.bmm,
    Tensor.bmm, torch.addmm, torch.baddbmm, torch.einsum, F.scaled_dot_product_attention, F.layer_norm, F.rms_norm,
    F.conv1d,
}  # fmt: skip


class _Widening(TorchFunctionMode):
    """Products of tensors of several number formats are computed in float32: for code that reads the weights
    of a part without calling it (a head that is the table, say)."""

    def __torch_function__(self, function: Any, types: Any, given: Any = (), keywords: Any = None) -> Any:
        keywords = keywords or {}
        if function in _PRODUCTS and torch.float32 in {t.dtype for t in tensors_in((given, keywords))}:
            given, keywords = _widened(given), _widened(keywords)
        return function(*given, **keywords)


def _widened(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
    if isinstance(value, Mapping):
        return {key: _widened(part) for key, part in value.items()}
    return type(value)(_widened(part) for part in value) if type(value) in (list, tuple) else value


@contextmanager
def in_float32(model: nn.Module) -> Iterator[None]:
    """Compute in float32 with weights stored in half precision: each module's own weights are widened
    while it runs and narrowed again, so that only one layer at a time takes the room."""
    kept: dict[int, list[Tensor]] = {}

    def widen(module: nn.Module, _: Any) -> None:
        for weight in own_tensors(module):
            if weight.is_floating_point() and weight.dtype != torch.float32:
                kept.setdefault(id(weight), []).append(weight.data)
                weight.data = float32(weight.data)

    def narrow(module: nn.Module, _: Any, output: Any) -> Any:
        for weight in own_tensors(module):
            if kept.get(id(weight)):
                weight.data = kept[id(weight)].pop()
        return output

    def read(module: nn.Module, _: Any, output: Tensor) -> Tensor:
        return output.float()  # a table is read row by row: widening the rows is enough

    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(_Widening())
        torch.backends.mha.set_fastpath_enabled(False)  # it would pass the parts by
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                stack.callback(module.register_forward_hook(read).remove)
            elif any(tensor.is_floating_point() and tensor.dtype != torch.float32 for tensor in own_tensors(module)):
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
