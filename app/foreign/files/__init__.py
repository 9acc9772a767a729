"""The files of a foreign checkpoint: which one is meant, its code, weights, tokenizer and names.

In: a folder or a hub id.  Out: a network in its own code.  May import: transformers, `app.system`, `app.wording`.
"""
