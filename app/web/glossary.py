"""The glossary: 25 words at the most, each with one sentence, in a dialog of the page (`assets/page/glossary.js`).

Those in `MARKED` are terms of the field: wherever a panel uses one of their forms, the page links it to its entry, and
shows the sentence there.  A form that ends in * may go on with any letters, for languages that inflect.
"""

from pathlib import Path

from app.wording.catalogue import say
from viz.templates import renderer

PLAIN = ("token", "vector", "layer", "state", "expert", "fusion", "lens", "head")
"""What the page is about."""
MARKED = (
    "logit", "log_odds", "nat", "bit", "bhattacharyya", "jensen_shannon", "kl", "entropy", "cosine", "purity",
    "trustworthiness", "components", "umap", "cka", "rsa", "dimension", "bleu",
)  # fmt: skip
"""Units and measures."""

rendered = renderer(Path(__file__).with_name("templates"))


def glossary_html(language: str) -> str:
    """The dialog, closed."""
    plain = [(word, say(f"term_{word}", language), say(f"gloss_{word}", language), "") for word in PLAIN]
    marked = [
        (term, say(f"term_{term}", language), say(f"gloss_{term}", language), say(f"forms_{term}", language))
        for term in MARKED
    ]
    return rendered(
        "glossary.html",
        title=say("glossary", language),
        close=say("glossary_close", language),
        entries=plain + marked,
    )
