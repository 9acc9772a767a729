"""A checkpoint folder: its weights, pictures and records, with checksums.

In: a folder.  Out: a `Bundle`, from which an engine is made.  May import: `app.network`, `app.substrate`,
`app.wording`.
"""
