"""Causal instruments: change something inside a network or in what it reads, and see what it then predicts.

Records hold NumPy arrays; torch stays inside.  Nothing here knows pages or figures.
"""
