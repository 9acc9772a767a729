"""The tab "Try to break it": instruments that change something inside the model or in what it reads."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.engine.job_queue import JobQueue
from app.models import ModelRegistry
from app.web.attention_tab import AttentionControls, AttentionListeners, add_attention, connect_attention
from app.web.attribution_tab import (
    AttributionControls,
    AttributionListeners,
    add_attribution,
    connect_attribution,
)
from app.web.deep_link import PageLink
from app.web.drawing_tab import DrawingControls, add_drawing, connect_drawing
from app.web.exchange_tab import ExchangeControls, ExchangeListeners, add_exchange, connect_exchange
from app.web.findings_tab import FindingsControls, FindingsListeners, add_findings, connect_findings
from app.web.on_drawing import DrawingListeners
from app.web.on_patching import PatchingListeners
from app.web.opening import LinkedGate, OpenedByLink, OpeningGate
from app.web.patching_tab import Label, PatchingControls, add_patching, connect_patching
from app.web.story_search import StorySearch
from app.web.tabs import FOLDS
from app.wording.catalogue import say

HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
"""Options of every listener: the queue of the jobs limits them, not Gradio's."""


@dataclass(frozen=True, eq=False)
class BreakTab:
    """The instruments of the tab, and what answers them."""

    patching: PatchingControls
    on_patching: PatchingListeners
    folds: list[Label]
    findings: FindingsControls
    on_findings: FindingsListeners
    exchange: ExchangeControls
    on_exchange: ExchangeListeners
    drawing: DrawingControls
    on_drawing: DrawingListeners
    attribution: AttributionControls
    on_attribution: AttributionListeners
    attention: AttentionControls
    on_attention: AttentionListeners

    def labels(self) -> list[Label]:
        """Components with words of their own, for the page's relabelling."""
        return [
            *self.folds,
            *self.patching.labels(),
            *self.exchange.labels(),
            *self.drawing.labels(),
            *self.attribution.labels(),
            *self.attention.labels(),
        ]


def add_break_tab(registry: ModelRegistry) -> BreakTab:
    """Build the content of the tab where the caller stands, best inside a `gr.Tab`.  All instruments but the first are
    folded up: they are built and filled when they are unfolded."""
    jobs = JobQueue()
    search = StorySearch(jobs)
    folds: list[Label] = []
    with _fold(folds, "patching", unfolded=True):
        patching = add_patching()
    with _fold(folds, "comparison"):
        patching.comparison.render()  # type: ignore[no-untyped-call]
    with _fold(folds, "findings"):
        findings = add_findings()
    with _fold(folds, "exchange"):
        exchange = add_exchange()
    with _fold(folds, "drawing"):
        drawing = add_drawing()
    with _fold(folds, "attribution"):
        attribution = add_attribution()
    with _fold(folds, "attention"):
        attention = add_attention()
    return BreakTab(
        patching=patching,
        on_patching=PatchingListeners(registry, jobs, search),
        folds=folds,
        findings=findings,
        on_findings=FindingsListeners(registry, search),
        exchange=exchange,
        on_exchange=ExchangeListeners(registry, jobs),
        drawing=drawing,
        on_drawing=DrawingListeners(registry, jobs),
        attribution=attribution,
        on_attribution=AttributionListeners(registry, jobs),
        attention=attention,
        on_attention=AttentionListeners(registry, jobs),
    )


def _fold(folds: list[Label], name: str, unfolded: bool = False) -> gr.Accordion:
    """The fold of the instrument whose panel is called so; it is added to the folds, with how it is named."""
    fold = gr.Accordion(say(f"fold_{name}"), open=unfolded, elem_id=f"fold-{name}", elem_classes="gs-fold")
    folds.append((fold, lambda language: gr.update(label=say(f"fold_{name}", language))))
    return fold


def connect_break_tab(
    tab: BreakTab, own: gr.Tab, shown: gr.State, language: gr.Radio, on_view: gr.State, linked: gr.State
) -> None:
    """Join controls and listeners, inside the page's `Blocks`.  own: the tab that this stands in; shown: the name of
    the tab on view, which an address can open too; on_view: changes when the visitor sees another model; linked: the
    `PageLink` that the page was opened by, if it was.

    What is unfolded is filled when the tab is opened, the other instruments when they are unfolded.
    """
    connect_patching(tab.patching, tab.on_patching, language)
    connect_findings(tab.findings, tab.on_findings, tab.patching, tab.on_patching, language)
    connect_exchange(tab.exchange, tab.on_exchange, language)
    connect_drawing(tab.drawing, tab.on_drawing, language)
    connect_attribution(tab.attribution, tab.on_attribution, language)
    connect_attention(tab.attention, tab.on_attention, tab.patching.asked, language)
    labels = tab.labels()
    gr.on(
        [own.select, shown.change, language.input], lambda language: [label(language) for _, label in labels],
        language, [component for component, _ in labels], queue=False, **HIDDEN,
    )  # fmt: skip
    unfolded = linked.change(_unfolded, linked, [fold for fold, _ in tab.folds], **HIDDEN)
    gates: dict[str, tuple[Any, OpeningGate]] = {
        "patching": (tab.patching, _gate(tab.patching, tab.on_patching, "moved")),
        "findings": (tab.findings, OpeningGate(tab.on_findings, len(tab.findings.outputs))),
        "exchange": (tab.exchange, _gate(tab.exchange, tab.on_exchange, "exchanged")),
        "drawing": (tab.drawing, _gate(tab.drawing, tab.on_drawing, "drawn")),
        "attribution": (tab.attribution, _gate(tab.attribution, tab.on_attribution, "split")),
        "attention": (tab.attention, _gate(tab.attention, tab.on_attention, "looked")),
    }
    for (fold, _), name in zip(tab.folds, FOLDS, strict=True):
        if name not in gates:  # the comparison: the first instrument fills it
            continue
        controls, gate = gates[name]
        asked = _connect_gate(controls, gate, language, on_view)
        built = _when_built(controls.outputs)
        if name == "patching":
            own.select(gate.on_first, [linked, *asked], controls.outputs, js=built, **HIDDEN)
            shown.change(gate.on_shown, [linked, shown, *asked], controls.outputs, **HIDDEN)
            if isinstance(gate, LinkedGate):
                linked.change(gate.on_linked, [linked, shown, language], controls.outputs, **HIDDEN)
        else:
            fold.expand(gate.on_first, [linked, *asked], controls.outputs, js=built, **HIDDEN)
            unfolded.then(_if_linked(name, gate), [linked, *asked], controls.outputs, js=built, **HIDDEN)


def _when_built(outputs: Sequence[Any]) -> str:
    """A script before an event that waits until the fields among its outputs stand in the page, five seconds at most:
    Gradio loses what comes for a field between its making and its first drawing."""
    fields = [f"#{one.elem_id}" for one in outputs if isinstance(one, (gr.Dropdown, gr.Textbox))]
    return _WHEN_BUILT.replace("FIELDS", json.dumps(fields))


_WHEN_BUILT = """(...asked) => new Promise((done) => {
  const built = () => FIELDS.every((field) => document.querySelector(`${field} :is(input, textarea)`));
  const look = (left) => (left > 0 && !built() ? setTimeout(look, 50, left - 1) : setTimeout(done, 50, asked));
  look(100);
})"""


def _gate(controls: Any, instrument: OpenedByLink, part: str) -> LinkedGate:
    """The gate of an instrument whose outputs are the request, what the visitor sets, the status, and figures."""
    return LinkedGate(instrument, len(controls.outputs), part, controls.outputs.index(controls.status))


def _connect_gate(page: Any, gate: OpeningGate, language: gr.Radio, on_view: gr.State) -> list[Any]:
    """The inputs of an instrument's gate; once filled, the instrument is filled anew in another language or over
    another model."""
    asked = [page.asked, language]
    language.input(gate.on_language, asked, page.outputs, **HIDDEN)
    on_view.change(gate.on_switch, asked, page.outputs, **HIDDEN)
    texts = [output.change for output in page.outputs if isinstance(output, gr.Textbox)]
    if texts:
        gr.on(texts, gate.on_typed, page.asked, None, queue=False, **HIDDEN)
    return asked


def _if_linked(name: str, gate: OpeningGate) -> Callable[..., AsyncIterator[list[Any]]]:
    """What fills an instrument that a link has unfolded; a function of its own, as Gradio sees no annotation, and so
    gives no request, through `partial`."""

    async def filled(link: PageLink | None, asked: Any, language: str, request: gr.Request) -> AsyncIterator[list[Any]]:
        due = asked is None and link is not None and name in (link.folds or ())
        async for answer in gate.once(link, language, request, due):
            yield answer

    return filled


def _unfolded(link: PageLink | None) -> list[Any]:
    """The folds as a link asks for."""
    if link is None or link.folds is None:
        return [gr.skip()] * len(FOLDS)
    return [gr.update(open=name in link.folds) for name in FOLDS]
