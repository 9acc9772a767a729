"""The words panel: a set of words, layer by layer, in both experts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, panel, sides
from viz.plotly_figure import map_figure
from viz.templates import rendered
from viz.tokens import data_uri, visible

ASPECT = 1.4
_ROOM_FOR_WORDS = 150
_ROOM_FOR_PICTURES = 100
_LEGIBLE = 3
"""Pictures come first where no word has more characters: longer ones are hard to read in 32 pixels."""
MARKS = "●■▲◆✚★▼✖◀▶⬟⬢◐◧○□△◇☆▽◁▷⬠⬡◑◨"
"""A mark for each group beside its colour; with more groups than marks they begin again."""
_COLOURS = 14


@dataclass(frozen=True, eq=False)
class MapLayout:
    """One way to lay words out: paths (E, L + 1, n, 2) with |x| <= ASPECT and |y| <= 1; captions
    [expert][layer]: what the picture hides.  name: `pca` or `umap`."""

    name: str
    paths: NDArray[np.float32]
    captions: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class WordMap:
    """n words as E experts see them in L + 1 layers."""

    experts: tuple[str, ...]
    words: tuple[str, ...]
    concepts: tuple[str, ...]
    """Group of each word."""
    languages: tuple[str, ...]
    glosses: tuple[str, ...]
    """Meaning of each word in the visitor's language, or nothing."""
    bitmaps: NDArray[np.bool_]
    """(n, 32, 32)"""
    layouts: tuple[MapLayout, ...]
    near: NDArray[np.int64]
    """(E, L + 1, n, k): rows of the nearest other words in all dimensions."""
    purity: NDArray[np.float64]
    """(E, L + 1): kNN purity of the groups, 0..1."""
    neighbours: int
    """So many nearest words count for it."""
    chance: float
    """What purity is by chance."""
    changes: NDArray[np.float32]
    """(E, L): 1 - Jaccard of the neighbourhoods of one layer and the next."""
    around: NDArray[np.float32] | None = None
    """(E, L + 1): purity of the tokens before the words; None where all words stand in the same sentences."""


def words_panel(words: WordMap, say: Say) -> str:
    """Both maps with one slider; the page moves them without asking the server."""
    last = words.purity.shape[1] - 1
    body = rendered(
        "words.html",
        words=words,
        say=say,
        last=last,
        data=json.dumps(_carried(words, say), ensure_ascii=False, separators=(",", ":")),
        picks=_picks(words, say),
        order=sorted(range(len(words.words)), key=lambda i: (words.concepts[i], i)),
        ribbons=_ribbons(words, say),
        experts=list(zip(words.experts, sides(len(words.experts)), strict=True)),
    )
    summary = say.sentences([_summary(words, say), *_told_by_sentences(words, say)])
    return panel(say, "words", body, summary, _facts(words), _table(words))


def _picks(words: WordMap, say: Say) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """What can be chosen: its name and label, its values with their labels, and the value to begin with."""
    layouts = [layout.name for layout in words.layouts]
    modes = ["words", "dots", *(["pictures"] if len(words.words) <= _ROOM_FOR_PICTURES else [])]
    brief = len(modes) > 2 and max(map(len, words.words)) <= _LEGIBLE
    start = "words" if len(words.words) <= _ROOM_FOR_WORDS else "dots"
    if brief:
        start = "pictures"
    return [
        _pick("layout", layouts, layouts[0], say),
        _pick("colour", ["concept", "language"], "concept", say),
        _pick("mode", modes, start, say),
    ]


def _pick(name: str, values: Sequence[str], chosen: str, say: Say) -> tuple[str, str, list[tuple[str, str]], str]:
    return name, say("pick_" + name), [(value, say(f"{name}_{value}")) for value in values], chosen


Ribbon = tuple[str, list[str], list[tuple[str, str, list[tuple[str, str]]]]]
"""Title, names of the columns, and a row an expert: its name, its class, and its shares as a colour and in per cent."""


def _ribbons(words: WordMap, say: Say) -> list[Ribbon]:
    """Purity of the neighbourhoods at every layer, what the sentences alone give of it, and how neighbourhoods
    change from each layer to the next."""
    last = words.purity.shape[1] - 1
    layers = [str(layer) for layer in range(last + 1)]
    steps = [f"{layer}→{layer + 1}" for layer in range(last)]
    purity = say("words_purity", k=words.neighbours, chance=say.percent(words.chance))
    told = [(purity, layers, _rows(words.experts, words.purity))]
    if words.around is not None:
        told.append((say("words_around"), layers, _rows(words.experts, words.around)))
    return [*told, (say("ribbon"), steps, _rows(words.experts, words.changes))]


def _rows(experts: tuple[str, ...], shares: NDArray[np.floating]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [
        (name, side, [(f"{share:.3f}", f"{100 * share:.0f}") for share in map(float, row)])
        for name, side, row in zip(experts, sides(len(experts)), shares, strict=True)
    ]


def _carried(words: WordMap, say: Say) -> dict[str, Any]:
    """What the page's script draws from; every text in it is shown as text."""
    last = words.purity.shape[1] - 1
    groups = {}
    named = {"concept": words.concepts, "language": tuple(say("words_" + name) for name in words.languages)}
    for kind, names in named.items():
        distinct = list(dict.fromkeys(names))
        keys = [f"--gs-c{i % _COLOURS}" for i in range(len(distinct))]
        if kind == "language":
            keys = [f"--gs-{_SCRIPTS[language]}" for language in dict.fromkeys(words.languages)]
        groups[kind] = {
            "names": distinct,
            "colours": keys,
            "marks": [MARKS[i % len(MARKS)] for i in range(len(distinct))],
            "of": [distinct.index(name) for name in names],
        }
    few = len(words.words) <= _ROOM_FOR_PICTURES
    return {
        "words": [visible(word) for word in words.words],
        "glosses": words.glosses,
        "groups": groups,
        "pictures": [data_uri(bitmap) for bitmap in words.bitmaps] if few else [],
        "layouts": {
            layout.name: {"paths": np.round(layout.paths.astype(float), 3).tolist(), "captions": layout.captions}
            for layout in words.layouts
        },
        "near": words.near.tolist(),
        "experts": words.experts,
        "names": [say("layer_pictures")] + [say("layer_name", layer=i, last=last) for i in range(1, last + 1)],
        "near_title": say("words_near", word="\ufffc"),
        "layer": say("layer_slider"),
        "figure": map_figure(ASPECT),
    }


_SCRIPTS = {"en": "latin", "ru": "cyrillic", "zh": "han"}


def _summary(words: WordMap, say: Say) -> str:
    if len(words.experts) != 2:
        each = zip(words.experts, words.purity, strict=True)
        listed = say.listed(f"{name} {say.percent(float(p[0]))} → {say.percent(float(p[-1]))}" for name, p in each)
        return say(
            "words_summary_each", count=len(words.words), groups=len(set(words.concepts)), list=listed,
            last=words.purity.shape[1] - 1, k=words.neighbours, chance=say.percent(words.chance),
        )  # fmt: skip
    first, second = words.purity[0], words.purity[1]
    return say(
        "words_summary",
        count=len(words.words),
        groups=len(set(words.concepts)),
        first=words.experts[0],
        second=words.experts[1],
        last=len(first) - 1,
        k=words.neighbours,
        first_start=say.percent(float(first[0])),
        first_end=say.percent(float(first[-1])),
        second_start=say.percent(float(second[0])),
        second_end=say.percent(float(second[-1])),
        chance=say.percent(words.chance),
    )


def _told_by_sentences(words: WordMap, say: Say) -> list[str]:
    if words.around is None:
        return []
    ends = zip(words.experts, words.around[:, -1], strict=True)
    listed = say.listed(f"{name} {say.percent(float(share))}" for name, share in ends)
    return [say("words_around_says", list=listed, last=words.around.shape[1] - 1)]


def _facts(words: WordMap) -> dict[str, Any]:
    return {
        "experts": words.experts,
        "words": words.words,
        "groups": words.concepts,
        "languages": words.languages,
        "purity": words.purity,
        "chance": words.chance,
        "purity_before": words.around,
        "changes": words.changes,
    }


def _table(words: WordMap) -> Table:
    layers = words.purity.shape[1]
    texts = np.array(words.words, object)
    shape = words.near.shape[:3]
    named = {"group": words.concepts, "language": words.languages}
    values: dict[str, Any] = {name: np.broadcast_to(np.array(of, object), shape) for name, of in named.items()}
    for layout in words.layouts:
        values |= {f"{layout.name}_x": layout.paths[..., 0], f"{layout.name}_y": layout.paths[..., 1]}
    values |= {f"nearest_{rank + 1}": texts[words.near[..., rank]] for rank in range(words.near.shape[-1])}
    return Table({"expert": words.experts, "layer": range(layers), "word": words.words}, values)
