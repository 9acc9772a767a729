"""The layout of the page: what stands above the tabs, and the tabs from left to right."""

from typing import Any

import gradio as gr

from app.engine.examples import EXAMPLES, LAB_EXAMPLES
from app.engine.sampling import MAX_NEW_TOKENS, MAX_TEMPERATURE, Sampling
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import PANELS
from app.panels.settings import FUSIONS, PanelSettings
from app.panels.strip import measures_of
from app.probing.word_list import MAX_WORDS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.assets import mount_script
from app.web.break_tab import BreakTab, add_break_tab
from app.web.glossary import glossary_html
from app.web.header import header_html, hint_line, model_line, tour_html
from app.web.hero import add_hero
from app.web.labels import choices, weight_label
from app.web.lesson_tab import add_lesson_tab
from app.web.on_translate import EXAMPLES as TRANSLATIONS
from app.web.on_translate import translates
from app.web.room_panel import add_room
from app.wording.catalogue import LANGUAGES, say

SAMPLING = ("temperature", "top_k", "top_p", "seed", "new_tokens")
VIEW = ("weight", "fusion", "measure", "language")
"""Names of the components that `Sampling` and `PanelSettings` are made of, in the order of their fields."""

WRITTEN = ("trace", "made", "selected", "cell", "status", "strip", "filled", *PANELS)
"""What a new text fills."""


class Layout:
    """Components as attributes; made inside of blocks that are open."""

    def __init__(self, registry: ModelRegistry, blocks: gr.Blocks) -> None:
        model = registry.of("")
        self.blocks = blocks
        self._states(model)
        self._header(registry, model)
        self.hero = add_hero()
        self._prompt(model)
        self._strip(model)
        with gr.Tabs(elem_id="tabs") as self.tabs:
            with self._tab("read"):
                self._read(model)
            with self._tab("layers"):
                self.layers = clickable("layers", script="layers.js")
                self.lens = clickable("lens", script="lens.js")
                self.depth = clickable("depth")
            with self._tab("words"), gr.Column(elem_id="slide-words"):
                self._words()
            with self._tab("break") as self.tab_break:
                self.break_tab = add_break_tab(registry)
                self._asked(self.break_tab)
                self._laboratory()
            with self._tab("proof"):
                with gr.Column(elem_id="slide-proof"):
                    self._proof()
                with gr.Row(equal_height=False, elem_classes="gs-panels gs-results"):
                    with gr.Column(scale=3, min_width=320):
                        self.controls = clickable("controls", script="charts.js")
                    with gr.Column(scale=2, min_width=320):
                        self.figures = clickable("figures")
                self.report = clickable("report")
            with self._tab("lesson") as self.tab_lesson:
                self.lesson_tab = add_lesson_tab(registry, self.break_tab.on_patching.jobs)
                with self.lesson_tab.room:
                    self.room = add_room()
        self.footer = gr.HTML(model_line(model, "en") + glossary_html("en"))

    def of(self, *names: str) -> list[Any]:
        """Components by their names."""
        return [getattr(self, name) for name in names]

    def _tab(self, name: str) -> gr.Tab:
        tab = gr.Tab(say(f"tab_{name}"), id=name, elem_id=f"tab-{name}")
        setattr(self, f"tab_{name}", tab)
        return tab

    def _states(self, model: LoadedModel) -> None:
        """What the page knows of a visitor beside the values of its controls."""
        self.tab = gr.State("read")  # the open tab
        self.filled = gr.State(())  # names of the tabs that are up to date
        self.drawn_from = gr.State(None)  # what was chosen when a tab was drawn last
        self.trace = gr.State(None)
        self.made = gr.State(None)  # what the text was made from: a `PageLink`
        self.selected = gr.State(1)
        self.cell = gr.State(None)  # (expert, layer) chosen in the lens
        self.opened = gr.Textbox("", visible=False)  # what the page came with: `opening_name`
        self.linked = gr.State(None)  # what the address asks for: a `PageLink`
        self.in_browser = gr.Textbox(visible=False)  # what only the page's script knows, sent when a link is made
        self.on_view = gr.State(model.key)
        self.list_read = gr.State("")  # the model whose word list is read
        self.drawn = gr.State(True)  # whether the panels were drawn with it
        self.words = gr.State(None)  # those on the map
        self.probe_results = gr.State(None)  # curves of the visitor's own words, once measured
        self.lab_shown = gr.State(False)  # whether the laboratory was unfolded
        self.timer = gr.Timer(1.0, active=False)

    def _asked(self, tab: BreakTab) -> None:
        """What the instruments were asked for, by the names of `Instruments`."""
        self.moved, self.exchanged, self.drawn_on = tab.patching.asked, tab.exchange.asked, tab.drawing.asked
        self.split, self.looked = tab.attribution.asked, tab.attention.asked

    def _header(self, registry: ModelRegistry, model: LoadedModel) -> None:
        with gr.Row(elem_classes="gs-head"):
            self.header = gr.HTML(header_html("en"))
            self.model = gr.Dropdown(
                list(registry.offers), value=model.key, label=say("model"), elem_id="model",
                elem_classes="gs-model", container=False, min_width=210, scale=0, visible=len(registry.offers) > 1,
            )  # fmt: skip
            self.language = gr.Radio(
                [(name, code) for code, name in LANGUAGES.items()], value="en", label=say("language"),
                show_label=False, container=False, elem_classes="gs-language", min_width=220, scale=0,
            )  # fmt: skip
        self.loading = gr.HTML(
            "", html_template="${value}", js_on_load=mount_script("news.js"), elem_id="loading",
            elem_classes="gs-status-line",
        )  # fmt: skip

    def _prompt(self, model: LoadedModel) -> None:
        """The text, the buttons that do something with it, and what is folded away under them."""
        with gr.Row(elem_classes="gs-ask"):
            self.prompt = gr.Textbox(
                label=say("prompt"), placeholder=say("prompt_hint"), lines=1, max_lines=4, scale=5, min_width=300,
                elem_id="prompt",
            )  # fmt: skip
            with gr.Column(scale=2, min_width=220, elem_classes="gs-buttons"):
                self.generate = gr.Button(say("generate"), variant="primary", elem_id="generate")
                with gr.Row():
                    self.look = gr.Button(say("look"), elem_id="look", min_width=90)
                    self.stop = gr.Button(say("stop"), elem_id="stop", min_width=90)
        with gr.Row(elem_classes="gs-folds", equal_height=False):
            with gr.Accordion(say("examples"), open=False, elem_id="examples") as self.example_row:
                with gr.Row(elem_classes="gs-examples"):
                    self.examples = [gr.Button(example.prompt, size="sm", min_width=60) for example in EXAMPLES]
                self.example_note = gr.HTML(f"<p class='gs-hint'>{say('examples_note')}</p>")
            self._translation(model)
            with gr.Accordion(say("settings"), open=False, elem_id="sampling") as self.settings:
                self._sampling()
        self.status = gr.HTML("", elem_classes="gs-status-line")

    def _translation(self, model: LoadedModel) -> None:
        able = translates(model.engine.bundle)
        with gr.Accordion(say("translation"), open=False, elem_id="translation", visible=able) as self.translation:
            with gr.Row(elem_classes="gs-target"):
                self.target = gr.Radio(
                    [(name, code) for code, name in LANGUAGES.items()], value="ru", label=say("target"),
                    elem_id="target", scale=3, min_width=240,
                )  # fmt: skip
                self.translate = gr.Button(say("translate"), elem_id="translate", min_width=120, scale=1)
            self.translation_note = gr.HTML(f"<p class='gs-hint'>{say('translation_note')}</p>")
            with gr.Row(elem_classes="gs-examples"):
                self.translations = [
                    gr.Button(f"{text} → {LANGUAGES[target]}", size="sm", min_width=60) for text, target in TRANSLATIONS
                ]

    def _sampling(self) -> None:
        default = Sampling()
        self.temperature = gr.Slider(0, MAX_TEMPERATURE, default.temperature, step=0.05, label=say("temperature"))
        self.top_k = gr.Slider(0, 200, default.top_k, step=1, label=say("top_k"))
        self.top_p = gr.Slider(0.05, 1, default.top_p, step=0.05, label=say("top_p"))
        self.new_tokens = gr.Slider(1, MAX_NEW_TOKENS, default.new_tokens, step=1, label=say("new_tokens"))
        self.seed = gr.Number(default.seed, precision=0, minimum=0, label=say("seed"))

    def _strip(self, model: LoadedModel) -> None:
        self.strip = clickable("strip", script="strip.js")
        with gr.Row(elem_classes="gs-under"):
            self.hint = gr.HTML(hint_line(model.engine, "en"))
            self.more = gr.Button(say("more"), size="sm", elem_id="more", min_width=120, scale=0)
            self.another = gr.Button(say("another"), size="sm", elem_id="another", min_width=120, scale=0)
            self.tour = gr.HTML(tour_html(model, "en"), elem_classes="gs-tour-line")
            self.measure = gr.Dropdown(
                choices("measure", measures_of(model.engine.bundle), "en"), value=PanelSettings.measure,
                container=False, label=say("measure"), elem_id="measure", min_width=240, scale=0,
            )  # fmt: skip
            self.link = gr.Button(say("link"), size="sm", elem_id="link", min_width=100, scale=0)
            self.present = gr.Button(say("present"), size="sm", elem_id="present", min_width=90, scale=0)
        self.link_shown = clickable("link-shown", script="link.js")

    def _read(self, model: LoadedModel) -> None:
        """The selected token: its picture, what the experts expected, and where they disagree."""
        with gr.Row(equal_height=False, elem_classes="gs-panels"):
            with gr.Column(scale=2, min_width=320, elem_id="slide-glyphs"):
                self.glyphs = clickable("glyphs", script="glyphs.js")
                width = model.engine.model.shape.width
                self.components = gr.Slider(1, width, width, step=1, label=say("components"), elem_id="components")
            with gr.Column(scale=3, min_width=320, elem_id="slide-experts"):
                self.experts = clickable("experts")
                with gr.Row(elem_classes="gs-weight"):
                    self.weight = gr.Slider(
                        0, 1, PanelSettings.weight, step=0.05, label=weight_label(model.engine.bundle, "en"),
                        elem_id="weight", scale=3, min_width=240,
                    )  # fmt: skip
                    self.fusion = gr.Dropdown(
                        choices("fusion", FUSIONS, "en"), value=PanelSettings.fusion, label=say("fusion"),
                        elem_id="fusion", scale=2, min_width=200,
                    )  # fmt: skip
                with gr.Row():
                    self.alone = gr.Button(say("alone"), elem_id="alone", min_width=200, scale=3)
                    self.alone_stop = gr.Button(say("stop"), elem_id="alone-stop", min_width=80, scale=1)
                self.alone_figure = clickable("alone-figure")
        self.disagreement = clickable("disagreement")

    def _laboratory(self) -> None:
        with gr.Accordion(say("lab"), open=False, elem_id="fold-lab", elem_classes="gs-fold") as self.lab:
            with gr.Row():
                first_text, second_text = LAB_EXAMPLES[0]
                self.lab_first = gr.Textbox(first_text, label=say("lab_first"), min_width=100)
                self.lab_second = gr.Textbox(second_text, label=say("lab_second"), min_width=100)
            with gr.Row(elem_classes="gs-examples"):
                self.lab_examples = [gr.Button(" · ".join(pair), size="sm", min_width=40) for pair in LAB_EXAMPLES]
            self.lab_figure = gr.HTML(elem_id="lab", elem_classes="gs-root")

    def _words(self) -> None:
        """The words panel with its own set, progress line and cancel button."""
        self.words_figure = clickable("words", script="words.js")
        self.words_status = gr.HTML("", elem_classes="gs-status-line", elem_id="words-status")
        with gr.Row(elem_classes="gs-weight"):
            self.word_set = gr.Dropdown(
                choices("word_set", PRESETS, "en"), value=PRESETS[0], label=say("word_set"), elem_id="word-set",
                min_width=200, scale=2,
            )  # fmt: skip
            self.umap = gr.Button(say("umap"), elem_id="umap", min_width=160, scale=1)
            self.words_cancel = gr.Button(say("cancel"), elem_id="words-cancel", min_width=130, scale=0)
        with gr.Accordion(say("own_words"), open=False, elem_id="own-words") as self.own_words:
            self.own_text = gr.Textbox(
                label=say("own_text", limit=MAX_WORDS), placeholder=say("own_hint"), lines=4, max_lines=12
            )
            self.own_show = gr.Button(say("own_show"), elem_id="own-show")

    def _proof(self) -> None:
        """The curves of the probes, shipped for the presets, on demand for the words on the map."""
        self.proof_figure = clickable("proof", script="charts.js")
        self.proof_status = gr.HTML("", elem_classes="gs-status-line", elem_id="proof-status")
        with gr.Row(elem_classes="gs-weight"):
            self.proof_set = gr.Dropdown(
                choices("proof_set", PROOF_SETS, "en"), value=PROOF_SETS[0], label=say("proof_set"),
                elem_id="proof-set", min_width=200, scale=2,
            )  # fmt: skip
            self.probe = gr.Button(say("probe"), elem_id="probe", min_width=160, scale=1)
            self.proof_cancel = gr.Button(say("cancel"), elem_id="proof-cancel", min_width=130, scale=0)


def clickable(name: str, script: str = "panel.js") -> gr.HTML:
    """An HTML component whose elements with `data-index` report clicks as `select` events."""
    return gr.HTML("", html_template="${value}", js_on_load=mount_script(script), elem_id=name, elem_classes="gs-root")
