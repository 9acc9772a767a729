"""What a checkpoint folder's training record says of the text that its experts read."""

import re
from collections.abc import Mapping
from typing import Any

_PAIRS = re.compile(r"[a-z]{2}-[a-z]{2}")
"""Name of a stream of sentences with their translations, `en-ru`; other streams are text of one language."""


def translated_share(training: Mapping[str, Any]) -> float:
    """Largest share (0 to 1) that sentences with their translations had in any mix that an expert was trained on;
    0 for a folder without a record.  training: what `training.json` holds."""
    mixes = [recipe["mix"] for expert in training.get("experts", {}).values() for recipe in expert.get("recipes", ())]
    return max((_share_of_pairs(mix) for mix in mixes), default=0.0)


def _share_of_pairs(mix: Mapping[str, float]) -> float:
    return sum(share for name, share in mix.items() if _PAIRS.fullmatch(name)) / sum(mix.values())
