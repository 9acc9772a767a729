"""Does meaning cross scripts?  Translation retrieval in the states of words: as they are, and through a linear map that
is fitted on half of the words and tested on the other half."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.probing.measures import retrieval
from app.probing.word_list import Word, all_words, carried
from app.probing.word_proof import PAIRS
from app.probing.word_states import last_states
from app.substrate.translation_frame import frame
from app.trace.record import Floats

FRAMES = ("bare", "in sentences", "to translate")
"""Which state of a word is compared: its last token alone; the mean over the carrier sentences that end with it; or
the last token of the translation frame, from which its translation is predicted."""

_SPLITS = 10
_RIDGE = 10.0
"""Weight of the penalty of the linear map, on standardised states; one value, chosen by nothing."""


@dataclass(frozen=True, eq=False)
class CrossingScores:
    """Retrieval@1 by CSLS, 0..1, each (frames, pairs, E, L + 1): of the whole list as it is (`direct`), and of the
    unseen half through a linear map, mean over ten splits (`mapped`).  NaN where every word has the same state: layer 0
    of the frame is the picture of its colon.  chance_direct, chance_mapped: one guess."""

    direct: Floats
    mapped: Floats
    chance_direct: float
    chance_mapped: float


def crossing_scores(engine: Engine) -> CrossingScores:
    """Measure the word list in every frame, for each pair of languages, expert and layer."""
    words = all_words()
    rows = {language: [i for i, w in enumerate(words) if w.language == language] for language in ("en", "ru", "zh")}
    count = len(rows["en"])
    direct, mapped = [], []
    for kind in FRAMES:
        for one, other in PAIRS:
            if kind == "to translate":
                first = frame_states(engine, [words[i] for i in rows[one]], other)
                second = frame_states(engine, [words[i] for i in rows[other]], one)
            else:
                first, second = (_states(engine, [words[i] for i in rows[name]], kind) for name in (one, other))
            layers = [list(zip(*expert, strict=True)) for expert in zip(first, second, strict=True)]
            direct.append([[retrieval(a, b)[0] for a, b in expert] for expert in layers])
            mapped.append([[map_retrieval(a, b) for a, b in expert] for expert in layers])
    shape = (len(FRAMES), len(PAIRS), *np.shape(direct)[1:])
    found, through = (np.array(values, np.float32).reshape(shape) for values in (direct, mapped))
    for values in (found, through):
        values[FRAMES.index("to translate"), :, :, 0] = np.nan
    return CrossingScores(found, through, 1 / count, 2 / count)


def map_retrieval(source: Floats, target: Floats, splits: int = _SPLITS) -> float:
    """Retrieval@1 of words that a ridge regression source -> target (n, d) was not fitted on, mean over seeded halves;
    both sides standardised by the half that it was fitted on."""
    found = []
    for seed in range(splits):
        order = np.random.default_rng(seed).permutation(len(source))
        fit, test = order[: len(order) // 2], order[len(order) // 2 :]
        a, b = (_standardised(side, fit) for side in (source, target))
        gram = a[fit].T @ a[fit] + _RIDGE * np.eye(a.shape[1])
        mapped = a[test] @ np.linalg.solve(gram, a[fit].T @ b[fit])
        found.append(retrieval(mapped.astype(np.float32), b[test].astype(np.float32))[0])
    return float(np.mean(found))


def _standardised(states: Floats, fit: NDArray[np.int64]) -> NDArray[np.float64]:
    mean, deviation = states[fit].mean(0), np.maximum(states[fit].std(0), 1e-6)
    rows: NDArray[np.float64] = ((states - mean) / deviation).astype(np.float64)
    return rows


def frame_states(engine: Engine, words: list[Word], target: str) -> Floats:
    """States (E, L + 1, n, d) of the last token of each word's translation frame."""
    return _read(engine, [[frame(word.text, target)] for word in words])


def _states(engine: Engine, words: list[Word], kind: str) -> Floats:
    return _read(engine, [[word.text] if kind == "bare" else carried(word) for word in words])


def _read(engine: Engine, texts: list[list[str]]) -> Floats:
    """Mean state (E, L + 1, n, d) of the last tokens of each group of texts."""
    rows = [engine.ids_of(text) for group in texts for text in group]
    states = last_states(engine, rows, lambda share: True)
    ends = np.cumsum([len(group) for group in texts])[:-1]
    means: Floats = np.stack([part.mean(2) for part in np.split(states, ends, axis=2)], 2)
    return means
