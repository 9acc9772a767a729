"""The tabs of the page: their names, what stands in each, and which one an address asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

TABS: Mapping[str, tuple[str, ...]] = {
    "read": ("glyphs", "components", "experts", "disagreement"),
    "layers": ("layers", "lens", "depth"),
    "words": ("words", "own-words"),
    "break": ("patching", "drawing", "attribution", "lab"),
    "proof": ("proof", "twins", "figures", "report"),
}
"""Name -> ids of the components in it, from top to bottom; what is not here stands above the tabs."""

TEXT_TABS = ("read", "layers")
"""Those whose panels show the text; the others show the model."""


def known_tab(name: Any) -> str:
    """The tab of this name; the first one for a name that is none."""
    return next((tab for tab in TABS if isinstance(name, str) and tab == name), "read")


def without(filled: Iterable[str] | None, *stale: str) -> tuple[str, ...]:
    """The tabs that still show what they should, once these do not."""
    return tuple(tab for tab in filled or () if tab not in stale)
