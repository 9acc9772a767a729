"""The glyphs panel: the picture behind a token, its look-alikes, and the words it comes to resemble."""

from app.checkpoint.bundle import Bundle
from app.engine.engine import Engine
from app.probing.word_cache import WordCache
from app.probing.word_list import gloss
from app.probing.word_states import nearest_words
from app.substrate.glyphs import glyph
from app.substrate.pictures import cell_borders
from app.substrate.scripts import script_of
from app.trace.fusion import preference
from app.trace.record import Trace
from viz.glyphs import GlyphCard, Meanings, Neighbour, glyph_panel
from viz.html import Say

NEAR_TOKENS = 6


def glyph_view(
    engine: Engine, token: int, say: Say, components: int | None = None, meanings: Meanings | None = None
) -> str:
    """The glyph panel of a token id, decoded from some (default: all) of its vector's coordinates, with
    the words that it comes to resemble."""
    substrate = engine.bundle.substrate
    card = glyph(substrate, token, components, neighbours=NEAR_TOKENS)
    near = tuple(
        Neighbour(int(i), substrate.tokens[i], substrate.pictures[i], float(c))
        for i, c in zip(card.neighbours, card.cosines, strict=True)
    )
    return glyph_panel(
        GlyphCard(
            id=token,
            text=card.text,
            script=script_of(card.text),
            code_points=card.code_points,
            rendered=card.rendered,
            decoded=card.decoded,
            borders=cell_borders(card.text, substrate.recipe),
            neighbours=near,
            kept=card.kept,
            components=card.components,
            width=len(substrate.basis.components),
            meanings=meanings,
            verified=recovered(engine.bundle, say),
        ),
        say,
    )


def recovered(bundle: Bundle, say: Say) -> str:
    """Whether the table of a model that is not ours was verified to hold these pictures; empty for ours."""
    report = bundle.report
    if report is None:
        return ""
    code = "recovered" if report.pictures else "not_recovered"
    known = {name: getattr(report, name) for name in ("fitted", "tested", "exact")}
    return say(code, agreement=say.number(report.agreement, 4), **known)


def meanings(word_cache: WordCache, trace: Trace, selected: int, language: str = "en") -> Meanings | None:
    """Words nearest to a token's hidden state at every layer of every expert, the token's own text left
    out; None while the list is being read.  First on view: the expert who expected the token more."""
    list_states = word_cache.list_states
    if list_states is None:
        return None
    own = trace.texts[selected].strip().casefold()
    experts, layers = trace.hidden.shape[:2]

    def near(expert: int, layer: int) -> tuple[Neighbour, ...]:
        rows, cosines = nearest_words(
            list_states, expert, layer, trace.hidden[expert, layer, selected], NEAR_TOKENS + 3
        )
        found = [
            Neighbour(None, word.text, word_cache.pictures[row], float(cosine), gloss(word.text, language))
            for row, cosine in zip(rows, cosines, strict=True)
            if (word := list_states.words[row]).text.casefold() != own
        ]
        return tuple(found[:NEAR_TOKENS])

    return Meanings(
        experts=trace.experts,
        lists=tuple(tuple(near(e, layer) for layer in range(layers)) for e in range(experts)),
        expert=int(preference(trace)[selected - 1] < 0) if experts == 2 else 0,
        words=len(list_states.words),
    )
