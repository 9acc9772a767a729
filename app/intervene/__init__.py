"""Causal instruments: change something inside a network or in what it reads, and see what it then predicts.

In: an engine and texts.  Out: records of NumPy arrays; torch stays inside.  May import: `app.engine` and what is below
it, and `app.foreign.compute`; nothing of pages or figures.
"""
