"""The fewest pixels that change the answer: found by gradient through the norm and the PCA of the pictures, flipped one
by one, every flip checked by reading the text again.

Such pixels are adversarial (Szegedy 2013, arXiv 1312.6199): they are not what the network looks at, and as many
random ones stand beside them.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.intervene.drawing import Canvas, in_table, padded, run_on
from app.intervene.pixels import flip
from app.substrate.embedding import embed, nearest
from app.substrate.pictures import PIXELS, Bitmap, polar_order
from app.trace.record import Floats
from app.wording.errors import UserError

MOST_PIXELS = 96
TRIED = 8  # flips that are tried at each step
RANDOM = 16  # drawings with as many random flips


@dataclass(frozen=True, eq=False)
class Flips:
    """Pixels that were flipped, and what they change."""

    pixels: NDArray[np.int64]
    """Row-major indices, in the order in which they were flipped."""
    picture: Bitmap
    """(32, 32), with them."""
    turned: bool
    """Whether the fusion's likeliest token changed."""
    before: int
    """That token without them."""
    after: int
    """That token with them."""
    first_margin: float
    """Of `before` over the likeliest other token without them, nats."""
    margin: float
    """The same with them."""
    random_margin: Floats
    """(RANDOM,): the same with as many random flips, a value a drawing."""
    random_turned: int
    """In how many of those the answer turned."""
    random_picture: Bitmap
    """(32, 32): the first of them."""
    cosine: float
    """Of the picture's vector with the token's own."""
    itself: bool
    """Whether the token is still the nearest to it."""


Search = Generator[tuple[int, float], None, Flips]


def fewest_pixels(canvas: Canvas, most: int = MOST_PIXELS, seed: int = 0) -> Search:
    """Search flip by flip; yields how many there are and the margin that is left, returns what was found.

    Raises:
        UserError: `no_gradient` where the network's number format lets no gradient through.
    """
    if not canvas.opened.differentiable:
        raise UserError("no_gradient", model=canvas.engine.bundle.name)
    answer = int(canvas.logits[-1].argmax())
    flipped: list[int] = []
    left = first = float(leads(canvas, canvas.picture[None], answer)[0])
    while left > 0 and len(flipped) < most:
        picture = flip(canvas.picture, np.array(flipped, int))
        slope = pixel_gradient(canvas, picture, answer).ravel() * np.where(picture.ravel(), -1, 1)
        slope[flipped] = np.inf  # no pixel twice
        tried = np.argsort(slope)[:TRIED]
        after = leads(canvas, np.stack([flip(picture, np.array([pixel])) for pixel in tried]), answer)
        flipped.append(int(tried[int(after.argmin())]))
        left = float(after.min())
        yield len(flipped), left
    if left <= 0:
        flipped = needed(canvas, flipped, answer)
    return _found(canvas, np.array(flipped, int), answer, first, seed)


def needed(canvas: Canvas, flipped: list[int], answer: int) -> list[int]:
    """Leave out flips, one after the other, without which the answer still changes."""
    while len(flipped) > 1:
        fewer = [flipped[:i] + flipped[i + 1 :] for i in range(len(flipped))]
        left = leads(canvas, np.stack([flip(canvas.picture, np.array(some)) for some in fewer]), answer)
        if left.min() > 0:
            break
        flipped = fewer[int(left.argmin())]
    return flipped


@torch.no_grad()
def leads(canvas: Canvas, pictures: NDArray[np.bool_], answer: int) -> Floats:
    """How far (B,), in nats, the fusion's answer leads over every other token with pictures (B, 32, 32) in place."""
    vectors = torch.from_numpy(embed(pictures, canvas.engine.bundle.substrate.basis))
    found: Floats = lead(_logits(canvas, vectors), answer).numpy()
    return found


def lead(logits: Tensor, answer: int) -> Tensor:
    """Logit of a token less that of the likeliest other one, (B,) of (B, V)."""
    others = logits.clone()
    others[:, answer] = -torch.inf
    return logits[:, answer] - others.amax(-1)


def pixel_gradient(canvas: Canvas, picture: Bitmap, answer: int) -> Floats:
    """Slope (32, 32) of the fusion's lead (nats) in every pixel's ink, through PCA and the vector's norm."""
    basis = canvas.engine.bundle.substrate.basis
    order = torch.from_numpy(polar_order())
    ink = torch.from_numpy(picture.ravel()).float().requires_grad_()
    with torch.inference_mode(False), torch.enable_grad():
        projected = torch.from_numpy(basis.components) @ (ink[order] - torch.from_numpy(basis.mean))
        left = lead(_logits(canvas, (projected / projected.norm())[None]), answer).sum()
    (slope,) = torch.autograd.grad(left, ink)
    gradient: Floats = slope.view(picture.shape).numpy()
    return gradient


def _logits(canvas: Canvas, vectors: Tensor) -> Tensor:
    """The fusion's logits (B, V) after the text with unit vectors (B, d) in the token's place."""
    states = run_on(canvas.opened, canvas.clean, in_table(canvas, vectors), canvas.index)
    return canvas.opened.read_out(states[-1][:, :, -1])[-1]


def _found(canvas: Canvas, flipped: NDArray[np.int64], answer: int, first: float, seed: int) -> Flips:
    picture = flip(canvas.picture, flipped)
    substrate, generator = canvas.engine.bundle.substrate, np.random.default_rng(seed)
    vector = embed(picture[None], substrate.basis)
    by_chance = [flip(canvas.picture, generator.permutation(PIXELS)[: len(flipped)]) for _ in range(RANDOM)]
    random = leads(canvas, np.stack(by_chance), answer)
    with torch.no_grad():
        after = int(_logits(canvas, torch.from_numpy(vector))[0].argmax())
    own = embed(canvas.picture[None], substrate.basis)[0]
    ids, _ = nearest(substrate.table, padded(vector[0], substrate.table.shape[1]), 1)
    return Flips(
        pixels=flipped,
        picture=picture,
        turned=after != answer,
        before=answer,
        after=after,
        first_margin=first,
        margin=float(leads(canvas, picture[None], answer)[0]),
        random_margin=random,
        random_turned=int((random < 0).sum()),
        random_picture=by_chance[0],
        cosine=float(vector[0] @ own),
        itself=bool(ids[0] == canvas.ids[canvas.index]),
    )
