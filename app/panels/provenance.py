"""What an exported file says it is of: the model and its weights, the text and how it was written, the project's
version.  The page adds the panel, the layer on view and the date (`assets/page/save.js`)."""

from collections.abc import Mapping
from typing import Any

from app.models import LoadedModel
from app.system.version import VERSION
from app.trace.record import Trace

Source = dict[str, Any]


def model_source(model: LoadedModel, **more: Any) -> Source:
    """Of anything about a model."""
    bundle, shape = model.engine.bundle, model.engine.model.shape
    return {
        "project": f"Glyphscope {VERSION}",
        "model": bundle.name,
        **model.identity,
        "experts": list(bundle.experts),
        "layers": f"0 (the frozen picture) to {shape.layers}",
        **more,
    }


def text_source(model: LoadedModel, trace: Trace, **more: Any) -> Source:
    """Of a text that the model read or wrote; more: the token or the settings that a panel shows."""
    sampling: Mapping[str, float] = trace.sampling or {}
    return model_source(
        model,
        text=trace.text,
        prompt_tokens=trace.prompt - 1,
        weights={name: round(float(weight), 6) for name, weight in zip(trace.experts, trace.weights, strict=True)},
        sampling={name: value for name, value in sampling.items() if name != "seed"} or "none: the text was given",
        seed=sampling.get("seed"),
        **more,
    )
