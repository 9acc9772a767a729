"""What the word maps and the curves do: one method a listener; its answer names the components that change."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import gradio as gr

from app.checkpoint.training_record import translated_share
from app.engine.cancellation import Cancellations
from app.models import ModelRegistry
from app.panels.proof import proof_view
from app.panels.status import progress_html
from app.panels.words import words_view
from app.probing.curves import ProbeResults
from app.probing.word_cache import WordCache
from app.probing.word_list import PRESETS, Word, parse_words, preset
from app.probing.word_proof import PROOF_SETS
from app.probing.word_states import Progress
from app.system.shared_cache import SharedCache
from app.web.answers import Answer, told_in
from app.web.visitor import model_of
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from viz.html import panel

_POLL_SECONDS = 0.15
_KEPT_MAPS = 9
"""Maps of shipped sets that are kept as they are drawn, about 100 kB each."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Done(Generic[Result]):
    """The result of a job."""

    value: Result


class WordListeners:
    """Answers to what a visitor does with word sets."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry
        self.cancellations = Cancellations()
        self._maps: WeakKeyDictionary[WordCache, SharedCache[Answer]] = WeakKeyDictionary()

    def _word_cache(self, request: gr.Request) -> WordCache:
        """The word list of the model that this visitor sees."""
        return model_of(request, self.registry).word_cache

    def on_preset(self, name: Any, language: str, request: gr.Request) -> Answer:
        """Show a preset: the words, for the state, and their panel."""
        speak, word_cache = speaker(language), self._word_cache(request)
        if word_cache.list_states is None:
            return {"words_figure": panel(speak, "words", "", speak("meanings_wait")), "words_status": ""}
        name = name if name in PRESETS else PRESETS[0]
        words, maps = preset(name), self._maps.setdefault(word_cache, SharedCache(_KEPT_MAPS))
        key = (name, language, word_cache.places(words) is not None)
        if (known := maps.get(key)) is None:
            known = maps.put(key, _mapped(word_cache, words, language))
        return known

    def shown(self, words: tuple[Word, ...] | None, name: Any, language: str, request: gr.Request) -> Answer:
        """The words on the map, in another language or for the first time: then those of a preset."""
        word_cache = self._word_cache(request)
        if words is None or word_cache.list_states is None:
            return self.on_preset(name, language, request)
        return _mapped(word_cache, words, language)

    @told_in("words_status")
    def on_own(self, text: Any, request: gr.Request, language: str) -> Iterator[Answer]:
        """Read a visitor's own words and show them."""
        word_cache = self._word_cache(request)
        job = lambda progress: _read(word_cache, text, progress)  # noqa: E731
        for step in self._watched(request, job):
            yield _progress(
                "words", language, "words_reading", step, lambda words: _mapped(word_cache, words, language)
            )

    @told_in("words_status")
    def on_umap(self, words: tuple[Word, ...] | None, request: gr.Request, language: str) -> Iterator[Answer]:
        """Compute the UMAP places of the words on view."""
        if words is not None:
            word_cache = self._word_cache(request)
            job = lambda progress: _placed(word_cache, words, progress)  # noqa: E731
            for step in self._watched(request, job):
                yield _progress(
                    "words", language, "words_umap", step, lambda words: _mapped(word_cache, words, language)
                )

    def on_cancel(self, request: gr.Request) -> None:
        """End what this visitor started."""
        self.cancellations.cancel(str(request.session_hash))

    def on_proof(self, own: ProbeResults | None, name: Any, language: str, request: gr.Request) -> Answer:
        """Show the shipped curves of a preset; curves of a visitor's own words stay, in the same plot."""
        return proof_answer(self._word_cache(request), own, name, language)

    @told_in("proof_status")
    def on_measure(
        self, words: tuple[Word, ...] | None, word_set: Any, name: Any, request: gr.Request, language: str
    ) -> Iterator[Answer]:
        """Run the probes over the words on the map, or over those that would be there."""
        word_cache = self._word_cache(request)
        asked = words or preset(word_set if word_set in PRESETS else PRESETS[0])
        if word_cache.list_states is not None:
            job: Callable[[Progress], ProbeResults] = lambda progress: word_cache.probed(asked, progress)  # noqa: E731
            for step in self._watched(request, job):
                shown = lambda results: proof_answer(word_cache, results, name, language)  # noqa: E731
                yield _progress("proof", language, "words_probing", step, shown)

    def _watched(self, request: gr.Request, job: Callable[[Progress], Result]) -> Iterator[float | Done[Result]]:
        """Run a job in the background: yields its progress, then its result."""
        with self.cancellations.register(str(request.session_hash)) as stop:
            working = run_with_progress(job, stop)
            while True:
                try:
                    yield next(working)
                except StopIteration as done:
                    yield Done(done.value)
                    return


def _progress(
    panel_name: str, language: str, code: str, step: float | Done[Result], shown: Callable[[Result], Answer]
) -> Answer:
    """A step of a job on the page: its progress under the panel, or what it gave."""
    if isinstance(step, Done):
        return shown(step.value)
    speak = speaker(language)
    return {f"{panel_name}_status": progress_html(speak(code), step)}


def run_with_progress(job: Callable[[Progress], Result], stop: threading.Event) -> Generator[float, None, Result]:
    """Yield the progress of a job while it runs in another thread; return its result.

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


def proof_answer(word_cache: WordCache, own: ProbeResults | None, name: Any, language: str) -> Answer:
    """The proof panel: curves of a visitor's own words, beside those of a shipped set; for an unknown name, the groups
    kept out in the visitor's language, or the first."""
    speak = speaker(language)
    if own is not None and own.experts != word_cache.engine.bundle.experts:  # of a model that is no longer on view
        own = None
    if word_cache.list_states is None:
        return _curves(own, panel(speak, "proof", "", speak("meanings_wait")))
    if word_cache.proof is None:
        empty = panel(speak, "proof", "", speak("proof_none"))
        return _curves(own, empty if own is None else proof_view(own, None, None, speak))
    results = word_cache.proof.results
    known = next(asked for asked in (name, f"kept_{language}", PROOF_SETS[0]) if asked in PROOF_SETS)
    tongue = known.rpartition("_")[2]
    classes = results[tongue], results[f"nouns_{tongue}"]
    known_set = f"proof_set_{known}", results[known]
    paired = translated_share(word_cache.engine.bundle.training)
    return _curves(own, proof_view(own, known_set, word_cache.proof.crossings, speak, classes, paired))


def _curves(own: ProbeResults | None, drawn: str) -> Answer:
    return {"probe_results": own, "proof_figure": drawn, "proof_status": ""}


def _read(word_cache: WordCache, text: Any, progress: Progress) -> tuple[Word, ...]:
    words = parse_words(text)
    for word in words:
        if word_cache.engine.unknown(word.text):
            raise UserError("unknown_word", word=word.text)
    word_cache.states(words, progress)
    return words


def _placed(word_cache: WordCache, words: tuple[Word, ...], progress: Progress) -> tuple[Word, ...]:
    word_cache.umap(words, progress)
    return words


def _mapped(word_cache: WordCache, words: tuple[Word, ...], language: str) -> Answer:
    """The words, for the state, and their maps."""
    return {
        "words": words,
        "words_figure": words_view(word_cache, words, speaker(language), language),
        "words_status": "",
    }
