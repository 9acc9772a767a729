"""A picture drawn by hand in the place of a token's own: every drawing has a vector, so the network reads it.

What a stroke changes is shown beside two controls: other tokens in the same place, and an untrained network of the
same shape.  Distances are in units of what a random token in that place does to the same state.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.engine.engine import Engine
from app.intervene.interface import OpenedNetwork
from app.intervene.predictions import Change, change
from app.intervene.runs import Run, open_network, read, run
from app.intervene.stacked import OpenedExperts
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.substrate.embedding import embed, nearest
from app.substrate.glyphs import draw as draw_text
from app.substrate.pictures import Bitmap, is_drawable
from app.trace.record import Floats
from app.wording.errors import UserError

NEIGHBOURS = 8
CONTROLS = 8  # random tokens
_LARGEST_UNTRAINED = 20_000_000  # numbers


@dataclass(frozen=True, eq=False)
class Canvas:
    """A token of a text, ready to be redrawn: everything that no stroke changes."""

    engine: Engine
    opened: OpenedNetwork
    text: str
    """The whole of it, as it was given."""
    ids: NDArray[np.int64]
    """(T,), start token included."""
    index: int
    """Position of the token; 0 is the start token."""
    picture: Bitmap
    """(32, 32): the token's own."""
    length: float
    """Of its row in the table."""
    clean: Run
    """The text as it is."""
    logits: Tensor
    """(E + 1, V): what is predicted after it."""
    unit: Floats
    """(E, L + 1): mean distance of the token's states to those of random tokens in its place."""
    untrained: tuple[OpenedNetwork, Run] | None
    """A network of the same shape and the text read by it, None where there is none."""
    untrained_unit: Floats | None
    """(L + 1,): the unit of the untrained network, None without one."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A picture in the place of a token."""

    pixels: Bitmap
    """(32, 32)"""
    vector: Floats
    """(d,), of length one."""
    neighbours: NDArray[np.int64]
    """(n,): ids of the tokens with the nearest vectors, nearest first."""
    cosines: Floats
    """(n,): theirs with the vector."""
    change: Change
    """Predictions after the text, before and after."""
    path: Floats
    """(E, L + 1): distance of the token's states from its own, a random token's being one."""
    untrained_path: Floats | None
    """(L + 1,): the same in an untrained network, None without one."""


def open_canvas(engine: Engine, text: str, index: int) -> Canvas:
    """Prepare the token at `index` of a text (0 is the start token) for drawing.

    Raises:
        UserError: for a text that cannot be read, `bad_position` for a position outside it, `no_pictures` where the
            network's vectors are no pictures that are known, `cannot_open` where it runs by its own code.
    """
    opened, report = open_network(engine), engine.bundle.report
    if report is not None and not report.pictures:
        raise UserError("no_pictures", model=engine.bundle.name)
    ids = np.array([engine.bundle.start, *engine.encode(text)])
    if not isinstance(index, int) or not 0 <= index < len(ids):
        raise UserError("bad_position", last=len(ids) - 1)
    clean = read(opened, ids.tolist())
    others = opened.table[torch.from_numpy(random_tokens(engine, int(ids[index])))]
    untrained = untrained_network(opened.shape)
    untrained_run = None if untrained is None else run_over(untrained, opened.table[torch.from_numpy(ids[: index + 1])])
    return Canvas(
        engine=engine,
        opened=opened,
        text=text,
        ids=ids,
        index=index,
        picture=np.asarray(engine.bundle.substrate.pictures[int(ids[index])]),
        length=float(opened.table[int(ids[index])].float().norm()),
        clean=clean,
        logits=opened.read_out(clean.last)[:, 0],
        unit=distances(opened, clean, others, index).mean(-1),
        untrained=None if untrained is None or untrained_run is None else (untrained, untrained_run),
        untrained_unit=None
        if untrained is None or untrained_run is None
        else distances(untrained, untrained_run, others, index).mean(-1)[0],
    )


@torch.no_grad()
def draw(canvas: Canvas, pixels: Bitmap) -> Drawing:
    """Read the text with this picture in the token's place."""
    substrate = canvas.engine.bundle.substrate
    vector = embed(pixels[None], substrate.basis)[0]
    row = in_table(canvas, torch.from_numpy(vector)[None])
    states = run_on(canvas.opened, canvas.clean, row, canvas.index)
    neighbours, cosines = nearest(substrate.table, padded(vector, substrate.table.shape[1]), NEIGHBOURS)
    untrained_path = None
    if canvas.untrained is not None and canvas.untrained_unit is not None:
        untrained_path = (distances(*canvas.untrained, row, canvas.index)[0, :, 0] / canvas.untrained_unit).astype(
            np.float32
        )
    return Drawing(
        pixels=pixels,
        vector=vector,
        neighbours=neighbours,
        cosines=cosines,
        change=change(canvas.logits, canvas.opened.read_out(states[-1][:, :, -1])[:, 0]),
        path=apart(states, canvas.clean, canvas.index)[..., 0] / canvas.unit,
        untrained_path=untrained_path,
    )


def picture_of(engine: Engine, text: str) -> Bitmap:
    """A text, in the vocabulary or not, drawn as the network's own pictures are.

    Raises:
        UserError: `cannot_draw` where there is nothing that a font could draw.
    """
    if not isinstance(text, str) or not is_drawable(text) or len(text) > 16:
        raise UserError("cannot_draw")
    return draw_text(engine.bundle.substrate, text)[0]


def in_table(canvas: Canvas, vectors: Tensor) -> Tensor:
    """Unit vectors (B, d) of pictures as rows of the network's table: as long as the token's own."""
    width = canvas.opened.table.shape[1]
    return canvas.length * torch.nn.functional.pad(vectors, (0, width - vectors.shape[1]))


def padded(vector: Floats, width: int) -> Floats:
    """A vector with zeros behind it: pictures have 1,024 components at most."""
    return np.pad(vector, (0, width - len(vector)))


def run_on(
    opened: OpenedNetwork, clean: Run, vectors: Tensor, index: int, end: int | None = None
) -> tuple[Tensor, ...]:
    """States (L + 1 of (E, B, end - index, d)) of a text, up to `end`, with vectors (B, d) in the place of one token;
    what stands before it is as it was."""
    after = clean.states[0][:, :, index + 1 : end].expand(-1, len(vectors), -1, -1)
    states = [torch.cat((opened.lift(vectors, index)[:, :, None], after), 2)]
    for layer, inside in enumerate(clean.blocks):
        states.append(opened.block(layer, states[-1], inside.past.before(index)).states)
    return tuple(states)


def apart(states: tuple[Tensor, ...], clean: Run, index: int) -> Floats:
    """Distance (E, L + 1, B) of the first of some states' positions from the clean state at `index`."""
    own = [
        (new[:, :, 0] - old[:, :, index]).float().norm(dim=-1) for new, old in zip(states, clean.states, strict=True)
    ]
    found: Floats = torch.stack(own, 1).numpy()
    return found


@torch.no_grad()
def distances(opened: OpenedNetwork, clean: Run, vectors: Tensor, index: int) -> Floats:
    """Distance (E, L + 1, B) of a token's states from those with vectors (B, d) in its place."""
    return apart(run_on(opened, clean, vectors, index, index + 1), clean, index)


def random_tokens(engine: Engine, token: int, count: int = CONTROLS) -> NDArray[np.int64]:
    """Some other tokens that have a text of their own, always the same ones."""
    drawn = np.random.default_rng(0).permutation(engine.model.shape.vocabulary)
    fitting = (i for i in drawn.tolist() if i != token and engine.text_of(i).strip(" <>"))
    return np.array([next(fitting) for _ in range(count)])


@lru_cache(maxsize=2)
def untrained_network(shape: Shape) -> OpenedNetwork | None:
    """One expert of our kind and of this shape, as training would begin it; None where there is no such shape, or it
    would be large.  It has no table and no head: only its states are read."""
    if shape.width % (2 * shape.heads) or 12 * shape.layers * shape.width**2 > _LARGEST_UNTRAINED:
        return None
    model = StackedExperts(replace(shape, experts=1, vocabulary=1))
    model.initialise(torch.Generator().manual_seed(0))
    model.requires_grad_(False).eval()
    return OpenedExperts(model, torch.ones(1))


def run_over(opened: OpenedNetwork, rows: Tensor) -> Run:
    """Run one text given as rows of a table (T, d)."""
    lifted = [opened.lift(row[None].float(), position) for position, row in enumerate(rows)]
    return run(opened, torch.stack(lifted, 2))
