"""What the environment sets, before anything that reads it is imported: numbers checked, and our defaults."""

import os
import sys

from app.system.caches import set_cache_folders
from app.wording.catalogue import say

_RANGES = {"GRADIO_SERVER_PORT": (1, 65_535), "GLYPHSCOPE_THREADS": (1, 64), "GLYPHSCOPE_PROXIES": (0, 16)}

_DEFAULTS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": "100",  # kept of past events, and
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",  # summed up after so many, not after each
    # Several BLAS threads for small matrices only take cores from the network, whose threads `app.system.threads` sets.
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Waiting threads spin for some 50 us, then sleep: asleep at once, several write more slowly than
    # one (measured: at a third of the pace), awake all the time they keep the cores from the panels.
    "GOMP_SPINCOUNT": "20000",
}


def check_environment() -> None:
    """End the program with a sentence where a setting is not a number, or out of its range."""
    for name, (low, high) in _RANGES.items():
        value = os.environ.get(name, str(low))
        if not (len(value) < 6 and value.isascii() and value.isdecimal() and low <= int(value) <= high):
            sys.exit(say("bad_number", name=name, low=low, high=high))


def set_defaults() -> None:
    """Set what is not set."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    set_cache_folders()
