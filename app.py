"""Glyphscope: watch meaning appear inside a language model.  `python app.py` serves the demo."""

import gc
import os

from app.environment import check_environment
from app.stubs import skip_stubs

check_environment()
skip_stubs()
gc.disable()  # until all is imported, nothing is garbage: looking for some takes 0.4 s

# Before anything that reads them is imported.  Small matrices by several threads only get in the model's way.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # kept of past events, and
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")  # summed up after so many, not after each
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")  # but for the threads that run a network: see `app.cores`
# Threads that wait for each other look for some 50 us, then sleep: asleep at once, several write more slowly than one
# (measured: a third of the pace), awake all the time they keep the cores from the panels.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

from app.serve import main  # noqa: E402  it imports Gradio

if __name__ == "__main__":
    main()
