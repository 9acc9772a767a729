"""What the words panel does: one method a listener, widget values in, widget values out."""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from html import escape
from typing import Any, TypeVar

import gradio as gr

from app.bank import Progress
from app.brakes import Brakes
from app.curves import Battery
from app.errors import UserError
from app.lexicon import Lexicon
from app.listeners import status_html
from app.proof import PROOF_SETS
from app.proof_views import proof_view
from app.texts import say, speaker
from app.word_views import words_view
from app.words import PRESETS, Word, parse_words, preset
from viz.html import panel

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.15

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class WordListeners:
    """Answers to what a visitor does with word sets."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.brakes = Brakes()

    def on_load(self, language: str) -> list[Any]:
        """A new visitor: a few groups in the visitor's language."""
        name = f"few_{language}"
        return [name, *self.on_preset(name, language)]

    def on_preset(self, name: Any, language: str) -> list[Any]:
        """Show a preset: the words, for the state, and their panel."""
        speak = speaker(language)
        if not self.lexicon.wait(_WAIT_SECONDS):
            return [gr.skip(), panel(speak, "words", "", speak("meanings_wait")), ""]
        words = preset(name if name in PRESETS else PRESETS[0])
        return [words, words_view(self.lexicon, words, speak, language), ""]

    def on_own(self, text: Any, request: gr.Request, language: str) -> Iterator[list[Any]]:
        """Read a visitor's own words and show them."""
        shown = self._shown(language)
        yield from self._watched(request, language, lambda progress: self._read(text, progress), "words_reading", shown)

    def on_umap(self, words: tuple[Word, ...] | None, request: gr.Request, language: str) -> Iterator[list[Any]]:
        """Compute the UMAP places of the words on view."""
        if words is not None:
            shown = self._shown(language)
            job = lambda progress: self._mapped(words, progress)  # noqa: E731
            yield from self._watched(request, language, job, "words_umap", shown)

    def on_cancel(self, request: gr.Request) -> None:
        """End what this visitor started."""
        self.brakes.press(str(request.session_hash))

    def on_language(self, words: tuple[Word, ...] | None, language: str) -> Any:
        """The same words in another language."""
        return gr.skip() if words is None else words_view(self.lexicon, words, speaker(language), language)

    def on_proof(self, own: Battery | None, name: Any, language: str) -> list[Any]:
        """Show the shipped curves of a preset; curves of a visitor's own words stay, in the same plot."""
        speak = speaker(language)
        if not self.lexicon.wait(_WAIT_SECONDS):
            return [own, panel(speak, "proof", "", speak("meanings_wait")), ""]
        proof = self.lexicon.proof
        if proof is None and own is None:
            return [None, panel(speak, "proof", "", speak("proof_none")), ""]
        return [own, proof_view(own, self._shipped(name, language), proof.crossings if proof else None, speak), ""]

    def on_load_proof(self, language: str) -> list[Any]:
        """A new visitor: the curves of the visitor's language."""
        return [language, *self.on_proof(None, language, language)]

    def on_measure(
        self, words: tuple[Word, ...] | None, name: Any, request: gr.Request, language: str
    ) -> Iterator[list[Any]]:
        """Run the battery over the words on the map."""
        if words is not None:
            job: Callable[[Progress], Battery] = lambda progress: self.lexicon.battery(words, progress)  # noqa: E731
            shown = lambda battery: self.on_proof(battery, name, language)  # noqa: E731
            yield from self._watched(request, language, job, "words_probing", shown)

    def _shipped(self, name: Any, language: str) -> tuple[str, Battery] | None:
        """A shipped set's code and battery; for a name that is none, that of the visitor's language, or the first."""
        proof = self.lexicon.proof
        known = next((asked for asked in (name, language) if asked in PROOF_SETS), PROOF_SETS[0])
        return None if proof is None else (f"proof_set_{known}", proof.batteries[known])

    def _read(self, text: Any, progress: Progress) -> tuple[Word, ...]:
        words = parse_words(text)
        for word in words:
            if self.lexicon.engine.unknown(word.text):
                raise UserError("unknown_word", word=word.text)
        self.lexicon.states(words, progress)
        return words

    def _mapped(self, words: tuple[Word, ...], progress: Progress) -> tuple[Word, ...]:
        self.lexicon.umap(words, progress)
        return words

    def _shown(self, language: str) -> Callable[[tuple[Word, ...]], list[Any]]:
        return lambda words: [words, words_view(self.lexicon, words, speaker(language), language), ""]

    def _watched(
        self,
        request: gr.Request,
        language: str,
        job: Callable[[Progress], Result],
        code: str,
        shown: Callable[[Result], list[Any]],
    ) -> Iterator[list[Any]]:
        """Run a job beside, tell its progress under a state and a panel left as they are, and show what it
        gives."""
        speak, kept = speaker(language), [gr.skip()] * 2
        try:
            with self.brakes.hold(str(request.session_hash)) as stop:
                working = watched(job, stop)
                while True:
                    try:
                        share = next(working)
                    except StopIteration as done:
                        yield shown(done.value)
                        return
                    yield [*kept, progress_html(speak(code), share)]
        except UserError as error:
            yield [*kept, status_html(say(error.code, language, **error.values), failed=True)]
        except Exception:
            log.exception("a word set failed")
            yield [*kept, status_html(say("busy", language), failed=True)]


def watched(job: Callable[[Progress], Result], stop: threading.Event) -> Generator[float, None, Result]:
    """Yield the share that a job tells while it runs in a thread beside; return what it gives.

    Raises:
        UserError: `cancelled`, at once, when `stop` is set; the job ends at its next progress.
    """
    share = 0.0

    def progress(done: float) -> bool:
        nonlocal share
        share = done
        return not stop.is_set()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(job, progress)
    pool.shutdown(wait=False)
    while not future.done():
        if stop.is_set():
            raise UserError("cancelled")
        yield share
        wait([future], _POLL_SECONDS)
    return future.result()


def progress_html(sentence: str, share: float) -> str:
    """One line: what is being done, with a bar."""
    return (
        f"<p class='gs-status' role='status'><progress max='1' value='{share:.2f}'></progress> {escape(sentence)}</p>"
    )
