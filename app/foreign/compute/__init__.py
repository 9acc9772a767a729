"""A cached decoder general enough for most published networks, and the linear maps it runs on.

In: weights and a `Style` as data.  Out: a `Network`.  May import: PyTorch, `app.network`, `app.system`.
"""
