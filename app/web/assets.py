"""The page's own style sheets, `assets/page/`, and their order."""

from pathlib import Path

PAGE = Path(__file__).parent.parent / "assets" / "page"

STYLES = (
    *("colours", "gradio", "marks", "header", "prompt", "panel", "legend", "player", "strip", "sides"),
    *("glyphs", "lab", "experts", "alone", "disagreement", "layers", "words", "lens", "charts", "proof", "report"),
    *("link", "recover", "tour", "first"),
)
"""The style sheets in the order of the cascade: what all share, the panels from top to bottom, what lies over them.
Among rules of one weight the later wins, so a panel may refine what is shared, and no panel another one."""

FIRST_STYLES = ("colours", "marks", "header", "prompt", "panel", "strip", "sides", "first")
"""Those that the first view needs; it is in the page before any of them could be fetched."""


def style_paths() -> list[Path]:
    """The files of the style sheets, for Gradio, which puts them one after the other."""
    return [PAGE / f"{name}.css" for name in STYLES]


def first_style() -> str:
    """The style of the first view."""
    return "".join((PAGE / f"{name}.css").read_text(encoding="utf-8") for name in FIRST_STYLES)
