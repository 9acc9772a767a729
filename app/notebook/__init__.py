"""The instrument without its page, for notebooks and scripts.

In: the name of a model, texts, words.  Out: records of NumPy arrays that become tables (pandas), JSON and, in a
notebook, the page's own panels.  May import: `app.models`, `app.panels` and what is below them, and `viz`; no Gradio,
and Plotly only where a figure is drawn.

    from app.notebook import open_model

    scope = open_model("assets/mini")
    scope.write("Мама сказала:", seed=7)
"""

from app.notebook.exports import Export, read_export
from app.notebook.scope import Scope, open_model

__all__ = ["Export", "Scope", "open_model", "read_export"]
