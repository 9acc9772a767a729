"""The frozen table with the pictures behind it: what a panel needs to show a token's embedding."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from app.substrate.byte_text import bytes_of, has_bytes
from app.substrate.embedding import Basis, Floats, decode, embed, nearest
from app.substrate.pictures import PIXELS, RECIPES, SIDE, Bitmap, draw_pictures, to_polar


@dataclass(frozen=True, eq=False)
class Substrate:
    """tokens V texts; pictures (V, 32, 32) as rendered; table (V, d) the frozen embedding itself, unit rows (an
    array, or what gives rows and products like one); basis its PCA; recipe the name of how the pictures
    are drawn."""

    tokens: tuple[str, ...]
    pictures: NDArray[np.bool_]
    table: Floats
    basis: Basis
    recipe: str

    def __post_init__(self) -> None:
        assert self.recipe in RECIPES, f"{self.recipe} is none of {sorted(RECIPES)}"
        assert len(self.tokens) == len(self.pictures) == len(self.table), (
            f"{len(self.tokens)} tokens, {len(self.pictures)} pictures, {len(self.table)} vectors"
        )


@dataclass(frozen=True, eq=False)
class Glyph:
    """One token's card."""

    id: int
    text: str
    code_points: tuple[str, ...]
    rendered: NDArray[np.bool_]
    """(32, 32): the picture drawn from the text."""
    ink: Floats
    """(32, 32): estimate decoded from the first coordinates of the vector alone."""
    components: int
    """So many coordinates were used."""
    kept: float
    """Share of this picture's squared distance from the mean picture that these coordinates keep, 0..1."""
    neighbours: NDArray[np.int64]
    """(n,): ids of the nearest other vectors."""
    cosines: Floats
    """(n,): theirs."""

    @property
    def decoded(self) -> NDArray[np.bool_]:
        """(32, 32): ink above one half."""
        return self.ink > 0.5

    @property
    def wrong(self) -> int:
        """Pixels where the two pictures differ."""
        return int((self.decoded != self.rendered).sum())


def glyph(substrate: Substrate, token: int, components: int | None = None, neighbours: int = 8) -> Glyph:
    """The card of a token id, decoded from its first `components` coordinates (default: all)."""
    width = len(substrate.basis.components)
    components = width if components is None else min(max(components, 1), width)
    centred = to_polar(substrate.pictures[token][None])[0] - substrate.basis.mean
    projected = substrate.basis.components[:components] @ centred
    vector = substrate.table[token]
    ids, cosines = nearest(substrate.table, vector, neighbours + 1)
    others = ids != token
    return Glyph(
        id=token,
        text=substrate.tokens[token],
        code_points=code_points(substrate.tokens[token]),
        rendered=substrate.pictures[token],
        ink=decode(vector[None, :width], substrate.basis, components)[0],
        components=components,
        kept=float((projected @ projected) / max(float(centred @ centred), 1e-12)),
        neighbours=ids[others][:neighbours],
        cosines=cosines[others][:neighbours],
    )


def draw(substrate: Substrate, text: str) -> tuple[Bitmap, Floats]:
    """Picture (32, 32) and unit vector (d,) of any text, in the vocabulary or not: the recipe needs
    no training, so it is defined for all of Unicode that the font draws."""
    pictures = draw_pictures([text], substrate.recipe)
    return pictures[0], embed(pictures, substrate.basis)[0]


def code_points(text: str) -> tuple[str, ...]:
    """`("U+0041 LATIN CAPITAL LETTER A", …)`; control characters have no Unicode name, and parts of a character are
    bytes."""
    if has_bytes(text):
        return tuple(f"0x{byte:02X} BYTE" for byte in bytes_of(text))
    return tuple(f"U+{ord(c):04X} {unicodedata.name(c, 'CONTROL CHARACTER')}" for c in text)


def read_substrate(path: Path, tokens: tuple[str, ...], table: Floats) -> Substrate:
    """Read pictures and basis of a `substrate.safetensors`; the table comes from the model, so that
    what is shown is what the experts read."""
    with safe_open(path, "numpy") as file:
        packed, mean, components = (file.get_tensor(name) for name in ("pictures", "mean", "components"))
        facts = file.metadata()
    pictures = np.unpackbits(packed, axis=1, count=PIXELS).reshape(-1, SIDE, SIDE).astype(bool)
    basis = Basis(mean.astype(np.float32), components.astype(np.float32), float(facts["kept"]))
    return Substrate(tokens, pictures, table, basis, facts["recipe"])
