"""Linear maps as they run: as stored, in bfloat16 laid out anew for the processor, in int8."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from app.foreign.compute.norms import linear
from app.system.memory import page_out
from app.system.timing import fastest

Kernel = Literal["vector", "matrix", "blocked"]
"""How one row times a bfloat16 matrix is computed: by the product with a vector, with a matrix of one row, or
with a matrix laid out in blocks (a copy).  Which is fastest differs by a factor of three among processors."""

_SAMPLE = (4_096, 1_024)
_SAMPLES = 8
_MANY = 16  # rows from which on the arithmetic counts more than the reading


@dataclass(frozen=True, eq=False)
class Map:
    """A linear map as stored: weight (out, in), bias (out,) or None.  widen: whether many rows are multiplied in
    float32, though weights are bfloat16."""

    weight: Tensor
    bias: Tensor | None
    kernel: Kernel = "matrix"
    widen: bool = False

    @property
    def numbers(self) -> int:
        """How many weights one token reads."""
        return self.weight.numel()

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out), computed in the type of x."""
        if self.widen and x.numel() >= _MANY * x.shape[-1]:
            return linear(x.float(), self.weight, self.bias).to(x.dtype)
        if self.kernel == "vector" and x.numel() == x.shape[-1] and x.dtype == self.weight.dtype:
            y = torch.mv(self.weight, x.reshape(-1))
            return (y if self.bias is None else y + self.bias).view(*x.shape[:-1], -1)
        return linear(x, self.weight, self.bias)


class Blocked:
    """A linear map in bfloat16, laid out once in the blocks that oneDNN reads fastest; many rows go through the
    map as stored where that is to be widened."""

    def __init__(self, whole: Map) -> None:
        self.numbers = whole.numbers
        self._whole = whole if whole.widen else None
        self._bias = whole.bias
        self._packed = torch.ops.mkldnn._reorder_linear_weight(whole.weight.contiguous(), None)

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out), bfloat16."""
        if self._whole is not None and x.numel() >= _MANY * x.shape[-1]:
            return self._whole(x)
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x.contiguous(), self._packed, self._bias, "none", [], None)
        return y


class Packed:
    """A linear map in int8, one scale for each output; what it reads is cut to int8 as it comes."""

    def __init__(self, whole: Map) -> None:
        torch.backends.quantized.engine = "x86"
        self.numbers = whole.numbers
        weight = whole.weight.float()
        scales = (weight.abs().amax(1) / 127).clamp_min(1e-12).double()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch gives up quantised tensors, but keeps these kernels
            cut = torch.quantize_per_channel(weight, scales, torch.zeros(len(weight), dtype=torch.long), 0, torch.qint8)
            self._packed = torch.ops.quantized.linear_prepack(cut, None if whole.bias is None else whole.bias.float())

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out), float32."""
        y: Tensor = torch.ops.quantized.linear_dynamic(x.float().contiguous(), self._packed, True)
        return y


def in_blocks(whole: Map) -> Map | Blocked:
    """A bfloat16 map for the kernel that is fastest here; where that is a copy, the memory that the file's
    pages took is given back."""
    threads = torch.get_num_threads()
    kernel = fastest_kernel(threads)
    arranged = Map(whole.weight, whole.bias, kernel, widening_pays(threads))
    if kernel != "blocked":
        return arranged
    blocked = Blocked(arranged)
    release_weights(whole)
    return blocked


def in_int8(whole: Map) -> Packed:
    """A map in int8; the memory that the file's pages took is given back."""
    packed = Packed(whole)
    release_weights(whole)
    return packed


def release_weights(whole: Map) -> None:
    """Give the memory back that the file's pages of a map take: it is not read for now."""
    page_out(whole.weight.data_ptr(), whole.weight.nbytes)


@cache
def blocks_work() -> bool:
    """Whether this processor and this build of torch can lay bfloat16 matrices out in blocks, and get it right."""
    generator = torch.Generator().manual_seed(0)
    weight, row = (torch.rand(size, 64, generator=generator).bfloat16() for size in (32, 1))
    try:
        return torch.allclose(Blocked(Map(weight, None))(row), F.linear(row, weight), rtol=0.02)
    except (AttributeError, RuntimeError, NotImplementedError):
        return False


@cache
def fastest_kernel(threads: int) -> Kernel:
    """The kernel that takes the least time here for one row, with so many threads, timed on matrices of 64 MB."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.rand(_SAMPLE, generator=generator).bfloat16() for _ in range(_SAMPLES)]
    row = torch.rand(1, _SAMPLE[1], generator=generator).bfloat16()
    maps: dict[Kernel, list[Callable[[Tensor], Tensor]]] = {
        kernel: [Map(weight, None, kernel) for weight in weights] for kernel in ("vector", "matrix")
    }
    if blocks_work():
        maps["blocked"] = [Blocked(Map(weight, None)) for weight in weights]
    return fastest({kernel: partial(_all, some, row) for kernel, some in maps.items()})


@cache
def widening_pays(threads: int) -> bool:
    """Whether many rows are multiplied in less than half the time in float32, the widening of the weights included: so
    it is on processors that only emulate bfloat16.  The weights as stored stay in memory for it."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(_SAMPLE, generator=generator).bfloat16()
    rows = torch.rand(4 * _MANY, _SAMPLE[1], generator=generator).bfloat16()
    wide = Map(weight, None, widen=True)
    return fastest({False: partial(Map(weight, None), rows), True: partial(_all, (wide, wide), rows)})


def _all(maps: Sequence[Callable[[Tensor], Tensor]], row: Tensor) -> None:
    for whole in maps:
        whole(row)
