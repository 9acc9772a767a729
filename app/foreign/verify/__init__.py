"""From the anatomy to a network that the engine can run, accepted only if its numbers agree with the original's.

In: a network in its own code.  Out: a `Network` and how far it agrees.  May import: the rest of `app.foreign`,
`app.network`.
"""
