"""Where the page goes from here.

In: this repository.  Out: a Space on a model hub.  May import `app.system` and `app.wording`; nothing imports it.
"""
