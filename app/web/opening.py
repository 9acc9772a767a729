"""When an instrument is filled: the first time that it is seen, and anew in another language or over another model.
Until then it costs nothing."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol

import gradio as gr

from app.panels.status import status_html
from app.web.answers import failure_html
from app.web.visitor import visitor_of
from app.wording.catalogue import say
from app.wording.errors import UserError

Answers = AsyncIterator[list[Any]]
"""Values of an instrument's outputs, as they become known."""


class Opened(Protocol):
    """The listeners of an instrument: what it shows first, and how it shows the same again."""

    def on_opening(self, language: str, request: gr.Request) -> Answers:
        """What a visitor with this language sees before asking anything."""

    def on_again(self, asked: Any, language: str, request: gr.Request) -> Answers:
        """What was asked for, in another language."""


class OpenedByLink(Opened, Protocol):
    """The listeners of an instrument that a link can open as it was."""

    def on_linked(self, link: Any, language: str, request: gr.Request) -> Answers:
        """What a link says of this instrument.

        Raises:
            UserError: where the model on view does not have that.
        """


class OpeningGate:
    """Listeners in front of an instrument with so many outputs.  link: the `PageLink` that the page was opened by, if
    it was; asked: what the instrument shows, None while it was never opened; what is not due changes nothing.
    settings: the places in the outputs of what the visitor types and chooses, which another language leaves alone, and
    so does the opening once something is typed."""

    def __init__(self, instrument: Opened, outputs: int, settings: range = range(0)) -> None:
        self.instrument, self._nothing, self._settings = instrument, [gr.skip()] * outputs, settings
        self._opening: dict[str, object] = {}
        """Sessions in which the instrument is being opened, with what tells this opening from another."""
        self._typed: set[str] = set()
        """Sessions in which something was typed before the instrument has shown anything."""

    async def on_first(self, link: Any, asked: Any, language: str, request: gr.Request) -> Answers:
        """Its tab or its fold is opened."""
        async with aclosing(self.once(link, language, request, asked is None)) as answers:
            async for answer in answers:
                yield answer

    async def on_shown(self, link: Any, tab: Any, asked: Any, language: str, request: gr.Request) -> Answers:
        """Some tab is shown, as an address may ask for."""
        due = tab == "break" and asked is None
        async with aclosing(self.once(link, language, request, due)) as answers:
            async for answer in answers:
                yield answer

    def on_typed(self, asked: Any, request: gr.Request) -> None:
        """A text has changed: if the instrument shows nothing yet, its opening leaves what the visitor typed alone."""
        if asked is None:
            self._typed.add(visitor_of(request).session)

    async def on_language(self, asked: Any, language: str, request: gr.Request) -> Answers:
        """The visitor reads another language."""
        again = None if asked is None else self.instrument.on_again(asked, language, request)
        async for answer in self._only(again):
            yield self._left_alone(answer)

    async def on_switch(self, asked: Any, language: str, request: gr.Request) -> Answers:
        """Another model is on view."""
        async for answer in self._only(None if asked is None else self.instrument.on_opening(language, request)):
            yield answer

    async def once(
        self, link: Any, language: str, request: gr.Request, due: bool, anew: bool = False
    ) -> AsyncGenerator[list[Any]]:
        """The opening.  A press on a tab is told as both events: only the first one opens the instrument, as the answer
        to the second would come over what the visitor has asked for meanwhile.  anew: open it all the same, in place of
        an opening that is under way."""
        session, own = visitor_of(request).session, object()
        if not due or (session in self._opening and not anew):
            yield self._nothing
            return
        self._opening[session] = own
        try:
            async with aclosing(self._only(self._opened(link, language, request))) as answers:
                async for answer in answers:
                    if self._opening.get(session) is not own:
                        break
                    yield self._left_alone(answer) if session in self._typed else answer
        finally:
            if self._opening.get(session) is own:
                del self._opening[session]
                self._typed.discard(session)

    def _left_alone(self, answer: list[Any]) -> list[Any]:
        """The answer without what the visitor types and chooses."""
        return [gr.skip() if place in self._settings else value for place, value in enumerate(answer)]

    def _opened(self, link: Any, language: str, request: gr.Request) -> Answers:
        return self.instrument.on_opening(language, request)

    async def _only(self, due: Answers | None) -> AsyncGenerator[list[Any]]:
        if due is not None:
            async for answer in due:
                yield answer
        yield self._nothing  # Gradio sends the last answer twice: not a whole panel


class LinkedGate(OpeningGate):
    """The same in front of an instrument that a link can open as it was: with what `part` of the link says, and where
    that cannot be shown, with the usual and a sentence, at `status` of the outputs."""

    def __init__(self, instrument: OpenedByLink, outputs: int, part: str, status: int) -> None:
        super().__init__(instrument, outputs, range(1, status))
        self._by_link, self._part, self._status = instrument, part, status

    async def on_linked(self, link: Any, tab: Any, language: str, request: gr.Request) -> Answers:
        """The server knows what the page's address asks for.  The tab may have been opened by then, as usual: the page
        comes with it."""
        due = tab == "break" and getattr(link, self._part, None) is not None
        async with aclosing(self.once(link, language, request, due, anew=True)) as answers:
            async for answer in answers:
                yield answer

    async def _opened(self, link: Any, language: str, request: gr.Request) -> Answers:
        own, refused = getattr(link, self._part, None), ""
        if own is not None:
            try:
                async for answer in self._by_link.on_linked(own, language, request):
                    yield answer
                return
            except UserError as error:
                reason = say(error.code, language, **error.values)
                refused = status_html(say("link_part", language, reason=reason), failed=True)
            except Exception as error:
                refused = failure_html(error, language)
        async for answer in self.instrument.on_opening(language, request):
            yield [refused or value if i == self._status else value for i, value in enumerate(answer)]
