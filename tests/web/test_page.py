"""What the page hands to Gradio's own script, and so what that has to do."""

import gradio as gr
import pytest

from app.engine.engine import Engine
from app.engine.queue import RequestQueue
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.probing.word_cache import WordCache
from app.web.page import build_page


@pytest.fixture(scope="module")
def page(engine: Engine) -> gr.Blocks:
    shown = LoadedModel("toy", engine, RequestQueue(engine), WordCache(engine), None, None)
    return build_page(ModelRegistry({"toy": Place(None, "toy")}, {"toy": shown}, "toy"), lambda: None)


def test_progress_is_told_to_one_component_only(page: gr.Blocks) -> None:
    """Gradio tells it to all outputs that any listener ever had, whenever any listener goes on."""
    told = {tuple(listener["show_progress_on"] or ()) for listener in page.get_config_file()["dependencies"]}
    assert len(told) == 1 and len(told.pop()) == 1
