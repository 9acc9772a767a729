"""Glyphscope: watch meaning appear inside a language model.  `python app.py` serves the demo."""

import gc
import os

gc.disable()  # until all is imported, nothing is garbage: looking for some takes 0.4 s

# Before anything that reads them is imported.  Small matrices by several threads only get in the model's way.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # kept of past events, and
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")  # summed up after so many, not after each
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.stubs import skip_stubs

skip_stubs()

from app.serve import main  # noqa: E402  it imports Gradio

if __name__ == "__main__":
    main()
