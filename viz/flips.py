"""The fewest pixels that change an answer, beside as many random ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.glyphs import difference
from viz.html import Say, panel
from viz.templates import rendered
from viz.tokens import picture, visible


@dataclass(frozen=True, eq=False)
class FlippedPicture:
    """A picture (32, 32) in the token's place: which token the fusion then expects, and by how many nats the answer
    without a drawing leads (below 0: it has lost)."""

    pixels: NDArray[np.bool_]
    winner: str
    lead: float


@dataclass(frozen=True, eq=False)
class FlipsFigure:
    """text: of the token; own, found, random: its picture, the one with the flips, one with as many random ones.
    count: how many; turned: whether the answer changed.  random_lead: mean over `drawings` random ones, of which
    random_turned changed it.  cosine: of the found picture with its own; itself: whether its own is still nearest."""

    text: str
    own: FlippedPicture
    found: FlippedPicture
    random: FlippedPicture
    count: int
    turned: bool
    random_lead: float
    random_turned: int
    drawings: int
    cosine: float
    itself: bool


def flips_panel(figure: FlipsFigure, say: Say) -> str:
    """Three pictures side by side, and what each makes the model say."""
    marks = say("flips_marks")
    own = figure.own.pixels
    frames = (
        (say("flips_own"), picture(own, visible(figure.text)), figure.own),
        (say("flips_found"), difference(own, figure.found.pixels, marks), figure.found),
        (say("flips_random"), difference(own, figure.random.pixels, marks), figure.random),
    )
    shown = [
        (title, image, one.winner, say("flips_nats", nats=say.signed(one.lead, 2))) for title, image, one in frames
    ]
    body = rendered("flips.html", frames=shown, marks=marks)
    facts = {
        "token": figure.text,
        "pixels": np.flatnonzero(figure.own.pixels != figure.found.pixels),
        "before": figure.own.winner,
        "after": figure.found.winner,
        "random_turned": [figure.random_turned, figure.drawings],
    }
    return panel(say, "flips", body, flips_summary(figure, say), facts)


def flips_summary(figure: FlipsFigure, say: Say) -> str:
    """How few change the answer, what random ones do, and what the picture still is."""
    before, after = visible(figure.own.winner), visible(figure.found.winner)
    code = "flips_turned" if figure.turned else "flips_kept"
    said = [
        say(code, count=figure.count, token=visible(figure.text), before=before, after=after),
        say(
            "flips_by_chance",
            turned=figure.random_turned,
            drawings=figure.drawings,
            first=say.signed(figure.own.lead, 2),
            lead=say.signed(figure.random_lead, 2),
        ),
        say("flips_itself" if figure.itself else "flips_other", cosine=say.number(figure.cosine, 2)),
        say("flips_adversarial"),
    ]
    return say.sentences(said)
