"""Small pieces of HTML that all panels share.  Everything that comes from data is escaped here."""

import base64
import gzip
import io
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class Say(Protocol):
    """Speaks the visitor's language: called with a code and what fills its sentence in, it gives the sentence."""

    def __call__(self, code: str, /, **values: Any) -> str: ...

    @property
    def separators(self) -> str:
        """The decimal mark and what groups thousands, as Plotly's layout takes them."""

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many digits after the decimal mark."""

    def signed(self, value: float, digits: int) -> str:
        """The same with its sign, plus or minus."""

    def percent(self, share: float, digits: int = 1) -> str:
        """A share, 0 to 1, as a percentage; a small one that is not 0 never reads as 0."""

    def change(self, share: float) -> str:
        """A relative change, with its sign, in per cent: 0.05 is +5.0%."""


SIDES = ("first", "second", "fused")
"""Classes that carry the colours of the first expert, the second and their fusion, everywhere."""

_EXPERTS = ("first", "second", "third", "fourth")


def sides(count: int) -> tuple[str, ...]:
    """The classes of so many experts, the fusion left out; more than four share colours."""
    return tuple(_EXPERTS[i % len(_EXPERTS)] for i in range(count))


_CORNERS = "<svg viewBox='0 0 12 12' aria-hidden='true'><path d='M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8'/></svg>"
"""Four corners: the sign of a full screen, drawn, for few fonts have it."""

_NAMED = {" ": "␣", "\n": "⏎", "\t": "⇥", "\u00a0": "⍽"}


def visible(text: str) -> str:
    """A token's text with whitespace and control characters made visible, not escaped."""
    return "".join(_NAMED.get(c) or (f"U+{ord(c):04X}" if unicodedata.category(c)[0] == "C" else c) for c in text)


def token(text: str) -> str:
    """A token's visible text as HTML, in an isolated direction so that no script can reorder a row."""
    return f"<bdi class='gs-tok'>{escape(visible(text))}</bdi>"


def picture(bitmap: NDArray[np.bool_], alt: str = "", size: int | None = None) -> str:
    """A bitmap (32, 32) as an inline image: black ink, clear paper (the page turns it in dark mode)."""
    style = f" style='width:{size}px;height:{size}px'" if size else ""
    return f"<img class='gs-pic' alt='{escape(alt, quote=True)}' src='{data_uri(bitmap)}'{style}>"


def picture_with_cells(bitmap: NDArray[np.bool_], borders: Sequence[float], alt: str = "") -> str:
    """A bitmap with the borders (shares of its width) between the cells of an n-gram's characters."""
    lines = "".join(f"M{32 * x:.1f} 0V32" for x in borders)
    grid = f"<svg viewBox='0 0 32 32' aria-hidden='true'><path d='{lines}'/></svg>" if lines else ""
    return f"<span class='gs-celled'>{picture(bitmap, alt)}{grid}</span>"


def data_uri(bitmap: NDArray[np.bool_]) -> str:
    """A bitmap as the address of an inline PNG."""
    return _data_uri(np.packbits(bitmap).tobytes(), bitmap.shape)


@lru_cache(maxsize=4096)
def _data_uri(packed: bytes, shape: tuple[int, int]) -> str:
    ink = np.unpackbits(np.frombuffer(packed, np.uint8), count=shape[0] * shape[1]).reshape(shape)
    image = Image.fromarray((1 - ink).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=1, bits=1, optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def inert(strip: str) -> str:
    """A strip before the page's scripts have loaded: its chips cannot be pressed."""
    return strip.replace("<button ", "<button disabled ").replace("data-state='done'", "data-state='first'")


def line_legend(names: Iterable[str], classes: Sequence[str] = SIDES) -> str:
    """Which line is whose: dashes and colour in the order of the classes."""
    keys = "".join(
        f"<span class='gs-key gs-{side}'><svg viewBox='0 0 30 6'><path class='gs-line gs-{side}' d='M0 3H30'/></svg>"
        f"{escape(name)}</span>"
        for side, name in zip(classes, names, strict=False)
    )
    return f"<div class='gs-legend'>{keys}</div>"


@dataclass(frozen=True, eq=False)
class Table:
    """What a figure draws, as values over labelled axes: every array in `values` has one dimension for
    each axis of `index`, in that order.  One line of the CSV file for each cell."""

    index: dict[str, Sequence[Any]]
    values: dict[str, Any]

    def __post_init__(self) -> None:
        shape = tuple(map(len, self.index.values()))
        for name, value in self.values.items():
            found = np.shape(value)
            assert found == shape, f"{name} has shape {found}, the axes have {shape}"


def panel(
    say: Say, name: str, body: str, summary: str, facts: Any = None, table: Table | None = None, **values: Any
) -> str:
    """A panel: heading, one line of explanation, the figure, a one-sentence summary under it.

    Heading and explanation are the sentences `<name>_title` and `<name>_lead`, filled in by values.
    facts and table: what the figure draws, offered as JSON and (the table) as CSV.
    """
    full, title = escape(say("full_screen"), quote=True), escape(say(name + "_title", **values))
    return (
        f"<section class='gs-panel gs-{name}' data-name='{name}'><div class='gs-panel-head'><h2>{title}</h2>"
        f"{_save_menu(say, name, facts, table)}"
        f"<button type='button' class='gs-full' title='{full}' aria-label='{full}'>{_CORNERS}</button></div>"
        f"<p class='gs-lead'>{escape(say(name + '_lead', **values))}</p>"
        f"{body}<p class='gs-summary' role='status'>{escape(summary)}</p></section>"
    )


def _save_menu(say: Say, name: str, facts: Any, table: Table | None) -> str:
    """Files of what is drawn, made in the browser: nothing is asked of the server."""
    label = escape(say("download"), quote=True)
    files = "" if facts is None else _json_button(facts, table)
    files += "<button type='button' class='gs-csv'>CSV</button>" if table is not None else ""
    shots = "".join(
        f"<button type='button' class='gs-shot' data-kind='{k}'>{k.upper()}</button>" for k in ("png", "svg")
    )
    return (
        f"<details class='gs-save'><summary title='{label}' aria-label='{label}'>⤓</summary>"
        f"<div>{files}{shots}</div></details>"
    )


def _json_button(facts: Any, table: Table | None) -> str:
    """Packed, for a page should weigh little; the browser unpacks it."""
    whole = {**facts, "table": {"index": table.index, "values": table.values}} if table is not None else facts
    text = json.dumps(whole, ensure_ascii=False, default=_plain)
    packed = base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 6, mtime=0)).decode()
    return f"<button type='button' class='gs-download' data-packed='{packed}'>JSON</button>"


def _plain(value: Any) -> Any:
    """Arrays and array numbers as JSON takes them: six decimals, bitmaps as 0 and 1."""
    array = np.asarray(value)
    if array.dtype == bool:
        return array.astype(int).tolist()
    if np.issubdtype(array.dtype, np.floating):
        return np.round(array.astype(float), 6).tolist()
    return array.tolist()
