"""Drawing a picture: from a canvas and pixels to the editor and to what the model makes of them."""

from typing import Any

import numpy as np

from app.engine.engine import Engine
from app.intervene.drawing import Canvas, Drawing, draw, picture_of
from app.intervene.fragility import STEP, fragility
from app.intervene.pixels import from_strings, morph
from app.panels.change import change_columns_of
from app.substrate.pictures import PIXELS, SIDE, Bitmap
from viz.drawing import DrawingFigure, Editor, drawing_panel, editor
from viz.html import Say

SHARES = tuple(step / 20 for step in range(21))


def pixels_of(sent: Any) -> Bitmap:
    """A picture that the browser sent: 1,024 characters 0 and 1, row by row.

    Raises:
        UserError: `bad_pixels` for anything else.
    """
    whole = sent if isinstance(sent, str) and len(sent) == PIXELS else ""
    return from_strings([whole[i : i + SIDE] for i in range(0, PIXELS, SIDE)] if whole else [])


def turning_share(canvas: Canvas, target: Bitmap) -> float:
    """How far to morph, in steps of 0.05, until the fusion's likeliest token is another one; all the way where it
    never is."""
    winner = int(canvas.logits[-1].argmax())
    for share in SHARES[2::2]:
        if int(draw(canvas, morph(canvas.picture, target, share)).change.after.ids[-1, 0]) != winner:
            return share
    return SHARES[-1]


def target_picture(engine: Engine, text: str) -> Bitmap:
    """The picture of a token, or of any other text drawn in the same way.

    Raises:
        UserError: see `picture_of`.
    """
    return picture_of(engine, text)


def editor_view(
    canvas: Canvas,
    target_text: str,
    drawn: Bitmap,
    sliders: tuple[float, int],
    say: Say,
    typed: str = "",
    again: bool = False,
) -> str:
    """The editor over a canvas; sliders: how far it is morphed, and pixels of noise; typed: the text whose picture is
    drawn, where one was typed; again: as it was, in another language."""
    engine, ids = canvas.engine, canvas.ids[1:]
    return editor(
        Editor(
            texts=tuple(engine.text_of(int(i)) for i in ids),
            bitmaps=tuple(np.asarray(engine.bundle.substrate.pictures[int(i)]) for i in ids),
            index=canvas.index,
            target_text=target_text,
            own=canvas.picture,
            target=target_picture(engine, target_text),
            drawn=drawn,
            share=sliders[0],
            noise=sliders[1],
            order=np.random.default_rng(0).permutation(PIXELS),
            unknown=tuple(engine.unknown(canvas.text)),
            typed=(typed, not engine.unknown(typed)) if typed else None,
            again=again,
        ),
        say,
    )


def drawing_view(canvas: Canvas, pixels: Bitmap, say: Say) -> str:
    """What the model makes of a drawing."""
    engine, found = canvas.engine, draw(canvas, pixels)
    change, broken = found.change, fragility(canvas)
    return drawing_panel(
        DrawingFigure(
            experts=engine.bundle.experts,
            text=engine.text_of(int(canvas.ids[canvas.index])),
            flipped=int((pixels != canvas.picture).sum()),
            nearest=_nearest(engine, found),
            columns=change_columns_of(engine, change),
            winners=tuple(engine.text_of(int(ids[0])) for ids in change.before.ids),
            jensen_shannon=change.jensen_shannon,
            path=found.path,
            untrained=found.untrained_path,
            step=STEP,
            moved=float(broken.moved[-1]),
            random=float(broken.random[-1]),
        ),
        say,
    )


def _nearest(engine: Engine, found: Drawing) -> tuple[tuple[str, Bitmap, float], ...]:
    pictures = engine.bundle.substrate.pictures
    return tuple(
        (engine.text_of(int(token)), np.asarray(pictures[int(token)]), float(cosine))
        for token, cosine in zip(found.neighbours, found.cosines, strict=True)
    )
