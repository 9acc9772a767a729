"""One module a panel: from traces and measures to the HTML of `viz`.

In: an engine, a trace, the panel settings, a language.  Out: HTML.  May import: `viz`, `app.models` and what is below
it; neither Gradio nor PyTorch.
"""
