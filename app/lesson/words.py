"""Steps about words: from looks to meaning, an untrained network beside it, and translations in another script."""

import numpy as np
from numpy.typing import NDArray

from app.intervene.pairs import LARGE
from app.intervene.pixels import to_strings
from app.lesson.record import Asked, Step, ladder, placed
from app.probing.measures import chance_purity, neighbours_of, purity, retrieval
from app.probing.probe_suite import untrained_engine
from app.probing.showcase import carried_states, showcase_words
from app.probing.word_cache import WordCache
from app.probing.word_states import WordStates, cosines, word_states
from app.trace.record import Floats
from app.wording.catalogue import LANGUAGES, Speech
from app.wording.errors import UserError
from viz.lesson_charts import Bar, Bars, Curve, Line

LEAST_GAIN = 0.2
"""Share of nearest words of the same kind that the layers must add to that of the pictures, or of chance."""
LEAST_APART = 0.05
"""Cosine by which the nearest of four words must be nearer than the next."""
LEAST_NEAR = 0.1
"""Cosine that the nearest one must have at all."""
LEAST_FOUND, TIMES_CHANCE = 0.1, 10
"""Share of words that must find their translation beyond those that do by looks: so much, and so many guesses."""

OTHER_SCRIPT = {"en": "zh", "ru": "zh", "zh": "ru"}


def known_states(word_cache: WordCache, language: str) -> WordStates:
    """The words that the page opens with.

    Raises:
        UserError: `meanings_wait` as long as a foreign model's list is not read.
    """
    states = carried_states(word_cache, showcase_words(word_cache, language))
    if states is None:
        raise UserError("meanings_wait")
    return states


def purities(states: WordStates) -> Floats:
    """Share (E, L + 1) of the nearest words that are of the same kind."""
    groups = [word.concept for word in states.words]
    return np.array([[purity(layer, groups) for layer in expert] for expert in states.states], np.float32)


def kinds_step(word_cache: WordCache, say: Speech) -> Step | None:
    """What is nearest to a word at layer 0, and what at the last layer."""
    states = known_states(word_cache, say.language)
    shares, groups = purities(states), [word.concept for word in states.words]
    expert = int(shares[:, -1].argmax())
    before, after = float(shares[expert, 0]), float(shares[expert, -1])
    chance = chance_purity(groups)
    if after - max(before, chance) < LEAST_GAIN:
        return None
    whole = [i for i, word in enumerate(states.words) if len(word_cache.engine.ids_of(word.text)) == 1]
    near = [cosines(states.states[expert, layer]) for layer in (0, -1)]
    chosen = choose_word(near[0], near[1], groups, whole)
    if chosen is None:
        return None
    word, others = chosen
    name, last = states.words[word].text, states.states.shape[1] - 1
    options = placed(states.words[others[0]].text, tuple(states.words[i].text for i in others[1:]), name)[0]
    rows = [next(i for i in others if states.words[i].text == text) for text in options]
    pictures = tuple("".join(to_strings(picture)) for picture in pictures_of(word_cache, [*options, name]))

    def asked(key: str, prompt: str, layer: int, told: str) -> Asked:
        found = [float(near[layer][word, row]) for row in rows]
        right = int(np.argmax(found))
        bars = tuple(
            Bar(t, v, say.number(v, 2), i == right) for i, (t, v) in enumerate(zip(options, found, strict=True))
        )
        kind = say(f"concept_{groups[rows[right]]}")
        said = say(told, answer=options[right], word=name, kind=kind, value=say.number(found[right], 2))
        chart = Bars(say("lesson_kinds_chart", word=name, layer=last if layer else 0), bars)
        return Asked(key, prompt, options, right, said, chart, pictures[:-1], (name, pictures[-1]))

    first = say("lesson_kinds_looks", word=name)
    second = say("lesson_kinds_meaning", word=name, layer=last, expert=word_cache.engine.bundle.experts[expert])
    learned = say(
        "lesson_kinds_learned",
        before=say.percent(before, 0), after=say.percent(after, 0), chance=say.percent(chance, 0), layer=last,
    )  # fmt: skip
    return Step(
        "kinds", say("lesson_kinds_title"), say("lesson_kinds_lead"),
        (asked("looks", first, 0, "lesson_kinds_looks_told"), asked("meaning", second, 1, "lesson_kinds_meaning_told")),
        learned, say("lesson_kinds_seen"), say("lesson_kinds_do"), "words",
    )  # fmt: skip


def choose_word(
    looks: Floats, meaning: Floats, groups: list[str], whole: list[int]
) -> tuple[int, tuple[int, int, int, int]] | None:
    """The word that shows the change most clearly, and four to ask about: the nearest of another kind by looks, the
    nearest of its kind by meaning, and of each the next that is clearly further away.  looks, meaning: cosines (n, n);
    whole: words of one picture.  None where no word shows it."""
    best: tuple[float, int, tuple[int, int, int, int]] | None = None
    for word in whole:
        rest = [i for i in whole if i != word]
        alike = _first_and_next(looks[word], [i for i in rest if groups[i] != groups[word]])
        kin = _first_and_next(meaning[word], [i for i in rest if groups[i] == groups[word]])
        if alike is None or kin is None:
            continue
        clear = alike[0] == _nearest(looks[word], (*alike, *kin)) and kin[0] == _nearest(meaning[word], (*alike, *kin))
        near = min(float(looks[word, alike[0]]), float(meaning[word, kin[0]]))
        if clear and near >= LEAST_NEAR and (best is None or near > best[0]):
            best = (near, word, (alike[0], kin[0], alike[1], kin[1]))
    return None if best is None else best[1:]


def _first_and_next(row: Floats, candidates: list[int]) -> tuple[int, int] | None:
    """The nearest, and the nearest of those that are further away by `LEAST_APART`."""
    order = sorted(candidates, key=lambda i: -row[i])
    further = [i for i in order[1:] if row[i] <= row[order[0]] - LEAST_APART]
    return (order[0], further[0]) if further else None


def _nearest(row: Floats, four: tuple[int, ...]) -> int | None:
    """The nearest of four; None where it is not nearer than the others by `LEAST_APART`."""
    order = sorted(four, key=lambda i: -row[i])
    return order[0] if row[order[0]] - row[order[1]] >= LEAST_APART else None


def pictures_of(word_cache: WordCache, words: list[str]) -> NDArray[np.bool_]:
    """Pictures (n, 32, 32) of words that are one token each."""
    engine = word_cache.engine
    ids = [engine.ids_of(word)[0] for word in words]
    pictures: NDArray[np.bool_] = np.asarray(engine.bundle.substrate.pictures[ids])
    return pictures


def untrained_step(word_cache: WordCache, say: Speech) -> Step | None:
    """The same words in a network that was never trained."""
    engine = word_cache.engine
    if engine.model.trained > LARGE:  # the untrained copy would be as large
        return None
    states = known_states(word_cache, say.language)
    shares, groups = purities(states), [word.concept for word in states.words]
    expert = int(shares[:, -1].argmax())
    control = purities(word_states(untrained_engine(engine), states.words))[0]
    trained, bare = float(shares[expert, -1]), float(control[-1])
    chance = chance_purity(groups)
    if trained - max(bare, chance) < LEAST_GAIN:
        return None
    asked_about = round(100 * bare)
    numbers, right = ladder(asked_about, max(8, round(100 * (trained - bare) / 3)), "untrained")
    name = engine.bundle.experts[expert]
    chart = Curve(
        say("lesson_untrained_chart", count=neighbours_of(groups)),
        say("lesson_layers"),
        (Line(name, tuple(map(float, shares[expert])), "second" if expert else "first"),
         Line(say("draw_untrained"), tuple(map(float, control)), "dim")),
        ticks(say),
        (say("lesson_chance"), chance),
    )  # fmt: skip
    values = {"answer": asked_about, "trained": round(100 * trained), "chance": round(100 * chance), "expert": name}
    asked = Asked(
        "untrained", say("lesson_untrained_ask", layer=len(control) - 1), tuple(map(str, numbers)), right,
        say("lesson_untrained_told", **values), chart,
    )  # fmt: skip
    return Step(
        "untrained", say("lesson_untrained_title"), say("lesson_untrained_lead"), (asked,),
        say("lesson_untrained_learned"), say("lesson_untrained_seen", words=len(states.words)),
        say("lesson_untrained_do"), "proof",
    )  # fmt: skip


def scripts_step(word_cache: WordCache, say: Speech) -> Step | None:
    """How many words find their translation in another script."""
    list_states = word_cache.list_states
    if list_states is None:
        raise UserError("meanings_wait")
    here, there = say.language, OTHER_SCRIPT[say.language]
    rows = {name: [i for i, word in enumerate(list_states.words) if word.language == name] for name in (here, there)}
    found = np.array([[retrieval(x[rows[here]], x[rows[there]])[0] for x in expert] for expert in list_states.states])
    expert, layer = (int(i) for i in np.unravel_index(found.argmax(), found.shape))
    best, chance = float(found[expert, layer]), 1 / len(rows[here])
    looks = float(found[expert, 0])  # not always chance: where many words are the same unknown token, they tie
    if best - looks < max(LEAST_FOUND, TIMES_CHANCE * chance):
        return None
    answer = round(100 * best)
    numbers, right = ladder(answer, max(5, round(answer / 2.2)), "scripts")
    name, pair = word_cache.engine.bundle.experts[expert], f"{LANGUAGES[here]} → {LANGUAGES[there]}"
    side = "second" if expert else "first"
    chart = Curve(
        say("lesson_scripts_chart", pair=pair), say("lesson_layers"),
        (Line(name, tuple(map(float, found[expert])), side),), ticks(say), (say("lesson_chance"), chance), layer,
    )  # fmt: skip
    ask = say("lesson_scripts_ask", pair=pair, count=len(rows[here]), layer=layer, expert=name)
    told = say("lesson_scripts_told", answer=answer, chance=say.number(100 * chance, 1))
    learned = say("lesson_scripts_learned", before=round(100 * looks), layer=layer, answer=answer)
    return Step(
        "scripts", say("lesson_scripts_title"), say("lesson_scripts_lead"),
        (Asked("scripts", ask, tuple(map(str, numbers)), right, told, chart),),
        learned, say("lesson_scripts_seen", answer=answer), say("lesson_scripts_do"), "proof",
    )  # fmt: skip


def ticks(say: Speech) -> tuple[str, str, str]:
    """The labels of 0, one half and 1 on an axis."""
    return say.percent(0, 0), say.percent(0.5, 0), say.percent(1, 0)
