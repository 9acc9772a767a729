"""The two panels over an answered request: who looks where, and what silencing changes."""

from app.engine.engine import Engine
from app.intervene.runs import open_network
from app.intervene.silencing import Effect, Silenced, random_parts, reference_means
from app.intervene.stories import read_stories
from app.panels.attention import Attended, Head, part_of
from app.panels.change import change_columns_of
from viz.attention import AttentionFigure, attention_panel
from viz.html import Say
from viz.silencing import Part, SilencedFigure, SilencingFigure, silencing_panel


def attention_view(found: Attended, say: Say) -> str:
    """One head over the text, and all heads."""
    engine, measured = found.engine, found.measured
    patched = None if measured is None else measured.patched
    answers = None
    if measured is not None and measured.pair is not None:
        first, second = map(engine.text_of, measured.pair[2])
        answers = (first, second)
    before, after = found.alone.log_probs[-1]
    return attention_panel(
        AttentionFigure(
            experts=engine.bundle.experts,
            texts=tuple(map(engine.text_of, found.ids)),
            index=found.index,
            followed=engine.text_of(found.token),
            head=found.head,
            weights=found.weights,
            previous=found.prints.previous,
            start=found.prints.start,
            itself=found.prints.itself,
            moved=None if measured is None else measured.effects.moved,
            jensen_shannon=None if measured is None else measured.effects.jensen_shannon,
            patched=patched,
            answers=answers,
            ranked=found.ranked,
            random=_random_head(found),
            alone=(float(after - before), float(found.alone.change.jensen_shannon[-1])),
            silenced=found.chosen is not None and part_of(found.head) in found.chosen.parts,
        ),
        say,
    )


def silencing_view(found: Attended, say: Say) -> str:
    """What the silenced parts change."""
    engine = found.engine
    opened = open_network(engine)
    return silencing_panel(
        SilencingFigure(
            experts=engine.bundle.experts,
            layers=opened.shape.layers,
            texts=tuple(map(engine.text_of, found.ids[1 : found.index + 1])),
            followed=engine.text_of(found.token),
            chosen=None if found.chosen is None else _silenced(engine, found.chosen),
            by_chance=None if found.by_chance is None else _silenced(engine, found.by_chance),
            removable=opened.weights is not None,
            reference=read_stories().reference,
            positions=reference_means(engine).positions,
        ),
        say,
    )


def _random_head(found: Attended) -> Head | None:
    """A head of the block of the first in rank, drawn at random."""
    others = random_parts(open_network(found.engine), [part_of(found.ranked[0])]) if found.ranked else None
    return None if others is None else (others[0].expert, others[0].layer, others[0].head)


def _silenced(engine: Engine, done: Effect) -> SilencedFigure:
    change = done.change
    return SilencedFigure(
        parts=tuple(map(_part, done.parts)),
        columns=change_columns_of(engine, change),
        winners=(engine.text_of(int(change.before.ids[-1, 0])), engine.text_of(int(change.after.ids[-1, 0]))),
        jensen_shannon=change.jensen_shannon,
        log_probs=done.log_probs,
    )


def _part(part: Silenced) -> Part:
    return part.kind, part.expert, part.layer, part.head
