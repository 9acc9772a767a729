"""UMAP of all layers at once, aligned so that a word's place in one layer pulls on its place in the next."""

import threading
import warnings

import numpy as np

from app.probing.word_states import centred
from app.trace.projection import ASPECT
from app.trace.record import Floats

MIN_POINTS = 16
"""With fewer, neighbourhoods say nothing (McInnes 2018, arXiv 1802.03426)."""
_NEIGHBOURS = 12
_EPOCHS = 150

# numba's compiled loops are not safe to enter twice at a time
_one_at_a_time = threading.Lock()


def aligned_umap(states: Floats) -> Floats:
    """Places (L + 1, n, 2) of states (L + 1, n, d), |x| <= ASPECT and |y| <= 1; cosine metric on standardised
    states, seeded.  About 4 s for 200 words after a first call that compiles (half a minute).

    Raises:
        ValueError: for fewer than `MIN_POINTS` words.
    """
    layers, count = len(states), states.shape[1]
    if count < MIN_POINTS:
        raise ValueError(f"{count} words are too few for UMAP: give at least {MIN_POINTS}.")
    same = {i: i for i in range(count)}
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no Tensorflow, needless here; one thread, as a seed needs, once a layer
        from umap import AlignedUMAP  # takes seconds to import, and few visitors ask for it

        mapper = AlignedUMAP(
            n_neighbors=min(_NEIGHBOURS, count // 3),
            n_epochs=_EPOCHS,
            metric="cosine",
            alignment_window_size=2,
            random_state=0,
        ).fit([centred(layer)[0] for layer in states], relations=[same] * (layers - 1))
    return fitted(np.stack([np.asarray(layer, np.float32) for layer in mapper.embeddings_]))


def fitted(places: Floats) -> Floats:
    """Places (L + 1, n, 2) with each layer centred, and all layers on one scale that just fits the frame."""
    places = places - places.mean(axis=1, keepdims=True)
    scaled: Floats = places / max(float(np.abs(places / np.array((ASPECT, 1), np.float32)).max()), 1e-12)
    return scaled
