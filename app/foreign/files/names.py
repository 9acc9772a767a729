"""What the experts of a checkpoint that is not ours are called."""

import re
from collections.abc import Sequence
from typing import Any


def expert_names(config: dict[str, Any], towers: Sequence[str]) -> tuple[str, ...]:
    """One name a tower: what the config says, else what tells the towers' places in the network apart
    (`ru_model` and `zh_model`: RU, ZH), else E1, E2, …"""
    stated = config.get("expert_names")
    if isinstance(stated, list) and len(stated) == len(towers) and all(isinstance(n, str) and n for n in stated):
        return tuple(n[:24] for n in stated)
    numbered = tuple(f"E{i}" for i in range(1, len(towers) + 1))
    words = [re.split(r"[._]", tower) for tower in towers]
    if len(towers) < 2 or len({len(parts) for parts in words}) > 1:
        return numbered
    different = [column for column in zip(*words, strict=True) if len(set(column)) == len(towers)]
    if not different or not all(part.isalpha() for part in different[-1]):
        return numbered
    return tuple(part.upper() if len(part) <= 3 else part[:24] for part in different[-1])
