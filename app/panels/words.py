"""The words panel: maps of a word set through the layers."""

from functools import lru_cache

import numpy as np

from app.probing.measures import agreement, chance_purity, nearest_rows, neighbours_of
from app.probing.word_cache import NEAR_ON_MAP, WordCache
from app.probing.word_list import Word, gloss
from app.probing.word_states import WordStates, centred
from app.substrate.pictures import draw_pictures
from app.trace.projection import neighbour_changes, project, trustworthiness
from app.trace.record import Floats
from viz.html import Say
from viz.words import MapLayout, WordMap, words_panel

CONCEPTS = (
    "colours", "numbers", "animals", "family", "body", "food", "time", "nature", "places", "countries", "clothes",
    "people", "actions", "feelings", "furniture", "transport", "reading", "music", "qualities",
)  # fmt: skip
"""Groups of the word list; a visitor's own groups are called what the visitor calls them."""


def words_view(word_cache: WordCache, words: tuple[Word, ...], say: Say, language: str = "en") -> str:
    """Every expert's maps of a word set through the layers: the linear one, and UMAP if it is known."""
    states, places = word_cache.states(words), word_cache.places(words)
    bundle = word_cache.engine.bundle
    facts, names = _facts(states, bundle.substrate.recipe), bundle.experts
    layouts = [
        MapLayout(
            "pca",
            facts.points,
            tuple(
                tuple(
                    say("shown", layer=layer, share=say.percent(float(share)), trust=say.number(trust, 2))
                    for layer, (share, trust) in enumerate(zip(facts.shown[e], facts.trust[e], strict=True))
                )
                for e in range(len(names))
            ),
        )
    ]
    if places is not None:
        layouts.append(MapLayout("umap", places, _umap_captions(states.states, places, say)))
    return words_panel(
        WordMap(
            experts=names,
            words=tuple(word.text for word in states.words),
            concepts=tuple(concept_name(word.concept, say) for word in states.words),
            languages=tuple(word.language for word in states.words),
            glosses=tuple(gloss(word.text, language) for word in states.words),
            bitmaps=facts.bitmaps,
            layouts=tuple(layouts),
            near=facts.near,
            purity=facts.purity,
            neighbours=facts.neighbours,
            around=word_cache.around(words),
            chance=chance_purity([word.concept for word in states.words]),
            changes=facts.changes,
        ),
        say,
    )


def concept_name(concept: str, say: Say) -> str:
    """A group of the list in the visitor's language; a visitor's own group as it is."""
    return say("concept_" + concept) if concept in CONCEPTS else concept


class _Facts:
    """What a map shows besides its places: points (E, L + 1, n, 2), shown and trust (E, L + 1), near
    (E, L + 1, n, k), purity (E, L + 1) of the first `neighbours` of them, changes (E, L), and the words' pictures
    (n, 32, 32)."""

    def __init__(self, states: WordStates, recipe: str) -> None:
        concepts = [word.concept for word in states.words]
        projections = [project(expert) for expert in states.states]
        self.points = np.stack([p.points for p in projections])
        self.shown = np.stack([p.shown for p in projections])
        self.trust = np.stack([p.trust for p in projections])
        self.near = np.stack([[nearest_rows(layer, NEAR_ON_MAP) for layer in expert] for expert in states.states])
        self.neighbours = neighbours_of(concepts)
        counted = self.near[..., : self.neighbours]
        self.purity = np.array([[agreement(rows, concepts).mean() for rows in expert] for expert in counted])
        self.bitmaps = draw_pictures([word.text for word in states.words], recipe)
        self.changes = np.stack([neighbour_changes(expert) for expert in states.states])


@lru_cache(maxsize=8)
def _facts(states: WordStates, recipe: str) -> _Facts:
    return _Facts(states, recipe)


def _umap_captions(states: Floats, places: Floats, say: Say) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(
            say("umap_shown", layer=layer, trust=say.number(trustworthiness(centred(layer_states)[0], flat), 2))
            for layer, (layer_states, flat) in enumerate(zip(expert, flats, strict=True))
        )
        for expert, flats in zip(states, places, strict=True)
    )
