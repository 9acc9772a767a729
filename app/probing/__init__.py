"""Measures of meaning in the hidden states of words, each beside its controls.

In: an engine and a word list.  Out: states, curves by layer, UMAP layouts, what is shipped with a checkpoint.  May
import: `app.engine` and what is below it; scikit-learn, umap-learn.
"""
