"""What a link says of the instruments of "Try to break it": from what stands in them to parts of a `PageLink`.

A part is what its instrument was asked for, as far as any link could say it again.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.intervene.silencing import Kind
from app.panels.attention import MOST_PARTS, AttentionRequest
from app.panels.attribution import AttributionRequest
from app.panels.drawing import pixels_of
from app.panels.exchange import ExchangeRequest
from app.panels.lab import LAB_CHARACTERS
from app.panels.patching import PatchRequest
from app.web.canvases import DrawingRequest
from app.web.tabs import FOLDS
from app.wording.errors import UserError
from viz.drawing import MOST_NOISE

MAX_PART = 500
"""Characters of a text in an instrument; those that it takes are shorter."""

STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

Index = Annotated[int, Field(ge=0, le=1_000_000)]
_Said = Annotated[str, Field(max_length=MAX_PART)]
_Short = Annotated[str, Field(max_length=16)]
_Pixels = Annotated[str, Field(pattern=r"^[0-9a-f]{256}$")]
_Part = tuple[Index, Kind, Index, Index]


class MovedState(BaseModel):
    """What stands in "Move a state": two texts, ids of the two answers, the direction; cell: expert (the fusion last),
    layer and position of the one that is chosen."""

    model_config = STRICT

    first: _Said
    second: _Said
    answers: tuple[Index, Index] | None = None
    back: bool = False
    cell: tuple[Index, Index, Index] | None = None

    @property
    def request(self) -> PatchRequest:
        """The same as it is asked for."""
        return PatchRequest(self.first, self.second, self.answers or (None, None), self.back)


class DrawnPicture(BaseModel):
    """What stands in "Draw a picture": a text, the position of a token in it, what its picture can morph into, and
    what is on the grid, row by row, four pixels a hexadecimal digit.  share, noise: where the sliders stand; typed: the
    text that was typed to start from; fewest: whether the fewest pixels were searched."""

    model_config = STRICT

    text: _Said
    index: Index
    target: _Short
    pixels: _Pixels
    share: Annotated[float, Field(ge=0, le=1)] = 0
    noise: Annotated[int, Field(ge=0, le=MOST_NOISE)] = 0
    typed: _Short = ""
    fewest: bool = False

    @property
    def bits(self) -> str:
        """The pixels as 1,024 characters 0 and 1."""
        return f"{int(self.pixels, 16):01024b}"


class ExchangedState(BaseModel):
    """What stands in "Put a translation in a word's place": the fields of `ExchangeRequest`."""

    model_config = STRICT

    text: _Said
    word: _Said
    donor: _Said
    translation: _Said
    unrelated: _Said
    story: Annotated[str, Field(max_length=64)] = ""


class SplitMargin(BaseModel):
    """What stands in "Split a prediction": a text, ids of the two answers, and after which token."""

    model_config = STRICT

    text: _Said
    answers: tuple[Index, Index] | None = None
    position: Index | None = None


class LookedAt(BaseModel):
    """What stands in "See where a head looks": the fields of `AttentionRequest`; parts: expert, kind, layer, head of
    each; pair: the texts by which the heads are ranked, if they are."""

    model_config = STRICT

    text: _Said
    index: Index | None = None
    token: Index | None = None
    head: tuple[Index, Index, Index] | None = None
    parts: Annotated[tuple[_Part, ...], Field(max_length=MOST_PARTS)] | None = None
    pair: MovedState | None = None


class ComparedPictures(BaseModel):
    """The two texts of the laboratory."""

    model_config = STRICT

    first: Annotated[str, Field(max_length=2 * LAB_CHARACTERS)]
    second: Annotated[str, Field(max_length=2 * LAB_CHARACTERS)]


@dataclass(frozen=True)
class Instruments:
    """What the instruments were asked for, by the names of the states in the layout; None: never opened."""

    moved: PatchRequest | None = None
    exchanged: ExchangeRequest | None = None
    drawn_on: DrawingRequest | None = None
    split: AttributionRequest | None = None
    looked: AttentionRequest | None = None
    lab_first: Any = None
    lab_second: Any = None


INSTRUMENTS = tuple(field.name for field in fields(Instruments))


def said_of(seen: Mapping[str, Any], shown: Instruments) -> dict[str, Any]:
    """What a link says of the instruments: of those that are unfolded, and of the two texts whose states are moved,
    which others show too.  What no link could say again is left out.  seen: what the browser sent, unchecked."""
    folds = _listed(seen.get("folds"))
    makers: dict[str, Callable[[], BaseModel | None]] = {"moved": lambda: _moved(shown.moved, seen)}
    if "exchange" in folds:
        makers["exchanged"] = lambda: _exchanged(shown.exchanged)
    if "drawing" in folds:
        makers["drawn"] = lambda: _drawn(shown.drawn_on, seen)
    if "attribution" in folds:
        makers["split"] = lambda: _split(shown.split)
    if "attention" in folds:
        makers["looked"] = lambda: _looked(shown.looked, shown.moved)
    if "lab" in folds:
        makers["lab"] = lambda: ComparedPictures(first=shown.lab_first, second=shown.lab_second)
    found: dict[str, Any] = {"folds": tuple(name for name in FOLDS if name in folds)}
    for name, make in makers.items():
        with suppress(ValidationError, UserError):
            if (part := make()) is not None:
                found[name] = part
    return found


def _moved(asked: PatchRequest | None, seen: Mapping[str, Any]) -> MovedState | None:
    if asked is None:
        return None
    place = tuple(_listed(seen.get("place"))) or None
    return MovedState(first=asked.first, second=asked.second, answers=_ids(asked.answers), back=asked.back, cell=place)


def _exchanged(asked: ExchangeRequest | None) -> ExchangedState | None:
    return None if asked is None else ExchangedState(**vars(asked))


def _drawn(asked: DrawingRequest | None, seen: Mapping[str, Any]) -> DrawnPicture | None:
    if asked is None or asked.index is None or not seen.get("pixels"):
        return None
    share, noise = seen.get("share"), seen.get("noise")
    return DrawnPicture(
        text=asked.text,
        index=asked.index,
        target=asked.target,
        pixels=np.packbits(pixels_of(seen["pixels"])).tobytes().hex(),
        share=0 if share is None else share,
        noise=0 if noise is None else noise,
        typed=asked.typed,
        fewest=seen.get("fewest") is True,
    )


def _split(asked: AttributionRequest | None) -> SplitMargin | None:
    if asked is None:
        return None
    return SplitMargin(text=asked.text, answers=_ids(asked.answers), position=asked.position)


def _looked(asked: AttentionRequest | None, moved: PatchRequest | None) -> LookedAt | None:
    if asked is None:
        return None
    parts = None if asked.parts is None else tuple((p.expert, p.kind, p.layer, p.head) for p in asked.parts)
    ranked_by_pair = asked.measured is not None and asked.measured.pair is not None
    return LookedAt(
        text=asked.text,
        index=asked.index,
        token=asked.token,
        head=asked.head,
        parts=parts,
        pair=_moved(moved, {}) if ranked_by_pair else None,
    )


def _ids(answers: tuple[Any, Any]) -> tuple[Any, Any] | None:
    return answers if all(isinstance(answer, int) for answer in answers) else None


def _listed(sent: Any) -> list[Any]:
    return sent if isinstance(sent, list) else []
