"""The fewest pixels that change an answer: from what was found to the pictures and their sentences."""

import numpy as np

from app.intervene.adversarial import RANDOM, Flips
from app.intervene.drawing import Canvas, draw
from app.substrate.pictures import Bitmap
from viz.flips import FlippedPicture, FlipsFigure, flips_panel
from viz.html import Say


def flips_view(canvas: Canvas, found: Flips, say: Say) -> str:
    """The found pixels beside as many random ones; each picture is read again with the whole text."""
    leads = (found.first_margin, found.margin, float(found.random_margin[0]))
    pictures = (canvas.picture, found.picture, found.random_picture)
    own, drawn, random = (_read(canvas, picture, lead) for picture, lead in zip(pictures, leads, strict=True))
    return flips_panel(
        FlipsFigure(
            text=canvas.engine.text_of(int(canvas.ids[canvas.index])),
            own=own,
            found=drawn,
            random=random,
            count=len(found.pixels),
            turned=found.turned,
            random_lead=float(np.mean(found.random_margin)),
            random_turned=found.random_turned,
            drawings=RANDOM,
            cosine=found.cosine,
            itself=found.itself,
        ),
        say,
    )


def _read(canvas: Canvas, picture: Bitmap, lead: float) -> FlippedPicture:
    winner = int(draw(canvas, picture).change.after.ids[-1, 0])
    return FlippedPicture(picture, canvas.engine.text_of(winner), lead)
