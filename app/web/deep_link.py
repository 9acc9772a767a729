"""A link that opens the page as it is: `?s=…`, the page's state as JSON, deflated, in base64url.

Links come from anywhere, so they are checked like any other input: sizes and types here, what a text or a model
allows where it is used.  Links of the older form, `?text=…&seed=…`, say less and go on working.
"""

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import PydanticSerializationError

from app.engine.sampling import Sampling
from app.panels.settings import FUSIONS
from app.probing.word_list import MAX_TEXT_CHARACTERS, MAX_WORDS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.linked_instruments import (
    STRICT,
    ComparedPictures,
    DrawnPicture,
    ExchangedState,
    Index,
    LookedAt,
    MovedState,
    SplitMargin,
)
from app.web.tabs import FOLDS, TABS
from app.wording.catalogue import LANGUAGES
from app.wording.errors import UserError
from viz.strip import STRIP_MEASURES

MAX_PACKED = 16_000
"""Characters of a packed state; a usual one has a few hundred."""

MAX_JSON = 48_000
"""Bytes that are unpacked at most: a text and a visitor's own words, both as long as they may be, fit."""


def _known(names: Iterable[str], value: str) -> str:
    if value not in names:
        raise ValueError(value)
    return value


_Language = Annotated[str, AfterValidator(partial(_known, LANGUAGES))]
_Tab = Annotated[str, AfterValidator(partial(_known, TABS))]
_Fusion = Annotated[str, AfterValidator(partial(_known, FUSIONS))]
_Measure = Annotated[str, AfterValidator(partial(_known, STRIP_MEASURES))]
_WordSet = Annotated[str, AfterValidator(partial(_known, PRESETS))]
_ProofSet = Annotated[str, AfterValidator(partial(_known, PROOF_SETS))]
_Share = Annotated[float, Field(ge=0, le=1)]
_Folds = Annotated[str, AfterValidator(partial(_known, FOLDS))]


class PageLink(BaseModel):
    """What a link says: a text and what is done with it, then how the page shows it.  None: as the page has it by
    itself.  `sampling` raises a `UserError` for a value out of its range."""

    model_config = STRICT

    text: str = ""
    how: Literal["write", "read", "to_en", "to_ru", "to_zh"] = "write"
    """Written on, read, or translated."""
    temperature: float = Sampling.temperature
    top_k: int = Sampling.top_k
    top_p: float = Sampling.top_p
    seed: int = Sampling.seed
    new_tokens: int = Sampling.new_tokens
    made_with: _Share | None = None
    """The first expert's weight while the text was written or read; None: the model's own."""

    language: _Language | None = None
    tab: _Tab | None = None
    selected: Index | None = None
    cell: tuple[Index, Index] | None = None
    """Expert and layer chosen in the lens."""
    layer: Index | None = None
    """Where the sliders of the maps stand."""
    weight: _Share | None = None
    fusion: _Fusion | None = None
    measure: _Measure | None = None
    """What the chips show."""
    word_set: _WordSet | None = None
    own_words: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS + MAX_WORDS)] = ""
    proof_set: _ProofSet | None = None
    layout: Literal["pca", "umap"] | None = None
    """The kind of the words' map; then what colours it, what stands on it, and the word chosen there."""
    colour: Literal["concept", "language"] | None = None
    mode: Literal["words", "dots", "pictures"] | None = None
    word: Index | None = None
    folds: tuple[_Folds, ...] | None = None
    """Which instruments of "Try to break it" are unfolded; then what stands in them."""
    moved: MovedState | None = None
    drawn: DrawnPicture | None = None
    exchanged: ExchangedState | None = None
    split: SplitMargin | None = None
    looked: LookedAt | None = None
    lab: ComparedPictures | None = None

    @classmethod
    def of(cls, text: str, sampling: Sampling, **more: Any) -> "PageLink":
        """A text and how it is written on.

        Raises:
            UserError: `bad_link`, for a value that no page has.
        """
        settings = {**asdict(sampling), **{name: int(getattr(sampling, name)) for name in _WHOLE}}
        try:
            return cls(text=text, **settings, **more)
        except ValidationError as error:
            raise UserError("bad_link") from error

    @property
    def sampling(self) -> Sampling:
        """How the text is written on."""
        return Sampling(**{field.name: getattr(self, field.name) for field in fields(Sampling)})

    @property
    def asked(self) -> tuple[Any, ...]:
        """What the tokens of the text follow from."""
        return self.text, self.how, self.made_with, self.sampling if self.how == "write" else None


_WHOLE = ("top_k", "seed", "new_tokens")

_USUAL = (
    b'"word":,"mode":"pictures"dots"words","colour":"language"concept","layout":"umap"pca","proof_set":"nouns_kept_"'
    b'"own_words":"\\n: ","word_set":"mixed"few_nouns_kept_zh"kept_ru"kept_en","measure":"balance"preference",'
    b'"fusion":"gate"probabilities"logits","weight":0.5,"layer":,"cell":[0,6],"selected":1'
    b',"tab":"proof"break"words"layers"read","language":"zh"ru"en","made_with":0.5,'
    b'"new_tokens":48,"seed":1,"top_p":0.95,"top_k":50,"temperature":0.8,"how":"to_"read"write"{"text":"'
)
"""What most states contain: the packer refers to it instead of saying it again.  Links that are out there were packed
with it, so it must stay as it is, byte for byte."""


def packed(link: PageLink) -> str:
    """A state as the parameter of an address.

    Raises:
        UserError: `bad_link`, for half a character in a text.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=_USUAL)
    try:
        json = link.model_dump_json(exclude_defaults=True)
    except PydanticSerializationError as error:
        raise UserError("bad_link") from error
    data = packer.compress(json.encode()) + packer.flush()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(text: str) -> PageLink:
    """The state in a parameter of an address.

    Raises:
        UserError: `bad_link` for anything that `packed` does not make; for a sampling setting out of its range.
    """
    if len(text) > MAX_PACKED or not text.isascii():
        raise UserError("bad_link")
    unpacker = zlib.decompressobj(-15, zdict=_USUAL)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        json = unpacker.decompress(data, MAX_JSON)
        if not unpacker.eof:  # cut off, or larger than any state
            raise UserError("bad_link")
        link = PageLink.model_validate_json(json)
    except (binascii.Error, zlib.error, ValidationError) as error:
        raise UserError("bad_link") from error
    Sampling(*(getattr(link, field.name) for field in fields(Sampling)))  # checks their ranges
    return link


def linked(query: Mapping[str, str]) -> PageLink | None:
    """What an address asks for; None where it asks for nothing.

    Raises:
        UserError: for a link that cannot be read, or a setting that is no number or out of its range.
    """
    if query.get("s"):
        return unpacked(query["s"])
    text = query.get("text", "")
    if not text.strip():
        return None
    names = [field.name for field in fields(Sampling) if query.get(field.name)]
    return PageLink.of(text, Sampling(**{name: _number(query[name]) for name in names}))  # type: ignore[arg-type]


def linked_language(query: Mapping[str, str]) -> str | None:
    """The language that an address asks for, if it does."""
    if query.get("lang") or not query.get("s"):
        return query.get("lang")
    try:
        return unpacked(query["s"]).language
    except UserError:
        return None


def _number(value: str) -> float | str:
    """A number as it is written, else the text itself, which no setting takes."""
    try:
        return int(value) if value.isdecimal() and len(value) < 20 else float(value)
    except ValueError:
        return value
