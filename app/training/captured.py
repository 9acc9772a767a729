"""A training step as one CUDA graph: at this size a graphics card waits for a step's 600 launches, not for its
arithmetic, and replaying them in one go is several times faster."""

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor, float], Tensor]
"""One optimizer step on rows (B, T + 1) at a share of the peak rates -> the loss, a scalar tensor."""

_WARM_UPS = 3


def captured(
    loss_of: Callable[[Tensor], Tensor],
    optimizers: list[torch.optim.Optimizer],
    peaks: list[float],
    finish: Callable[[], None],
    rows: Tensor,
) -> Step:
    """Capture a step.  loss_of: rows -> loss; finish: between backward and the optimizers (clipping); peaks: the
    optimizers' peak rates; rows: a first batch, whose shape all others have.  Weights and optimizer states stay as
    they are."""
    device = rows.device
    rates = [torch.zeros((), device=device) for _ in optimizers]
    for optimizer, rate in zip(optimizers, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
    static = rows.clone()

    def step() -> Tensor:
        loss = loss_of(static)
        loss.backward()  # type: ignore[no-untyped-call]
        finish()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    before = [_states(optimizer) for optimizer in optimizers]
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UPS):
            step()  # at rates of zero: weights stay
    torch.cuda.current_stream().wait_stream(side)
    for optimizer, known in zip(optimizers, before, strict=True):
        _restore(optimizer, known)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        loss = step()

    def replay(batch: Tensor, share: float) -> Tensor:
        static.copy_(batch.pin_memory(), non_blocking=True)
        for rate, peak in zip(rates, peaks, strict=True):
            rate.fill_(peak * share)
        graph.replay()
        return loss.clone()

    return replay


def _states(optimizer: torch.optim.Optimizer) -> dict[Tensor, dict[str, Tensor]]:
    return {weight: {name: value.clone() for name, value in state.items()} for weight, state in optimizer.state.items()}


def _restore(optimizer: torch.optim.Optimizer, known: dict[Tensor, dict[str, Tensor]]) -> None:
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            value.copy_(known[weight][name]) if weight in known else value.zero_()
