"""A word's state in the place of its translation, on the page: its controls, and what answers them."""

from collections.abc import Callable, Generator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr

from app.engine.cancellation import Cancellations
from app.engine.engine import Engine
from app.engine.job_queue import JobQueue
from app.intervene.exchange import Exchange, measure_exchange
from app.intervene.stories import ExchangeStory, read_stories
from app.models import ModelRegistry
from app.panels.exchange import ExchangeRequest, exchange_request, exchange_view, read_exchange
from app.panels.status import progress_html
from app.web.answers import failure_html
from app.web.assets import mount_script
from app.web.jobs import Done, watched
from app.web.linked_instruments import ExchangedState
from app.web.opening import Answers
from app.web.patching_tab import Label
from app.web.visitor import model_of, visitor_of
from app.wording.catalogue import say, speaker

FIELDS = ("text", "word", "donor", "translation", "unrelated")
COUNT = len(FIELDS) + 3  # outputs

_same = [gr.skip()] * (COUNT - 2)  # all but status and figure


@dataclass(frozen=True, eq=False)
class ExchangeControls:
    """The components, from top to bottom; asked: the request that is on view; fields: in the order of `FIELDS`."""

    asked: gr.State
    stories: list[gr.Button]
    fields: list[gr.Textbox]
    move: gr.Button
    cancel: gr.Button
    status: gr.HTML
    figure: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.asked, *self.fields, self.status, self.figure]

    def labels(self) -> list[Label]:
        """What is relabelled when the language changes."""

        def labelled(code: str) -> Callable[[str], Any]:
            return lambda language: gr.update(label=say(code, language))

        fields = [(field, labelled(f"exchange_{name}_field")) for name, field in zip(FIELDS, self.fields, strict=True)]
        buttons: list[Label] = [
            (self.move, lambda language: say("exchange_move", language)),
            (self.cancel, lambda language: say("cancel", language)),
        ]
        return [*fields, *buttons]


def story_button(story: ExchangeStory) -> str:
    """The text with both words in its place."""
    return story.text.replace("{}", " / ".join(story.words[0]))


def add_exchange() -> ExchangeControls:
    """Build the instrument where the caller stands."""
    asked = gr.State(None)
    with gr.Row(elem_classes="gs-examples"):
        stories = [gr.Button(story_button(story), size="sm", min_width=60) for story in read_stories().exchanges]
    with gr.Row(elem_classes="gs-pair"):
        fields = [_field("text", 3), _field("word", 1)]
    with gr.Row(elem_classes="gs-pair"):
        fields += [_field("donor", 3), _field("translation", 1), _field("unrelated", 1)]
        move = gr.Button(say("exchange_move"), variant="primary", min_width=140, scale=1, elem_id="exchange-move")
        cancel = gr.Button(say("cancel"), min_width=130, scale=0, elem_id="exchange-cancel")
    status = gr.HTML("", elem_classes="gs-status-line", elem_id="exchange-status")
    figure = gr.HTML(
        "", html_template="${value}", js_on_load=mount_script("panel.js"), elem_id="exchange", elem_classes="gs-root"
    )
    return ExchangeControls(asked, stories, fields, move, cancel, status, figure)


def _field(name: str, scale: int) -> gr.Textbox:
    return gr.Textbox(
        label=say(f"exchange_{name}_field"), min_width=80 * scale, scale=scale, max_lines=1, elem_id=f"exchange-{name}"
    )


class ExchangeListeners:
    """Answers to what a visitor exchanges."""

    def __init__(self, registry: ModelRegistry, jobs: JobQueue) -> None:
        self.registry, self.jobs = registry, jobs
        self.cancellations = Cancellations()
        self._measured: WeakKeyDictionary[Engine, dict[str, Exchange]] = WeakKeyDictionary()

    def on_opening(self, language: str, request: gr.Request) -> Answers:
        """The first story."""
        return self._answer(exchange_request(read_stories().exchanges[0]), language, request)

    async def on_linked(self, link: ExchangedState, language: str, request: gr.Request) -> Answers:
        """What a link says; see `OpenedByLink`.  Of a story that is still the same, also what holds over its words."""
        asked = ExchangeRequest(**vars(link))
        if asked not in map(exchange_request, read_stories().exchanges):
            asked = replace(asked, story="")
        engine = model_of(request, self.registry).engine
        await self.jobs.run(visitor_of(request), lambda left: read_exchange(engine, asked))  # refused here, or not
        async for answer in self._answer(asked, language, request):
            yield answer

    def on_again(self, asked: ExchangeRequest, language: str, request: gr.Request) -> Answers:
        """The same in another language."""
        return self._answer(asked, language, request)

    def on_story(self, story: ExchangeStory) -> Callable[[str, gr.Request], Answers]:
        """The listener of a story's button."""

        async def on_click(language: str, request: gr.Request) -> Answers:
            async for answer in self._answer(exchange_request(story), language, request):
                yield answer

        return on_click

    async def on_exchange(
        self, text: Any, word: Any, donor: Any, translation: Any, unrelated: Any, language: str, request: gr.Request
    ) -> Answers:
        """The visitor's own texts and words."""
        asked = ExchangeRequest(text, word, donor, translation, unrelated)
        async for answer in self._answer(asked, language, request):
            yield answer

    def on_cancel(self, request: gr.Request) -> None:
        """End what this visitor started."""
        self.cancellations.cancel(visitor_of(request))

    async def _answer(self, asked: ExchangeRequest, language: str, request: gr.Request) -> Answers:
        """The case at once; of a story also what holds over its words, once it is measured.  A refusal leaves no old
        figure: it may be of another model."""
        engine, visitor = model_of(request, self.registry).engine, visitor_of(request)
        shown = [asked, *(getattr(asked, name) for name in FIELDS)]
        kept: Any = ""
        try:
            with self.cancellations.register(visitor) as stop:
                first = await self.jobs.run(visitor, lambda left: self._shown(engine, asked, language))
                yield [*shown, "", first]
                kept = gr.skip()
                if not asked.story or asked.story in self._measured.get(engine, {}):
                    return
                steps = partial(self._over_words, engine, asked, language)
                async with aclosing(watched(self.jobs, visitor, steps, stop)) as working:
                    async for step in working:
                        if isinstance(step, Done):
                            yield [*_same, "", step.value]
                        else:
                            yield [*_same, progress_html(say("exchange_measuring", language), step), gr.skip()]
        except Exception as error:
            yield [*shown, failure_html(error, language), kept]

    def _over_words(self, engine: Engine, asked: ExchangeRequest, language: str) -> Generator[float, None, str]:
        story = next(story for story in read_stories().exchanges if story.key == asked.story)
        found = yield from measure_exchange(engine, story)
        self._measured.setdefault(engine, {})[story.key] = found
        return self._shown(engine, asked, language)

    def _shown(self, engine: Engine, asked: ExchangeRequest, language: str) -> str:
        known = self._measured.get(engine, {}).get(asked.story)
        return exchange_view(engine, asked, read_exchange(engine, asked), known, speaker(language))


def connect_exchange(page: ExchangeControls, on: ExchangeListeners, language: gr.Radio) -> None:
    """Join controls and listeners, inside the page's `Blocks`."""
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
    gr.on(
        [page.move.click, *(field.submit for field in page.fields)], on.on_exchange, [*page.fields, language],
        page.outputs, **hidden,
    )  # fmt: skip
    for story, button in zip(read_stories().exchanges, page.stories, strict=True):
        button.click(on.on_story(story), language, page.outputs, **hidden)
    page.cancel.click(on.on_cancel, None, None, queue=False, **hidden)
