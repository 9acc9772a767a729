"""One model opened for questions: each answer is a record."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.checkpoint.bundle import MINI
from app.engine.sampling import Sampling
from app.intervene.drawing import draw, open_canvas, picture_of
from app.intervene.patching import patch_map
from app.intervene.pixels import from_strings
from app.models import LoadedModel, load_model
from app.notebook.causal import Attributed, Drawn, Patched
from app.notebook.record import style
from app.notebook.texts import ReadText, TextLens
from app.notebook.words import SetProbes, SetStates
from app.panels.attribution import attribution_of
from app.panels.patching import PatchRequest, read_request
from app.panels.provenance import model_source, text_source
from app.probing.word_list import Word, all_words, asked_words
from app.trace.record import Trace
from app.wording.catalogue import speaker
from app.wording.errors import UserError

Words = str | Mapping[str, Sequence[str]]
"""The name of a word set, a text with one group a line, or {group: words}."""
Answers = tuple[str | int, str | int]
"""Two tokens, by text or by id."""


class Scope:
    """A model and the language in which its panels speak (`en`, `ru` or `zh`).

    Wrong input raises `UserError`, a `ValueError` whose message says what to do.
    """

    def __init__(self, model: LoadedModel, language: str = "en") -> None:
        self.model, self.engine, self.say = model, model.engine, speaker(language)

    @property
    def about(self) -> dict[str, Any]:
        """Name, weights, experts and layers of the model, and the version of this project."""
        return model_source(self.model)

    def __repr__(self) -> str:
        shape = self.engine.model.shape
        return f"<Scope: {self.engine.bundle.name}, {shape.experts} experts x {shape.layers} layers x {shape.width}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
            for name, value in self.about.items()
        )
        return f"<style>{style()}</style><div class='gs-root'><table><tbody>{rows}</tbody></table></div>"

    def look(self, text: str, weights: Sequence[float] | None = None) -> ReadText:
        """Read a text once; weights (E,): of the experts in the fusion, by default the model's own."""
        return self._read(self.engine.look(text, weights))

    def write(
        self, prompt: str, temperature: float = 0.8, top_k: int = 50, top_p: float = 0.95, seed: int = 0,
        new_tokens: int = 48, weights: Sequence[float] | None = None,
    ) -> ReadText:  # fmt: skip
        """Continue a prompt; the same arguments give the same text, here and on the page."""
        sampling = Sampling(temperature, top_k, top_p, seed, new_tokens)
        *_, last = self.engine.generate(prompt, sampling, weights)
        assert last.trace is not None, "the closing step has the trace"
        return self._read(last.trace)

    def lens(self, text: str | ReadText, top: int = 1) -> TextLens:
        """What each layer of each expert would say after every token: the likeliest `top` tokens."""
        trace = text.trace if isinstance(text, ReadText) else self.engine.look(text)
        return TextLens(self.model, self.say, text_source(self.model, trace), trace, self.engine.lens(trace, top))

    def states(self, words: Words) -> SetStates:
        """Hidden states of a word set: as on the page, in real sentences where the word list has some."""
        asked = self._words(words)
        return SetStates(self.model, self.say, self._about_words(asked), self.model.word_cache.states(asked))

    def probe(self, words: Words) -> SetProbes:
        """Measures of meaning over a word set, layer by layer, with shuffled labels and an untrained network beside."""
        asked = self._words(words)
        return SetProbes(self.model, self.say, self._about_words(asked), asked, self.model.word_cache.probed(asked))

    def patch(self, first: str, second: str, answers: Answers | None = None) -> Patched:
        """Put every state of the second text, one at a time, into the run of the first (as many tokens)."""
        read = read_request(self.engine, PatchRequest(first, second, answers or (None, None)))
        about = model_source(self.model, text=f"{first} | {second}")
        return Patched(self.model, self.say, about, read, patch_map(read))

    def draw(self, text: str, index: int, picture: str | Sequence[str] | NDArray[np.bool_]) -> Drawn:
        """Put a picture in the place of token `index` (from 1): a text to draw, 32 strings of 0 and 1, or an array."""
        canvas = open_canvas(self.engine, text, index)
        if isinstance(picture, np.ndarray):
            picture = ["".join("01"[bool(ink)] for ink in row) for row in picture]
        pixels = picture_of(self.engine, picture) if isinstance(picture, str) else from_strings(list(picture))
        about = model_source(self.model, text=text, token=index)
        return Drawn(self.model, self.say, about, canvas, draw(canvas, pixels))

    def attribute(self, text: str, answers: Answers | None = None) -> Attributed:
        """Split the margin of two tokens after a text (by default the likeliest two) into the parts of the network."""
        ids, found, _ = attribution_of(self.engine, text, answers or (None, None))
        return Attributed(self.model, self.say, model_source(self.model, text=text), ids, found)

    def _read(self, trace: Trace) -> ReadText:
        return ReadText(self.model, self.say, text_source(self.model, trace), trace)

    def _words(self, words: Words) -> tuple[Word, ...]:
        """The words that are asked for; the list is prepared the first time that it is needed.

        Raises:
            UserError: `unknown_word` for a word that the vocabulary cannot write.
        """
        asked, cache = asked_words(words), self.model.word_cache
        for word in asked:
            if self.engine.unknown(word.text):
                raise UserError("unknown_word", word=word.text)
        if cache.list_states is None and set(asked) <= set(all_words()):
            cache.prepare(self.model.folder)
        return asked

    def _about_words(self, words: tuple[Word, ...]) -> dict[str, Any]:
        return model_source(self.model, words=" ".join(dict.fromkeys(word.concept for word in words)))


def open_model(where: str | Path = MINI, language: str = "en") -> Scope:
    """Open a model: the bundled one, a folder (from here, or from the root of the repository), or an id on a hub.

    Raises:
        UserError: when it cannot be found, fetched, read or verified.
    """
    beside = MINI.parents[1] / where
    return Scope(load_model(str(beside if beside.is_dir() and not Path(where).is_dir() else where)), language)
