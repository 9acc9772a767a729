"""Glyphscope: watch meaning appear inside a language model.  `python app.py` serves the demo."""

import gc

from app.system.environment import check_environment, set_defaults
from app.system.gradio_stubs import skip_stubs

check_environment()
set_defaults()
skip_stubs()
gc.disable()  # until all is imported, nothing is garbage: looking for some takes 0.4 s

import torch  # noqa: E402, F401, I001  before Gradio, as it looks through all that was imported: .3 s less
from app.web.server import main  # noqa: E402  it imports Gradio

if __name__ == "__main__":
    main()
