"""The layout of the page: its controls and panels, from top to bottom."""

import gradio as gr

from app.engine.examples import EXAMPLES, LAB_EXAMPLES
from app.engine.sampling import MAX_NEW_TOKENS, MAX_TEMPERATURE, Sampling
from app.models import ModelRegistry
from app.panels.settings import FUSIONS, PanelSettings
from app.panels.strip import measures_of
from app.probing.word_list import MAX_WORDS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.assets import mount_script
from app.web.break_tab import add_break_tab
from app.web.header import contents_html, header_html, hint_line, model_line
from app.web.labels import (
    choices,
    page_labels,
    weight_label,
)
from app.wording.catalogue import LANGUAGES, say


class Layout:
    """Components as attributes."""

    def __init__(self, registry: ModelRegistry) -> None:
        model = registry.of("")
        engine, default = model.engine, Sampling()
        with gr.Blocks(title="Glyphscope", analytics_enabled=False) as self.blocks:
            self.trace = gr.State(None)
            self.selected = gr.State(1)
            self.cell = gr.State(None)  # (expert, layer) chosen in the lens
            self.linked = gr.State(None)  # the text that the address asks for
            with gr.Row(elem_classes="gs-head"):
                self.header = gr.HTML(header_html("en"))
                self.model = gr.Dropdown(
                    list(registry.offers), value=model.key, label=say("model"), elem_id="model",
                    elem_classes="gs-model", container=False, min_width=210, scale=0, visible=len(registry.offers) > 1,
                )  # fmt: skip
                self.language = gr.Radio(
                    [(name, code) for code, name in LANGUAGES.items()],
                    value="en",
                    label=say("language"),
                    show_label=False,
                    container=False,
                    elem_classes="gs-language",
                    min_width=220,
                    scale=0,
                )
            self.loading = gr.HTML("", elem_id="loading", elem_classes="gs-status-line")
            self.on_view = gr.State(model.key)
            self.list_read = gr.State("")  # the model whose word list is read
            self.drawn = gr.State(True)  # whether the panels were drawn with it
            self.timer = gr.Timer(1.0, active=False)
            with gr.Row(elem_classes="gs-ask"):
                self.prompt = gr.Textbox(
                    label=say("prompt"),
                    placeholder=say("prompt_hint"),
                    lines=2,
                    max_lines=4,
                    scale=5,
                    min_width=300,
                    elem_id="prompt",
                )
                with gr.Column(scale=2, min_width=220, elem_classes="gs-buttons"):
                    self.generate = gr.Button(say("generate"), variant="primary", elem_id="generate")
                    with gr.Row():
                        self.look = gr.Button(say("look"), elem_id="look", min_width=90)
                        self.stop = gr.Button(say("stop"), elem_id="stop", min_width=90)
            with gr.Row(elem_classes="gs-examples"):
                self.examples = [gr.Button(example.prompt, size="sm", min_width=60) for example in EXAMPLES]
            with gr.Accordion(say("settings"), open=False) as self.settings, gr.Row():
                self.temperature = gr.Slider(
                    0, MAX_TEMPERATURE, default.temperature, step=0.05, label=say("temperature")
                )
                self.top_k = gr.Slider(0, 200, default.top_k, step=1, label=say("top_k"))
                self.top_p = gr.Slider(0.05, 1, default.top_p, step=0.05, label=say("top_p"))
                self.new_tokens = gr.Slider(1, MAX_NEW_TOKENS, default.new_tokens, step=1, label=say("new_tokens"))
                self.seed = gr.Number(default.seed, precision=0, minimum=0, label=say("seed"))
            self.status = gr.HTML("", elem_classes="gs-status-line")
            self.strip = clickable("strip")
            with gr.Row(elem_classes="gs-under"):
                self.hint = gr.HTML(hint_line(engine, "en"))
                self.measure = gr.Dropdown(
                    choices("measure", measures_of(engine.bundle), "en"),
                    value=PanelSettings.measure,
                    container=False,
                    label=say("measure"),
                    elem_id="measure",
                    min_width=240,
                    scale=0,
                )
                self.link = gr.Button(say("link"), size="sm", elem_id="link", min_width=100, scale=0)
            self.contents = gr.HTML(contents_html(model, "en"), elem_classes="gs-contents-line")
            with gr.Row(equal_height=False, elem_classes="gs-panels"):
                with gr.Column(scale=2, min_width=320):
                    self.glyphs = clickable("glyphs", script="glyphs.js")
                    width = engine.model.shape.width
                    self.components = gr.Slider(1, width, width, step=1, label=say("components"), elem_id="components")
                    with gr.Accordion(say("lab"), open=False, elem_id="lab") as self.lab:
                        with gr.Row():
                            first_text, second_text = LAB_EXAMPLES[0]
                            self.lab_first = gr.Textbox(first_text, label=say("lab_first"), min_width=100)
                            self.lab_second = gr.Textbox(second_text, label=say("lab_second"), min_width=100)
                        with gr.Row(elem_classes="gs-examples"):
                            self.lab_examples = [
                                gr.Button(" · ".join(pair), size="sm", min_width=40) for pair in LAB_EXAMPLES
                            ]
                        self.lab_figure = gr.HTML(elem_classes="gs-root")
                with gr.Column(scale=3, min_width=320):
                    self.experts = clickable("experts")
                    with gr.Row(elem_classes="gs-weight"):
                        self.weight = gr.Slider(
                            0,
                            1,
                            PanelSettings.weight,
                            step=0.05,
                            label=weight_label(engine.bundle, "en"),
                            elem_id="weight",
                            scale=3,
                            min_width=240,
                        )
                        self.fusion = gr.Dropdown(
                            choices("fusion", FUSIONS, "en"),
                            value=PanelSettings.fusion,
                            label=say("fusion"),
                            elem_id="fusion",
                            scale=2,
                            min_width=200,
                        )
                    with gr.Row():
                        self.alone = gr.Button(say("alone"), elem_id="alone", min_width=200, scale=3)
                        self.alone_stop = gr.Button(say("stop"), elem_id="alone-stop", min_width=80, scale=1)
                    self.alone_figure = clickable("alone-figure")
            self.disagreement = clickable("disagreement")
            self.layers = clickable("layers", script="layers.js")
            self._word_panel()
            self.break_tab = add_break_tab(registry)
            self.lens = clickable("lens", script="lens.js")
            self.depth = clickable("depth")
            self.twins = clickable("twins", script="charts.js")
            self.figures = clickable("figures")
            self.report = clickable("report")
            self.footer = gr.HTML(model_line(engine, "en"))
        self.word_outputs = [self.words, self.words_figure, self.words_status]
        self.proof_outputs = [self.battery, self.proof_figure, self.proof_status]
        self.panels = [self.glyphs, self.experts, self.disagreement, self.layers, self.lens, self.depth]
        self.everything = [self.trace, self.selected, self.cell, self.status, self.strip, *self.panels]
        self.sampling = [self.temperature, self.top_k, self.top_p, self.seed, self.new_tokens]
        self.pair = [self.lab_first, self.lab_second, self.language]
        self.view = [self.weight, self.fusion, self.measure, self.language]
        self.labels = page_labels(self)

    def _word_panel(self) -> None:
        """The words panel with its own set, progress and brake."""
        self.words = gr.State(None)
        self.words_figure = clickable("words", script="words.js")
        self.words_status = gr.HTML("", elem_classes="gs-status-line", elem_id="words-status")
        with gr.Row(elem_classes="gs-weight"):
            self.word_set = gr.Dropdown(
                choices("word_set", PRESETS, "en"), value=PRESETS[0], label=say("word_set"), elem_id="word-set",
                min_width=200, scale=2,
            )  # fmt: skip
            self.umap = gr.Button(say("umap"), elem_id="umap", min_width=160, scale=1)
            self.words_cancel = gr.Button(say("cancel"), elem_id="words-cancel", min_width=80, scale=0)
        with gr.Accordion(say("own_words"), open=False, elem_id="own-words") as self.own_words:
            self.own_text = gr.Textbox(
                label=say("own_text", limit=MAX_WORDS), placeholder=say("own_hint"), lines=4, max_lines=12
            )
            self.own_show = gr.Button(say("own_show"), elem_id="own-show")
        self._proof_panel()

    def _proof_panel(self) -> None:
        """The curves of the probes, shipped for the presets, on demand for the words on the map."""
        self.battery = gr.State(None)  # of the visitor's own words, once measured
        self.proof_figure = clickable("proof", script="charts.js")
        self.proof_status = gr.HTML("", elem_classes="gs-status-line", elem_id="proof-status")
        with gr.Row(elem_classes="gs-weight"):
            self.proof_set = gr.Dropdown(
                choices("proof_set", PROOF_SETS, "en"), value=PROOF_SETS[0], label=say("proof_set"),
                elem_id="proof-set", min_width=200, scale=2,
            )  # fmt: skip
            self.probe = gr.Button(say("probe"), elem_id="probe", min_width=160, scale=1)
            self.proof_cancel = gr.Button(say("cancel"), elem_id="proof-cancel", min_width=80, scale=0)


def clickable(name: str, script: str = "panel.js") -> gr.HTML:
    """An HTML component whose elements with `data-index` report clicks as `select` events."""
    return gr.HTML("", html_template="${value}", js_on_load=mount_script(script), elem_id=name, elem_classes="gs-root")
