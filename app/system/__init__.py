"""What the machine and its libraries need: environment variables, folders for caches, threads, memory, timing, files
that were not fetched, late imports.

In: nothing of the model.  Out: settings that hold for the process.  May import: `app.wording`; PyTorch, NumPy and
transformers only in the modules that are about them (`environment` is imported before any of these).
"""
