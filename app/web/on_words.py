"""What the words panel does: one method a listener, widget values in, widget values out."""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import gradio as gr

from app.engine.cancellation import Cancellations
from app.models import ModelRegistry
from app.panels.proof import proof_view
from app.panels.status import progress_html, status_html
from app.panels.words import words_view
from app.probing.curves import Battery
from app.probing.word_cache import WordCache
from app.probing.word_list import PRESETS, Word, parse_words, preset
from app.probing.word_proof import PROOF_SETS
from app.probing.word_states import Progress
from app.web.visitor import model_of
from app.wording.catalogue import say, speaker
from app.wording.errors import UserError
from viz.html import panel

_POLL_SECONDS = 0.15

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class WordListeners:
    """Answers to what a visitor does with word sets."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry
        self.cancellations = Cancellations()

    def _lexicon(self, request: gr.Request) -> WordCache:
        """The word list of the model that this visitor sees."""
        return model_of(request, self.registry).lexicon

    def on_load(self, language: str, request: gr.Request) -> list[Any]:
        """A new visitor: the groups kept out, in the visitor's language."""
        name = f"kept_{language}"
        return [name, *self.on_preset(name, language, request)]

    def on_preset(self, name: Any, language: str, request: gr.Request) -> list[Any]:
        """Show a preset: the words, for the state, and their panel."""
        speak, lexicon = speaker(language), self._lexicon(request)
        if lexicon.bank is None:
            return [gr.skip(), panel(speak, "words", "", speak("meanings_wait")), ""]
        words = preset(name if name in PRESETS else PRESETS[0])
        return [words, words_view(lexicon, words, speak, language), ""]

    def on_own(self, text: Any, request: gr.Request, language: str) -> Iterator[list[Any]]:
        """Read a visitor's own words and show them."""
        lexicon = self._lexicon(request)
        job = lambda progress: _read(lexicon, text, progress)  # noqa: E731
        yield from self._watched(request, language, job, "words_reading", _shown(lexicon, language))

    def on_umap(self, words: tuple[Word, ...] | None, request: gr.Request, language: str) -> Iterator[list[Any]]:
        """Compute the UMAP places of the words on view."""
        if words is not None:
            lexicon = self._lexicon(request)
            job = lambda progress: _mapped(lexicon, words, progress)  # noqa: E731
            yield from self._watched(request, language, job, "words_umap", _shown(lexicon, language))

    def on_cancel(self, request: gr.Request) -> None:
        """End what this visitor started."""
        self.cancellations.cancel(str(request.session_hash))

    def on_language(self, words: tuple[Word, ...] | None, language: str, request: gr.Request) -> Any:
        """The same words in another language."""
        return gr.skip() if words is None else words_view(self._lexicon(request), words, speaker(language), language)

    def on_proof(self, own: Battery | None, name: Any, language: str, request: gr.Request) -> list[Any]:
        """Show the shipped curves of a preset; curves of a visitor's own words stay, in the same plot."""
        return _proved(self._lexicon(request), own, name, language)

    def on_load_proof(self, language: str, request: gr.Request) -> list[Any]:
        """A new visitor: the curves of the groups kept out, in the visitor's language."""
        name = f"kept_{language}"
        return [name, *self.on_proof(None, name, language, request)]

    def on_measure(
        self, words: tuple[Word, ...] | None, name: Any, request: gr.Request, language: str
    ) -> Iterator[list[Any]]:
        """Run the battery over the words on the map."""
        if words is not None:
            lexicon = self._lexicon(request)
            job: Callable[[Progress], Battery] = lambda progress: lexicon.battery(words, progress)  # noqa: E731
            shown = lambda battery: _proved(lexicon, battery, name, language)  # noqa: E731
            yield from self._watched(request, language, job, "words_probing", shown)

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
            with self.cancellations.register(str(request.session_hash)) as stop:
                working = run_with_progress(job, stop)
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


def run_with_progress(job: Callable[[Progress], Result], stop: threading.Event) -> Generator[float, None, Result]:
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


def _proved(lexicon: WordCache, own: Battery | None, name: Any, language: str) -> list[Any]:
    """The proof panel: curves of a visitor's own words, beside those of a shipped set; for a name that is none,
    the groups kept out in the visitor's language, or the first."""
    speak = speaker(language)
    if own is not None and own.experts != lexicon.engine.bundle.experts:  # of a model that is no longer on view
        own = None
    if lexicon.bank is None:
        return [own, panel(speak, "proof", "", speak("meanings_wait")), ""]
    if lexicon.proof is None:
        empty = panel(speak, "proof", "", speak("proof_none"))
        return [own, empty if own is None else proof_view(own, None, None, speak), ""]
    batteries = lexicon.proof.batteries
    known = next(asked for asked in (name, f"kept_{language}", PROOF_SETS[0]) if asked in PROOF_SETS)
    tongue = known.rpartition("_")[2]
    classes = batteries[tongue], batteries[f"nouns_{tongue}"]
    return [own, proof_view(own, (f"proof_set_{known}", batteries[known]), lexicon.proof.crossings, speak, classes), ""]


def _read(lexicon: WordCache, text: Any, progress: Progress) -> tuple[Word, ...]:
    words = parse_words(text)
    for word in words:
        if lexicon.engine.unknown(word.text):
            raise UserError("unknown_word", word=word.text)
    lexicon.states(words, progress)
    return words


def _mapped(lexicon: WordCache, words: tuple[Word, ...], progress: Progress) -> tuple[Word, ...]:
    lexicon.umap(words, progress)
    return words


def _shown(lexicon: WordCache, language: str) -> Callable[[tuple[Word, ...]], list[Any]]:
    return lambda words: [words, words_view(lexicon, words, speaker(language), language), ""]
