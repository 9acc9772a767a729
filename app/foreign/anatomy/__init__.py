"""What the parts of a network compute, found from their inputs and outputs on a probe text.

In: a network in its own code.  Out: `Anatomy`: experts, layers, tables, norms, heads, the style of each block.
May import: PyTorch and `app.foreign.compute`.
"""
