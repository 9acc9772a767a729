"""Checkpoints that are not ours: found, loaded, understood by what they do, and proved."""
