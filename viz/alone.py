"""What each expert alone would write, side by side with their fusion."""

from viz.html import Say, Table, panel
from viz.templates import rendered
from viz.tokens import visible

_SIDES = ("first", "fused", "second")


def alone_panel(prompt: str, texts: tuple[str, ...], experts: tuple[str, ...], say: Say, writing: bool) -> str:
    """Three continuations of one prompt: of the first expert, the fusion, the second."""
    names = (experts[0], say("fused"), experts[1])
    columns = list(zip(_SIDES, names, map(_readable, texts), strict=True))
    different = len(set(texts))
    state, summary = "done", say("alone_summary", count=different) if different > 1 else say("alone_same")
    if writing:
        state, summary = "writing", say("writing")
    body = rendered("alone.html", state=state, prompt=_readable(prompt), columns=columns)
    if writing:
        return panel(say, "alone", body, summary)
    table = Table({"source": (experts[0], "fused", experts[1])}, {"text": texts})
    return panel(say, "alone", body, summary, {"prompt": prompt}, table)


def _readable(text: str) -> str:
    """Running text: spaces stay spaces, only control characters are named."""
    return "".join(c if c == " " else visible(c) for c in text)
