"""Links to the page as it is: what one says, and what the page does when it is opened by one."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import astuple, replace
from typing import Any

import gradio as gr

from app.engine.sampling import Sampling
from app.models import LoadedModel, ModelRegistry
from app.panels.compose import draw_strip, text_panels
from app.panels.link import link_view, view_html
from app.panels.settings import PanelSettings
from app.panels.strip import measures_of
from app.probing.word_list import PRESETS, Word, preset
from app.trace.record import Trace
from app.web.answers import Answer, told_in
from app.web.deep_link import PageLink, packed
from app.web.linked_instruments import INSTRUMENTS, Instruments, said_of
from app.web.on_translate import TranslationListeners
from app.web.on_words import WordListeners
from app.web.on_write import WritingListeners
from app.web.visitor import model_of
from app.wording.catalogue import speaker

_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[\w./~%-]*)?", re.ASCII)
_MAX_ADDRESS = 300
_IN_BROWSER = ("layer", "layout", "colour", "mode", "word")
"""What only the browser knows; `pageView` in `assets/page/link.js` gives it."""


class LinkListeners:
    """Makes links and follows them, with what the other listeners know to do."""

    def __init__(
        self, registry: ModelRegistry, writing: WritingListeners, translating: TranslationListeners,
        words: WordListeners,
    ) -> None:  # fmt: skip
        self.registry, self._writing, self._translating, self._words = registry, writing, translating, words

    @told_in("link_shown")
    def on_link(
        self, in_browser: Any, made: PageLink | None, selected: int, cell: tuple[int, int] | None,
        words: tuple[Word, ...] | None, tab: str, prompt: str, temperature: float, top_k: float, top_p: float,
        seed: float, new_tokens: float, word_set: str, proof_set: str, *shown: Any,
    ) -> Answer:  # fmt: skip
        """The link to what is shown, to be copied.  shown: the fields of `Instruments`, then those of
        `PanelSettings`."""
        sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)  # type: ignore[arg-type]
        instruments, view = Instruments(*shown[: len(INSTRUMENTS)]), shown[len(INSTRUMENTS) :]
        settings, seen = PanelSettings.of(*view), _seen(in_browser)
        told = {
            **{name: seen[name] for name in _IN_BROWSER if seen.get(name) is not None},
            "language": settings.language,
            "tab": tab,
            "word_set": word_set,
            "proof_set": proof_set,
            "weight": settings.weight,
            "fusion": settings.fusion,
            "measure": settings.measure,
            "own_words": written_out(words) if words and words != preset(word_set) else "",
            **(said_of(seen, instruments) if tab == "break" else {}),
        }
        if made is None or prompt != made.text or (made.how == "write" and sampling != made.sampling):
            link = PageLink.of(prompt, sampling, **told)  # the text was changed: the link opens what would be written
        else:
            same = {"how": made.how, "made_with": made.made_with, "selected": selected, "cell": cell}
            link = PageLink.of(prompt, sampling, **told, **same)
        base = str(seen.get("base", ""))
        base = base if len(base) <= _MAX_ADDRESS and _ADDRESS.fullmatch(base) else ""
        return {"link_shown": link_view(f"{base}?s={packed(link)}", speaker(settings.language))}

    @told_in("status")
    async def on_linked(
        self, link: PageLink | None, made: PageLink | None, trace: Trace | None, tab: str, request: gr.Request,
        *view: Any,
    ) -> AsyncIterator[Answer]:  # fmt: skip
        """Write, read or translate the text of the link that the page was opened by, and choose its token."""
        if link is None or not link.text.strip():
            return
        model, settings = model_of(request, self.registry), _view(link, PanelSettings.of(*view))
        if trace is None or made is None or made.asked != link.asked:
            own = model.engine.bundle.weights[0] if model.engine.bundle.weights else 0.5
            making = replace(settings, weight=own if link.made_with is None else link.made_with)
            trace = None
            async with aclosing(self._made(link, tab, request, making)) as answers:
                async for answer in answers:
                    trace = answer.get("trace", trace)
                    yield answer
        if trace is not None and (made_by := self.registry.made(trace)) is not None:
            yield _chosen(made_by, trace, link, tab, settings)

    def _made(self, link: PageLink, tab: str, request: gr.Request, view: PanelSettings) -> AsyncGenerator[Answer]:
        """What makes the text of a link."""
        values = astuple(view)
        if link.how == "write":
            return self._writing.on_generate(link.text, *astuple(link.sampling), tab, request, *values)  # type: ignore[no-any-return]
        if link.how == "read":
            return self._writing.on_look(link.text, tab, request, *values)  # type: ignore[no-any-return]
        return self._translating.on_translate(link.text, link.how[-2:], tab, request, *values)  # type: ignore[no-any-return]

    @told_in("words_status")
    def on_linked_words(self, link: PageLink | None, request: gr.Request, language: str) -> Iterator[Answer]:
        """Map the own words of the link that the page was opened by, and make the kind of map that it asks for."""
        if link is None:
            return
        words = preset(link.word_set or PRESETS[0])
        if link.own_words:
            for answer in self._words.on_own(link.own_words, request, language):
                words = answer.get("words", words)
                yield answer
        if link.layout == "umap":
            yield from self._words.on_umap(words, request, language)


def linked_controls(link: PageLink, model: LoadedModel) -> Answer:
    """The values of the controls that a link sets, where the model has them."""
    bundle = model.engine.bundle
    values: dict[str, Any] = {"prompt": link.text, **_sampling(link.sampling)}
    values |= {name: getattr(link, name) for name in ("word_set", "proof_set")}
    values["own_text"] = link.own_words or None
    if bundle.adjustable:
        values |= {"weight": link.weight, "fusion": link.fusion}
    if link.measure in measures_of(bundle):
        values["measure"] = link.measure
    if link.how.startswith("to_"):
        values["target"] = link.how[-2:]
    return {name: value for name, value in values.items() if value is not None}


def linked_view(link: PageLink) -> str:
    """What a link sets in the browser alone, for the page's script."""
    return view_html({name: getattr(link, name) for name in _IN_BROWSER if getattr(link, name) is not None})


def written_out(words: tuple[Word, ...]) -> str:
    """Words as a visitor would type them, one group a line: `parse_words` gives them back."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word.concept, []).append(word.text)
    return "\n".join(f"{name}: {' '.join(texts)}" for name, texts in groups.items())


def _sampling(sampling: Sampling) -> dict[str, float]:
    return dict(vars(sampling))


def _seen(in_browser: Any) -> dict[str, Any]:
    """What the page's script sent, if it did; nothing in it is checked yet."""
    try:
        seen = json.loads(in_browser)
    except (TypeError, ValueError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _view(link: PageLink, view: PanelSettings) -> PanelSettings:
    """The settings of the panels with what a link sets."""
    changed = {name: getattr(link, name) for name in ("weight", "fusion", "measure")}
    return replace(view, **{name: value for name, value in changed.items() if value is not None})


def _chosen(model: LoadedModel, trace: Trace, link: PageLink, tab: str, view: PanelSettings) -> Answer:
    """The text with the link's token, and its cell of the lens, chosen; with those that it has by itself where the
    link names none that are there."""
    selected, cell = link.selected, link.cell
    if selected is None or not 1 <= selected < len(trace):
        return {}
    experts, layers = trace.hidden.shape[:2]
    if cell is not None and not (cell[0] < experts and cell[1] < layers):
        cell = None
    panels = text_panels(model, trace, selected, view, tab, cell)
    return {
        "selected": selected,
        "cell": cell,
        "strip": draw_strip(model, trace, selected, view),
        "filled": (tab,) if panels else (),
        **panels,
    }
