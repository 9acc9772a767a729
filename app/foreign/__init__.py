"""Checkpoints that are not ours: found, loaded, understood by what they do, and verified.

In: a folder or a hub id.  Out: a `Bundle` (`load`), whose network gives the numbers of the original code.
`files` reads, `anatomy` finds the parts, `compute` runs them, `verify` compares.  May import: what `app.checkpoint`
may, and `app.checkpoint`; not the engine.
"""
