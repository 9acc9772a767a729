"""The words panel: a set of words, layer by layer, in both experts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.html import Say, Table, data_uri, panel, sides, visible
from viz.plotly_figure import map_figure

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
    """n words with their group, language, meaning in the visitor's language (or nothing) and picture
    (n, 32, 32), for E experts and L + 1 layers.

    near (E, L + 1, n, k): rows of the nearest other words in all dimensions.  purity (E, L + 1): kNN purity of the
    groups over that many `neighbours`, 0..1, and what it is by chance; around: the same for the token before each
    word, None where all words stand in the same sentences.  changes (E, L): 1 - Jaccard of the neighbourhoods of one
    layer and the next.
    """

    experts: tuple[str, ...]
    words: tuple[str, ...]
    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    glosses: tuple[str, ...]
    bitmaps: NDArray[np.bool_]
    layouts: tuple[MapLayout, ...]
    near: NDArray[np.int64]
    purity: NDArray[np.float64]
    neighbours: int
    chance: float
    changes: NDArray[np.float32]
    around: NDArray[np.float32] | None = None


def words_panel(words: WordMap, say: Say) -> str:
    """Both maps with one slider; the page moves them without asking the server."""
    last = words.purity.shape[1] - 1
    data = escape(json.dumps(_carried(words, say), ensure_ascii=False, separators=(",", ":")), quote=True)
    plots = "".join(
        f"<figure class='gs-plot gs-{side}'><h3>{escape(name)}</h3><div class='gs-figure' role='img' "
        f"aria-label='{escape(say('words_plot', expert=name, count=len(words.words)), quote=True)}'></div>"
        f"<figcaption>{escape(words.layouts[0].captions[e][0])}</figcaption></figure>"
        for e, (name, side) in enumerate(zip(words.experts, sides(len(words.experts)), strict=True))
    )
    body = (
        f"<div class='gs-words-data' data-words='{data}'>{_controls(words, last, say)}{_ribbon(words, say)}"
        f"<div class='gs-plots'>{plots}</div><div class='gs-groups'></div>"
        f"<div class='gs-word-near' aria-live='polite'></div></div>"
    )
    summary = _summary(words, say) + _told_by_sentences(words, say)
    return panel(say, "words", body, summary, _facts(words), _table(words))


def _controls(words: WordMap, last: int, say: Say) -> str:
    layouts = [layout.name for layout in words.layouts]
    modes = ["words", "dots", *(["pictures"] if len(words.words) <= _ROOM_FOR_PICTURES else [])]
    brief = len(modes) > 2 and max(map(len, words.words)) <= _LEGIBLE
    start = "pictures" if brief else "words" if len(words.words) <= _ROOM_FOR_WORDS else "dots"
    order = sorted(range(len(words.words)), key=lambda i: (words.concepts[i], i))
    chosen = "".join(f"<option value='{i}'>{escape(visible(words.words[i]))}</option>" for i in order)
    return (
        f"<div class='gs-slider'>"
        f"<button type='button' class='gs-play' aria-label='{escape(say('play'), quote=True)}'>▶</button>"
        f"<input type='range' class='gs-layer' min='0' max='{last}' step='1' value='0' "
        f"aria-label='{escape(say('layer_slider'), quote=True)}'>"
        f"<output>{escape(say('layer_pictures'))}</output></div><div class='gs-picks'>"
        f"{_pick('layout', layouts, layouts[0], say)}{_pick('colour', ['concept', 'language'], 'concept', say)}"
        f"{_pick('mode', modes, start, say)}"
        f"<label>{escape(say('pick_word'))} <select data-pick='word'><option value=''>–</option>{chosen}</select>"
        f"</label></div>"
    )


def _pick(name: str, values: Sequence[str], chosen: str, say: Say) -> str:
    options = "".join(
        f"<option value='{value}'{' selected' if value == chosen else ''}>{escape(say(f'{name}_{value}'))}</option>"
        for value in values
    )
    return f"<label>{escape(say('pick_' + name))} <select data-pick='{name}'>{options}</select></label>"


def _ribbon(words: WordMap, say: Say) -> str:
    """Purity of the neighbourhoods at every layer, what the sentences alone give of it, and how neighbourhoods
    change from each layer to the next."""
    last = words.purity.shape[1] - 1
    layers = "".join(f"<th scope='col'>{layer}</th>" for layer in range(last + 1))
    steps = "".join(f"<th scope='col'>{layer}→{layer + 1}</th>" for layer in range(last))
    owners = list(zip(words.experts, sides(len(words.experts)), strict=True))
    told: list[tuple[str, str, NDArray[np.floating]]] = [
        (say("words_purity", k=words.neighbours, chance=say.percent(words.chance)), layers, words.purity)
    ]
    if words.around is not None:
        told.append((say("words_around"), layers, words.around))
    told.append((say("ribbon"), steps, words.changes))
    tables = "".join(
        f"<div class='gs-ribbon'><span>{escape(title)}</span><table><thead><tr><th></th>{heads}</tr></thead><tbody>"
        + "".join(_row(name, side, row) for (name, side), row in zip(owners, rows, strict=True))
        + "</tbody></table></div>"
        for title, heads, rows in told
    )
    return f"<div class='gs-ribbons'>{tables}</div>"


def _row(name: str, side: str, shares: NDArray[np.floating]) -> str:
    cells = "".join(f"<td style='--p:{float(share):.3f}'>{100 * float(share):.0f}</td>" for share in shares)
    return f"<tr class='gs-{side}'><th scope='row'>{escape(name)}</th>{cells}</tr>"


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
        listed = ", ".join(f"{name} {say.percent(float(p[0]))} → {say.percent(float(p[-1]))}" for name, p in each)
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


def _told_by_sentences(words: WordMap, say: Say) -> str:
    if words.around is None:
        return ""
    ends = zip(words.experts, words.around[:, -1], strict=True)
    listed = ", ".join(f"{name} {say.percent(float(share))}" for name, share in ends)
    return " " + say("words_around_says", list=listed, last=words.around.shape[1] - 1)


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
    values: dict[str, Any] = {}
    for layout in words.layouts:
        values |= {f"{layout.name}_x": layout.paths[..., 0], f"{layout.name}_y": layout.paths[..., 1]}
    values |= {f"nearest_{rank + 1}": texts[words.near[..., rank]] for rank in range(words.near.shape[-1])}
    return Table({"expert": words.experts, "layer": range(layers), "word": words.words}, values)
