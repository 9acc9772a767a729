"""The page, the API and the server around them.

In: requests.  Out: widget values, JSON, headers.  The only package that knows Gradio.  May import everything but
`app.training`.
"""
