"""The moving picture that the page opens with: a few words as pictures, which walk from looks to meaning."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say
from viz.templates import rendered
from viz.tokens import visible

MARKS = "●■▲◆"
"""A mark for each group beside its colour; with more groups than marks they begin again."""


@dataclass(frozen=True)
class Stage:
    """Where the words walk, in pixels of a stage of that size; the page scales it as a whole.  picture and letter: the
    size of a tile's picture and of the writing under it; gap: what stays free between two tiles."""

    width: int
    height: int
    picture: int
    letter: float
    gap: float

    @property
    def tall(self) -> float:
        """What a tile takes up of the height."""
        return self.picture + 1.45 * self.letter + self.gap

    def extents(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Width and height (n, 2) that the words' tiles take up, with the gap."""
        return np.array([(max(self.picture + 6.0, self._written(word)) + self.gap, self.tall) for word in words])

    def _written(self, word: str) -> float:
        """Width of the mark and the word, on the safe side: fonts differ."""
        letters = sum(1.02 if ord(letter) > 0x2E80 else 0.66 for letter in visible(word))
        return self.letter * (letters + 1.15)


STAGES = {"wide": Stage(1000, 640, 54, 15.5, 12), "narrow": Stage(360, 372, 28, 10.5, 6)}
"""For a computer's screen and for a phone's."""


@dataclass(frozen=True, eq=False)
class Hero:
    """n words of some groups, as pictures, in E experts and L + 1 layers."""

    experts: tuple[str, ...]
    words: tuple[str, ...]
    groups: tuple[str, ...]
    of: tuple[int, ...]
    """Group of each word."""
    bitmaps: NDArray[np.bool_]
    """(n, 32, 32)"""
    places: dict[str, NDArray[np.float64]]
    """By stage, (E, L + 1, n, 2): middles of the tiles in pixels of that stage."""
    same: NDArray[np.int64]
    """(E, L + 1, n): how many of a word's nearest words are of its own group."""
    neighbours: int
    """So many nearest words count."""
    chance: float
    """The share of them that there is without any meaning, 0..1."""
    whole: int
    """How many words come to the model as one picture."""
    first: int
    """The expert to begin with."""

    def __post_init__(self) -> None:
        shape = (len(self.experts), self.same.shape[1], len(self.words))
        assert self.same.shape == shape, f"{self.same.shape} for {shape}"
        for name, places in self.places.items():
            assert places.shape == (*shape, 2), f"{name}: {places.shape} for {shape}"

    @property
    def shares(self) -> NDArray[np.float64]:
        """(E, L + 1): share of the nearest words that are of the same group, over all words, 0..1."""
        found: NDArray[np.float64] = self.same.mean(axis=2) / self.neighbours
        return found


def hero_panel(hero: Hero, say: Say) -> str:
    """Promise, stage and controls; the page moves the tiles without asking the server."""
    marks = [(group % len(MARKS), MARKS[group % len(MARKS)]) for group in range(len(hero.groups))]
    return rendered(
        "hero.html",
        hero=hero,
        say=say,
        data=json.dumps(_carried(hero, say), ensure_ascii=False, separators=(",", ":")),
        groups=[(*mark, name) for mark, name in zip(marks, hero.groups, strict=True)],
        tiles=[(*marks[of], word, bitmap) for of, word, bitmap in zip(hero.of, hero.words, hero.bitmaps, strict=True)],
        last=hero.same.shape[1] - 1,
        summary=_summary(hero, say),
        caption=_caption(hero, hero.first, 0, say),
        how=say("hero_how_text", side=hero.bitmaps.shape[1], k=hero.neighbours),
    )


def _caption(hero: Hero, expert: int, layer: int, say: Say) -> str:
    share, chance = float(hero.shares[expert, layer]), hero.chance
    return say("hero_caption", layer=layer, share=say.percent(share, 0), chance=say.percent(chance, 0))


def _summary(hero: Hero, say: Say) -> str:
    """What the picture shows, for those who do not see it."""
    last = hero.same.shape[1] - 1
    sentences = [say("hero_summary", count=len(hero.words), k=hero.neighbours, chance=say.percent(hero.chance, 0))]
    for name, shares in zip(hero.experts, hero.shares, strict=True):
        before, after = (say.percent(float(shares[layer]), 0) for layer in (0, last))
        sentences.append(say("hero_summary_expert", expert=name, before=before, after=after, last=last))
    return say.sentences(sentences)


def _carried(hero: Hero, say: Say) -> dict[str, Any]:
    """What the page's script draws from; every text in it is shown as text."""
    experts, layers, _ = hero.same.shape
    stages = {
        name: {
            "width": stage.width,
            "height": stage.height,
            "picture": stage.picture,
            "letter": stage.letter,
            "tall": round(stage.tall, 1),
            "widths": np.round(stage.extents(hero.words)[:, 0], 1).tolist(),
            "places": np.round(hero.places[name]).astype(int).tolist(),
        }
        for name, stage in STAGES.items()
    }
    return {
        "stages": stages,
        "same": hero.same.tolist(),
        "k": hero.neighbours,
        "chance": round(hero.chance, 4),
        "shares": np.round(hero.shares, 4).tolist(),
        "captions": [[_caption(hero, e, layer, say) for layer in range(layers)] for e in range(experts)],
        "first": hero.first,
        "play": say("hero_play"),
        "pause": say("hero_pause"),
    }
