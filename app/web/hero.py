"""The moving picture in the page: the one that the first view began, of the model that a visitor sees."""

import gradio as gr

from app.models import ModelRegistry
from app.panels.hero import hero_html
from app.web.assets import mount_script
from app.web.visitor import model_of


def add_hero() -> gr.HTML:
    """The component; what is in it comes with the page's other words, `page_labels`, when it opens and whenever the
    language or the model changes."""
    script = mount_script("hero.js")
    return gr.HTML("", html_template="${value}", js_on_load=script, elem_id="hero", elem_classes="gs-root")


class HeroListener:
    """Shows the picture once the word list of a model is read."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry

    def on_list_read(self, language: str, request: gr.Request) -> str:
        """The picture of the model that this visitor sees; that of a model of ours is there before."""
        return hero_html(model_of(request, self.registry), language)
