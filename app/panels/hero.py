"""The moving picture that the page opens with, from the states of the model on display."""

import logging
import threading
from weakref import WeakKeyDictionary

import numpy as np

from app.models import LoadedModel
from app.panels.words import concept_name
from app.probing.measures import agreement, chance_purity, nearest_rows, neighbours_of
from app.probing.word_cache import WordCache
from app.probing.word_list import FEW, Word, all_words
from app.probing.word_states import WordStates, word_states
from app.substrate.pictures import draw_pictures
from app.trace.projection import ASPECT, project
from app.trace.record import Floats
from app.trace.spacing import Places, keep_apart, spread
from app.wording.catalogue import speaker
from viz.hero import STAGES, Hero, Stage, hero_panel
from viz.html import Say

GROUP_WORDS = 6
"""Words of each group: 24 in all have room on a phone."""
LETTERS = 8
"""Longer words are hard to read in 32 dots, and would not stand beside each other on a phone."""

_SPREAD = 0.5
"""How far the words of a layer are spread evenly over the stage, 0..1: nearly half of it is covered with tiles."""

log = logging.getLogger(__name__)
_lock = threading.Lock()
_heroes: WeakKeyDictionary[WordCache, dict[str, "_Facts"]] = WeakKeyDictionary()  # goes with its model


def hero_html(model: LoadedModel, language: str) -> str:
    """The moving picture over a model, in a language; nothing as long as a foreign model's word list is not read, nor
    where it fails, for the page is of use without it."""
    say = speaker(language)
    try:
        facts = _facts_of(model.lexicon, say.language)
        return "" if facts is None else hero_panel(facts.hero(model.lexicon, say), say)
    except Exception:
        log.exception("the moving picture failed")
        return ""


def _facts_of(lexicon: WordCache, language: str) -> "_Facts | None":
    with _lock:
        known = _heroes.setdefault(lexicon, {})
        if language not in known:
            states = _carried_states(lexicon, hero_words(lexicon, language))
            if states is None:
                return None
            known[language] = _Facts(states, lexicon)
        return known[language]


def hero_words(lexicon: WordCache, language: str) -> tuple[Word, ...]:
    """Of each of the four groups the first short words that the model reads as one picture; where there are too few of
    them, the first of the others."""
    engine = lexicon.engine
    found: list[Word] = []
    for group in FEW:
        words = [word for word in all_words() if (word.language, word.concept) == (language, group)]
        words = [word for word in words if len(word.text) <= LETTERS]
        found += sorted(words, key=lambda word: len(engine.ids_of(word.text)) > 1)[:GROUP_WORDS]
    return tuple(found)


def _carried_states(lexicon: WordCache, words: tuple[Word, ...]) -> WordStates | None:
    """States of words that were all read in the same carrier sentences, so that no context tells a group.

    The shipped list of a model of ours was read in real sentences, so its few words are read anew, which takes less
    than a second; a foreign model's list was read in carriers, once it is there."""
    bank = lexicon.bank
    if bank is not None and not bank.in_text:
        return bank.subset(words)
    return word_states(lexicon.engine, words) if lexicon.engine.bundle.report is None else None


class _Facts:
    """What does not depend on the words of the page: `Hero` without its names."""

    def __init__(self, states: WordStates, lexicon: WordCache) -> None:
        engine = lexicon.engine
        self.words = tuple(word.text for word in states.words)
        self.concepts = [word.concept for word in states.words]
        self.neighbours = neighbours_of(self.concepts)
        self.same = np.stack([[self._same(layer) for layer in expert] for expert in states.states])
        self.bitmaps = draw_pictures(list(self.words), engine.bundle.substrate.recipe)
        self.whole = sum(len(engine.ids_of(word)) == 1 for word in self.words)
        points = np.stack([project(expert).points for expert in states.states])
        self.places = {name: self._placed(points, stage) for name, stage in STAGES.items()}

    def _same(self, states: Floats) -> Floats:
        """How many (n,) of each word's nearest are of its group."""
        return agreement(nearest_rows(states, self.neighbours), self.concepts) * self.neighbours

    def _placed(self, points: Floats, stage: Stage) -> Places:
        """Points (E, L + 1, n, 2) on a stage, no tile over another."""
        sizes, room = stage.extents(self.words), np.array([stage.width, stage.height], float)
        largest = sizes.max(axis=0)
        even = spread(points.astype(float) * (1 / ASPECT, -1), _SPREAD)
        middles = (even + 1) / 2 * (room - largest) + largest / 2
        flat = middles.reshape(-1, *middles.shape[2:])
        return np.stack([keep_apart(layer, sizes, (room[0], room[1])) for layer in flat]).reshape(middles.shape)

    def hero(self, lexicon: WordCache, say: Say) -> Hero:
        groups = list(dict.fromkeys(self.concepts))
        same = np.rint(self.same).astype(np.int64)
        return Hero(
            experts=lexicon.engine.bundle.experts,
            words=self.words,
            groups=tuple(concept_name(group, say) for group in groups),
            of=tuple(groups.index(concept) for concept in self.concepts),
            bitmaps=self.bitmaps,
            places=self.places,
            same=same,
            neighbours=self.neighbours,
            chance=chance_purity(self.concepts),
            whole=self.whole,
            first=int(same[:, -1].sum(axis=1).argmax()),
        )
