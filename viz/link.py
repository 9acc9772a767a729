"""The box with a link to copy, its QR code, and the frame for another site."""

from html import escape

from viz.html import Say
from viz.templates import rendered


def link_box(address: str, framed: str, height: int, code: str, say: Say) -> str:
    """`address`: the link; `framed`: that of the frame, of so many pixels' height; `code`: an SVG element, or nothing
    where the link is too long for one."""
    snippet = (
        f'<iframe src="{escape(framed, quote=True)}" title="Glyphscope" width="100%" height="{height}" '
        'style="border:0"></iframe>'
    )
    return rendered("link.html", address=address, snippet=snippet, code=code, say=say)


def view_holder(data: str) -> str:
    """JSON that the page's script reads."""
    return f"<span class='gs-view' data-view='{escape(data, quote=True)}' hidden></span>"
