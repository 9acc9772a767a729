"""The numbers that the environment sets, checked before anything that reads them is imported."""

import os
import sys

from app.texts import say

_RANGES = {"GRADIO_SERVER_PORT": (1, 65_535), "GLYPHSCOPE_THREADS": (1, 64)}


def check_environment() -> None:
    """End the program with a sentence where a number that is set is none, or out of its range."""
    for name, (low, high) in _RANGES.items():
        value = os.environ.get(name, str(low))
        if not (len(value) < 6 and value.isascii() and value.isdecimal() and low <= int(value) <= high):
            sys.exit(say("bad_number", name=name, low=low, high=high))
