"""The tabs of the page: their names, what stands in each, and which one an address asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

TABS: Mapping[str, tuple[str, ...]] = {
    "read": ("glyphs", "components", "experts", "disagreement"),
    "layers": ("layers", "lens", "depth"),
    "words": ("words", "own-words"),
    "break": ("patching", "comparison", "findings", "exchange", "drawing", "attribution", "lab"),
    "proof": ("proof", "controls", "figures", "report"),
    "lesson": ("lesson",),
}
"""Name -> ids of the components in it, from top to bottom; what is not here stands above the tabs."""

SLIDES: Mapping[str, tuple[str, ...]] = {
    "read": ("slide-glyphs", "slide-experts", "disagreement"),
    "layers": ("layers", "lens", "depth"),
    "words": ("slide-words",),
    "break": tuple(
        f"fold-{name}"
        for name in ("patching", "comparison", "findings", "exchange", "drawing", "attribution", "attention", "lab")
    ),
    "proof": ("slide-proof", "controls", "figures", "report"),
    "lesson": ("lesson",),
}
"""Tab -> ids of what fills the window when it is presented (`assets/page/present.js`): a panel with its controls."""

FOLDS = ("patching", "comparison", "findings", "exchange", "drawing", "attribution", "attention")
"""The instruments of "Try to break it" that fold, from top to bottom."""

TEXT_TABS = ("read", "layers")
"""Those whose panels show the text; the others show the model."""


def known_tab(name: Any) -> str:
    """The tab of this name; the first one for an unknown name."""
    return next((tab for tab in TABS if isinstance(name, str) and tab == name), "read")


def without(filled: Iterable[str] | None, *stale: str) -> tuple[str, ...]:
    """The tabs that are still up to date once these are not."""
    return tuple(tab for tab in filled or () if tab not in stale)
