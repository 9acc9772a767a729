"""Training of the bundled experts and of the controls: `python -m app.training`.

In: folders of text.  Out: a checkpoint folder.  May import everything but `app.panels` and `app.web`, which in turn
never import this package.
"""
