"""The record of one text seen by the model, and what follows from it alone.

In: arrays.  Out: arrays.  May import: NumPy and SciPy; not PyTorch; of ours only `app.substrate.byte_text`.
"""
