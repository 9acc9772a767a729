"""Glyphscope: watch meaning appear inside a language model.  `python app.py` serves the demo."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

from app.serve import main

if __name__ == "__main__":
    main()
