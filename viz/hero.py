"""The moving picture that the page opens with: a few words as pictures, which walk from looks to meaning."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, picture, visible

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


STAGES = {"wide": Stage(1000, 452, 44, 13.5, 10), "narrow": Stage(360, 372, 28, 10.5, 6)}
"""For a computer's screen and for a phone's."""


@dataclass(frozen=True, eq=False)
class Hero:
    """n words of `groups`, of[n] each word's group, with pictures (n, 32, 32), in E experts and L + 1 layers.

    places[stage] (E, L + 1, n, 2): middles of the tiles in pixels of that stage.  same (E, L + 1, n): how many of a
    word's `neighbours` nearest words are of its own group; chance: the share of them that there is without any
    meaning, 0..1.  whole: how many words come to the model as one picture.  first: the expert to begin with.
    """

    experts: tuple[str, ...]
    words: tuple[str, ...]
    groups: tuple[str, ...]
    of: tuple[int, ...]
    bitmaps: NDArray[np.bool_]
    places: dict[str, NDArray[np.float64]]
    same: NDArray[np.int64]
    neighbours: int
    chance: float
    whole: int
    first: int

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
    data = escape(json.dumps(_carried(hero, say), ensure_ascii=False, separators=(",", ":")), quote=True)
    tiles = "".join(starmap(_tile, zip(hero.words, hero.bitmaps, hero.of, strict=True)))
    return (
        f"<section class='gs-hero' data-hero='{data}' aria-label='{escape(say('hero_name'), quote=True)}'>"
        f"<div class='gs-hero-said'><h2>{escape(say('hero_promise'))}</h2>{_legend(hero)}"
        f"<button type='button' class='gs-hero-try'>{escape(say('hero_try'))}</button></div>"
        f"<div class='gs-hero-stages'><div class='gs-hero-stage' role='img' "
        f"aria-label='{escape(_summary(hero, say), quote=True)}'>{tiles}</div></div>"
        f"{_controls(hero, say)}{_notes(hero, say)}</section>"
    )


def _tile(word: str, bitmap: NDArray[np.bool_], group: int) -> str:
    return (
        f"<span class='gs-hero-tile gs-group{group % len(MARKS)}'>{picture(bitmap)}"
        f"<span><i>{MARKS[group % len(MARKS)]}</i><bdi>{escape(visible(word))}</bdi></span></span>"
    )


def _legend(hero: Hero) -> str:
    keys = "".join(
        f"<li class='gs-group{i % len(MARKS)}'><i>{MARKS[i % len(MARKS)]}</i>{escape(name)}</li>"
        for i, name in enumerate(hero.groups)
    )
    return f"<ul class='gs-hero-kinds'>{keys}</ul>"


def _controls(hero: Hero, say: Say) -> str:
    last = hero.same.shape[1] - 1
    pause = escape(say("hero_pause"), quote=True)
    experts = "".join(
        f"<button type='button' data-expert='{e}' aria-pressed='{str(e == hero.first).lower()}'>{escape(name)}</button>"
        for e, name in enumerate(hero.experts)
    )
    switch = f"<span role='group' aria-label='{escape(say('hero_network'), quote=True)}'>{experts}</span>"
    return (
        f"<div class='gs-hero-controls'><button type='button' class='gs-hero-play' aria-label='{pause}'>❚❚</button>"
        f"<label><span>{escape(say('hero_start'))}</span>"
        f"<input type='range' class='gs-hero-layer' min='0' max='{last}' step='1' value='0' "
        f"aria-label='{escape(say('hero_slider'), quote=True)}'><span>{escape(say('hero_end'))}</span></label>"
        f"{switch if len(hero.experts) > 1 else ''}</div>"
        f"<p class='gs-hero-told'><span class='gs-hero-bar' style='--chance:{hero.chance:.4f}'><b></b></span>"
        f"<output>{escape(_caption(hero, hero.first, 0, say))}</output></p>"
    )


def _notes(hero: Hero, say: Say) -> str:
    read = say("hero_pieces", whole=hero.whole, count=len(hero.words))
    how = say("hero_how_text", side=hero.bitmaps.shape[1], k=hero.neighbours)
    return (
        f"<div class='gs-hero-notes'><p>{escape(say('hero_chosen'))} "
        f"<a href='#proof'>{escape(say('hero_proof'))}</a></p>"
        f"<details><summary>{escape(say('hero_how'))}</summary><p>{escape(say('hero_layer'))}</p>"
        f"<p>{escape(how)} {escape(read)}</p></details></div>"
    )


def _caption(hero: Hero, expert: int, layer: int, say: Say) -> str:
    share, chance = float(hero.shares[expert, layer]), hero.chance
    return say("hero_caption", layer=layer, share=say.percent(share, 0), chance=say.percent(chance, 0))


def _summary(hero: Hero, say: Say) -> str:
    """What the picture shows, for those who do not see it."""
    last = hero.same.shape[1] - 1
    told = [say("hero_summary", count=len(hero.words), k=hero.neighbours, chance=say.percent(hero.chance, 0))]
    for name, shares in zip(hero.experts, hero.shares, strict=True):
        before, after = (say.percent(float(shares[layer]), 0) for layer in (0, last))
        told.append(say("hero_summary_expert", expert=name, before=before, after=after, last=last))
    return " ".join(told)


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
