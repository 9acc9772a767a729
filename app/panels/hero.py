"""The moving picture that the page opens with, from the states of the model on display."""

import logging
import threading
from weakref import WeakKeyDictionary

import numpy as np

from app.models import LoadedModel
from app.panels.words import concept_name
from app.probing.measures import agreement, chance_purity, nearest_rows, neighbours_of
from app.probing.showcase import carried_states, showcase_words
from app.probing.word_cache import WordCache
from app.probing.word_states import WordStates
from app.substrate.pictures import draw_pictures
from app.trace.projection import ASPECT, aligned_points
from app.trace.record import Floats
from app.trace.spacing import Places, keep_apart, spread
from app.wording.catalogue import speaker
from viz.hero import STAGES, Hero, Stage, hero_panel
from viz.html import Say

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
        facts = _facts_of(model.word_cache, say.language)
        return "" if facts is None else hero_panel(facts.hero(model.word_cache, say), say)
    except Exception:
        log.exception("the moving picture failed")
        return ""


def _facts_of(word_cache: WordCache, language: str) -> "_Facts | None":
    known = _heroes.setdefault(word_cache, {})
    if language in known:  # without the lock: another model or language may take long
        return known[language]
    with _lock:
        if language not in known:
            states = carried_states(word_cache, showcase_words(word_cache, language))
            if states is None:
                return None
            known[language] = _Facts(states, word_cache)
        return known[language]


class _Facts:
    """What does not depend on the words of the page: `Hero` without its names."""

    def __init__(self, states: WordStates, word_cache: WordCache) -> None:
        engine = word_cache.engine
        self.words = tuple(word.text for word in states.words)
        self.concepts = [word.concept for word in states.words]
        self.neighbours = neighbours_of(self.concepts)
        self.same = np.stack([[self._same(layer) for layer in expert] for expert in states.states])
        self.bitmaps = draw_pictures(list(self.words), engine.bundle.substrate.recipe)
        self.whole = sum(len(engine.ids_of(word)) == 1 for word in self.words)
        points = np.stack([aligned_points(expert)[0] for expert in states.states])
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

    def hero(self, word_cache: WordCache, say: Say) -> Hero:
        groups = list(dict.fromkeys(self.concepts))
        same = np.rint(self.same).astype(np.int64)
        return Hero(
            experts=word_cache.engine.bundle.experts,
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
