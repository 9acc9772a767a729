"""Steps about predictions: what comes next, which expert decided it, and where the two differ most."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from app.engine.engine import Engine
from app.intervene.stories import read_stories
from app.lesson.record import Asked, Step, placed
from app.probing.word_cache import WordCache
from app.probing.word_list import language_of_word
from app.trace.fusion import FUSED, disagreement, winner_balance
from app.trace.record import Trace
from app.wording.catalogue import Speech
from app.wording.errors import UserError
from viz.lesson_charts import Bar, Bars

LEAST_LIKELY, MOST_LIKELY = 0.3, 0.97
"""Of the likeliest next token: below, the model has hardly an opinion; above, there is nothing to guess."""
LEAST_DECIDED, LEAST_CHOSEN = 0.5, 0.1
"""Balance of the experts' shares, 0..1, and probability of the token that they chose."""
LEAST_NATS, TIMES_NEXT = 0.1, 1.25
"""Disagreement before the token asked about, and how far above that before the other three."""
LETTERS = {"en": 4, "ru": 3, "zh": 1}
"""Shorter tokens are mostly pieces of words."""


@dataclass(frozen=True, eq=False)
class Place:
    """A position of a text that was read."""

    trace: Trace
    position: int

    @property
    def before(self) -> str:
        """The text up to there."""
        return "".join(self.trace.texts[1 : self.position + 1]).strip()

    @property
    def balance(self) -> float:
        """Which expert decided the fused winner: 1 the first one alone, -1 the second."""
        return float(winner_balance(self.trace)[self.position])

    def probability(self, rank: int) -> float:
        """Of a fused candidate."""
        trace, t = self.trace, self.position
        logits = trace.candidate_logits[t, FUSED]
        fused = logits @ trace.weights if trace.fused_logits is None else trace.fused_logits[t]
        return float(np.exp(fused[rank] - trace.log_sum_exp[t, FUSED]))


_read: WeakKeyDictionary[Engine, dict[str, list[Trace]]] = WeakKeyDictionary()  # goes with its model


def read_texts(engine: Engine, language: str) -> list[Trace]:
    """The short texts of a language that the lesson reads, read once for all steps; those that this model cannot read
    are left out."""
    known = _read.setdefault(engine, {})
    if language not in known:
        known[language] = _looked_at(engine, language)
    return known[language]


def _looked_at(engine: Engine, language: str) -> list[Trace]:
    traces = []
    for text in read_stories().reference:
        if language_of_word(text) == language:
            try:
                traces.append(engine.look(text))
            except UserError:
                continue
    return traces


def is_word(token: str, language: str) -> bool:
    """Whether a token reads as a word, or nearly: letters of the language, with a space before it where there are
    spaces."""
    bare = token.strip()
    spaced = language == "zh" or token.startswith(" ")
    try:
        fits = language_of_word(bare) == language
    except UserError:
        return False
    return fits and spaced and bare.isalpha() and len(bare) >= LETTERS[language]


def places(traces: list[Trace], first: int = 3) -> Iterator[Place]:
    """Positions with some text before them."""
    for trace in traces:
        yield from (Place(trace, position) for position in range(first, len(trace) - 1))


def ends_word(engine: Engine, text: str, token: str, language: str) -> bool:
    """Whether a word ends with a token after a text: the model itself does not expect more letters of it."""
    if language == "zh":
        return True
    after = engine.look(text + token)
    return not engine.text_of(int(after.candidates[-1, FUSED, 0]))[:1].isalpha()


def next_step(word_cache: WordCache, say: Speech) -> Step | None:
    """Which of four words the model holds the likeliest next."""
    engine = word_cache.engine
    best: tuple[float, Place, dict[str, int]] | None = None
    for place in places(read_texts(engine, say.language)):
        first = place.probability(0)
        if LEAST_LIKELY <= first <= MOST_LIKELY and (best is None or first > best[0]):
            four = _four_words(engine, place, say.language)
            if four is not None and 2 * place.probability(list(four.values())[1]) <= first:
                best = (first, place, four)
    if best is None:
        return None
    _, place, four = best
    words, ranks = list(four), list(four.values())
    options, right = placed(words[0], tuple(words[1:]), place.before)
    likely = dict(zip(words, map(place.probability, ranks), strict=True))
    bars = tuple(Bar(word, likely[word], say.percent(likely[word], 0), i == right) for i, word in enumerate(options))
    shares = {"share": say.percent(likely[words[0]], 0), "second": words[1], "other": say.percent(likely[words[1]], 0)}
    asked = Asked(
        "next", say("lesson_next_ask", text=place.before), options, right,
        say("lesson_next_told", answer=words[0], **shares), Bars(say("lesson_next_chart"), bars),
    )  # fmt: skip
    seen = say("lesson_two_seen" if len(engine.bundle.experts) == 2 else "lesson_next_seen")
    return Step(
        "next", say("lesson_next_title"), say("lesson_next_lead"), (asked,), say("lesson_next_learned"),
        seen, say("lesson_next_do"), "experts", place.trace.text.strip(),
    )  # fmt: skip


def _four_words(engine: Engine, place: Place, language: str) -> dict[str, int] | None:
    """The four likeliest words after a place -> their ranks; None where there are fewer, or the likeliest token is no
    word."""
    found: dict[str, int] = {}
    for rank, i in enumerate(place.trace.candidates[place.position, FUSED]):
        token = engine.text_of(int(i))
        if is_word(token, language) and ends_word(engine, place.before, token, language):
            found.setdefault(token.strip(), rank)
        elif rank == 0:
            return None
        if len(found) == 4:
            return found
    return None


def expert_step(word_cache: WordCache, say: Speech) -> Step | None:
    """Which expert decided a token; None where experts have no exact shares."""
    engine = word_cache.engine
    if len(engine.bundle.experts) != 2 or not engine.bundle.additive:
        return None
    best: tuple[bool, float, Place] | None = None
    for place in places(read_texts(engine, say.language)):
        winners = place.trace.candidates[place.position, :, 0]
        likely = place.probability(0)
        decided = abs(place.balance) >= LEAST_DECIDED and winners[0] != winners[1] and likely >= LEAST_CHOSEN
        if decided and is_word(engine.text_of(int(winners[FUSED])), say.language):
            leading = [engine.text_of(int(i)) for i in place.trace.candidates[place.position, FUSED, :2]]
            whole = all(ends_word(engine, place.before, token, say.language) for token in leading)
            if best is None or (whole, likely) > best[:2]:  # pieces of words only where there is nothing else
                best = (whole, likely, place)
    if best is None:
        return None
    place = best[2]
    trace, t, names = place.trace, place.position, engine.bundle.experts
    winner, rival = (engine.text_of(int(i)).strip() for i in trace.candidates[t, FUSED, :2])
    logits = trace.candidate_logits[t, FUSED, :2]
    parts = [float(part) for part in trace.weights * (logits[0] - logits[1])]
    options, right = (*names, say("lesson_expert_both")), int(place.balance < 0)
    largest = max(map(abs, parts))
    bars = tuple(
        Bar(name, abs(part) / largest, say.signed(part, 2), e == right, ("first", "second")[e], part < 0)
        for e, (name, part) in enumerate(zip(names, parts, strict=True))
    )
    values = {"first": names[0], "second": names[1], "a": say.signed(parts[0], 2), "b": say.signed(parts[1], 2)}
    asked = Asked(
        "expert", say("lesson_expert_ask", text=place.before, token=winner), options, right,
        say("lesson_expert_told", answer=names[right], rival=rival, **values),
        Bars(say("lesson_expert_chart", token=winner, rival=rival), bars),
    )  # fmt: skip
    return Step(
        "expert", say("lesson_expert_title"), say("lesson_expert_lead", first=names[0], second=names[1]), (asked,),
        say("lesson_expert_learned"), say("lesson_two_seen"), say("lesson_expert_do"), "experts", trace.text.strip(),
    )  # fmt: skip


def _is_unmistakable(trace: Trace, at: int, language: str) -> bool:
    """Whether a token is a whole word that stands in its text once, so that a reader finds it there; in Chinese,
    characters that do."""
    label = trace.texts[at].strip()
    if language == "zh":
        return label.isalpha() and trace.text.count(label) == 1
    words = re.findall(r"\w+", trace.text)
    whole = trace.texts[at].startswith(" ") and not "".join(trace.texts[at + 1 : at + 2])[:1].isalpha()
    return label.isalpha() and whole and words.count(label) == 1


def disagreement_step(word_cache: WordCache, say: Speech) -> Step | None:
    """Before which of four tokens of a text the two experts differ most."""
    engine = word_cache.engine
    if len(engine.bundle.experts) != 2:
        return None
    best: tuple[float, Trace, list[int]] | None = None
    for trace in read_texts(engine, say.language):
        apart = disagreement(trace)
        order = sorted(range(1, len(trace) - 1), key=lambda t: -float(apart[t]))
        four: list[int] = []
        for t in order:
            clear = not four or apart[four[0]] >= TIMES_NEXT * apart[t]
            if clear and len(four) < 4 and _is_unmistakable(trace, t + 1, say.language):
                four.append(t)
        if len(four) == 4 and apart[four[0]] >= LEAST_NATS and (best is None or apart[four[0]] > best[0]):
            best = (float(apart[four[0]]), trace, four)
    if best is None:
        return None
    _, trace, four = best
    apart, names = disagreement(trace), engine.bundle.experts
    options = tuple(trace.texts[t + 1].strip() for t in sorted(four))
    right = sorted(four).index(four[0])
    bars = tuple(
        Bar(trace.texts[t + 1].strip(), float(apart[t] / apart[four[0]]), say.number(float(apart[t]), 2), t == four[0])
        for t in sorted(four)
    )
    expected = [engine.text_of(int(trace.candidates[four[0], e, 0])).strip() for e in (0, 1)]
    same = expected[0] == expected[1]
    values = {"first": names[0], "second": names[1], "a": expected[0], "b": expected[1], "answer": options[right]}
    told = say("lesson_disagree_told_same" if same else "lesson_disagree_told", **values)
    asked = Asked(
        "disagree", say("lesson_disagree_ask", text=trace.text.strip()), options, right, told,
        Bars(say("lesson_disagree_chart"), bars),
    )  # fmt: skip
    return Step(
        "disagree", say("lesson_disagree_title"), say("lesson_disagree_lead"), (asked,), say("lesson_disagree_learned"),
        say("lesson_two_seen"), say("lesson_disagree_do"), "disagreement", trace.text.strip(),
    )  # fmt: skip
