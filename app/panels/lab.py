"""The glyph laboratory: two texts compared pixel by pixel, and layer by layer."""

from app.engine.engine import Engine
from app.probing.word_cache import WordCache
from app.probing.word_proof import pair_apart
from app.substrate.glyphs import draw
from app.substrate.plain_text import plain_text
from app.wording.errors import UserError
from viz.html import Say
from viz.lab import Depths, Specimen, lab_figure

LAB_CHARACTERS = 16
"""Longest text in the glyph laboratory: more characters no longer fit into 32 pixels."""


def lab_view(engine: Engine, first: str, second: str, say: Say, depths: Depths | None = None) -> str:
    """Two texts compared pixel by pixel, and (depths) layer by layer.

    Raises:
        UserError: for no text, or one too long for a picture.
    """
    substrate = engine.bundle.substrate
    specimens, vectors = [], []
    for text in (first, second):
        whole = plain_text(text) if isinstance(text, str) else ""
        if not 1 <= len(whole) <= LAB_CHARACTERS:
            raise UserError("bad_lab_text", limit=LAB_CHARACTERS)
        bitmap, vector = draw(substrate, whole)
        specimens.append(Specimen(whole, bitmap, engine.bundle.tokenizer.token_to_id(whole)))
        vectors.append(vector)
    return lab_figure(specimens[0], specimens[1], float(vectors[0] @ vectors[1]), say, depths)


def depths(word_cache: WordCache, first: str, second: str) -> Depths | None:
    """How far the layers of both experts pull two texts apart; None where there is nothing to read: no list
    yet, or a text that is no word in one of the three scripts."""
    scale, engine = word_cache.scale, word_cache.engine
    texts = [plain_text(text).strip() for text in (first, second) if isinstance(text, str)]
    if scale is None or len(texts) < 2 or not all(1 <= len(text) <= LAB_CHARACTERS for text in texts):
        return None
    try:
        apart = pair_apart(engine, scale, *texts)
    except UserError:
        return None
    return Depths(engine.bundle.experts, apart.same, apart.own)
