"""The figures panel: held-out figures of the model on display beside published ones."""

from app.checkpoint.published import FUSED, published, published_bleu
from app.engine.engine import Engine
from viz.figures import HeldOut, Translation, figures_panel
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
    return figures_panel(held, known, _translation(record.get("translation", {})), say)


def _translation(scores: dict[str, dict[str, dict[str, float]]]) -> Translation | None:
    """The record of translation beside what is published of the large model, if there is one."""
    if not scores:
        return None
    known = {direction: published_bleu(direction) for direction in scores}
    return Translation(
        scores, FUSED, {direction: (f.percent, f.interval) for direction, f in known.items() if f is not None}
    )
