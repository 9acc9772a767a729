"""The engine: text in, traces and streamed tokens out; the queue of requests in front of it.

In: text and sampling settings.  Out: `Trace`, `Step`.  All limits on what may be asked live here.  May import:
`app.checkpoint`, `app.network`, `app.trace`, `app.system`, `app.wording`.
"""
