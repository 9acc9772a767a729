"""What each expert alone would write, side by side with their fusion."""

from html import escape

from viz.html import Say, panel, visible

_SIDES = ("first", "fused", "second")


def alone_panel(prompt: str, texts: tuple[str, ...], experts: tuple[str, ...], say: Say, writing: bool) -> str:
    """Three continuations of one prompt: of the first expert, the fusion, the second."""
    names = (experts[0], say("fused"), experts[1])
    columns = "".join(
        f"<div class='gs-column gs-{side}'><h3>{escape(name)}</h3>"
        f"<p class='gs-writes'><span>{escape(_readable(prompt))}</span><b>{escape(_readable(text))}</b></p></div>"
        for side, name, text in zip(_SIDES, names, texts, strict=True)
    )
    same = len(set(texts)) == 1
    summary = say("writing") if writing else say("alone_same") if same else say("alone_summary", count=len(set(texts)))
    state = "writing" if writing else "done"
    body = f"<div class='gs-columns' data-alone='{state}'>{columns}</div>"
    return panel(say, "alone", body, summary)


def _readable(text: str) -> str:
    """Running text: spaces stay spaces, only control characters are named."""
    return "".join(c if c == " " else visible(c) for c in text)
