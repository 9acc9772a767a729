"""The figures panel: held-out figures of the model on display beside published ones."""

from app.checkpoint.published import published
from app.engine.engine import Engine
from viz.figures import HeldOut, figures_panel
from viz.html import Say


def figures_view(engine: Engine, say: Say) -> str:
    """Held-out figures of the model on display, as its training recorded them, beside published ones; empty
    for a model without such a record."""
    record = engine.bundle.training
    if not record:
        return ""
    experts = record["experts"]
    known: dict[str, dict[str, tuple[float, float | None]]] = {}
    for figure in published():
        known.setdefault(figure.model, {})[figure.benchmark] = figure.percent, figure.interval
    held = HeldOut(
        record["bits_per_character"],
        {name: run["tokens"] for name, run in experts.items()},
        {name: run["minutes"] for name, run in experts.items()},
    )
    return figures_panel(held, known, say)
