"""What kind of model a folder's config.json says it is, before anything of it is built: what cannot be shown here is
named as what it is.

Only for folders that bring no code: what code builds is found out by `app.foreign.anatomy`.
"""

from pathlib import Path
from typing import Any

from app.wording.errors import UserError


def check_family(folder: Path, config: dict[str, Any]) -> None:
    """Refuse a folder that is no decoder which the library knows.

    Raises:
        UserError: `quantised`, `no_kind`, `unknown_kind`, `encoder_decoder`, `no_decoder`.
    """
    if "quantization_config" in config:
        settings = config["quantization_config"]
        method = settings.get("quant_method") if isinstance(settings, dict) else None
        raise UserError("quantised", folder=folder.name, method=str(method or "?")[:40])
    if config.get("auto_map"):
        return
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise UserError("no_kind", folder=folder.name)
    from transformers import CONFIG_MAPPING, __version__
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    if kind not in CONFIG_MAPPING:
        raise UserError("unknown_kind", folder=folder.name, kind=kind[:40], version=__version__)
    built = _names(config.get("architectures"))
    writing = _names(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(kind))
    both = kind in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    if config.get("is_encoder_decoder") is True or (both and not built & writing):
        raise UserError("encoder_decoder", folder=folder.name, kind=kind)
    if not writing or (built and not built & writing and not any(name.endswith("Model") for name in built)):
        raise UserError("no_decoder", folder=folder.name, kind=", ".join(sorted(built) or [kind])[:80])


def _names(value: object) -> set[str]:
    """Names of classes: of a list, of one, or of nothing."""
    if isinstance(value, str):
        return {value}
    return {name for name in value if isinstance(name, str)} if isinstance(value, list | tuple) else set()
