"""Glyphscope: watch meaning appear inside a language model.  `python app.py` serves the demo."""

import os

# Before anything that reads them is imported.  Small matrices by several threads only get in the model's way.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.serve import main

if __name__ == "__main__":
    main()
