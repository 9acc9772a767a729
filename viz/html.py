"""Small pieces of HTML that all panels share.  Everything that comes from data is escaped here."""

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from viz.templates import rendered, single_quoted
from viz.units import units_of


class Say(Protocol):
    """Speaks the visitor's language: called with a code and what fills its sentence in, it gives the sentence."""

    def __call__(self, code: str, /, **values: Any) -> str: ...

    @property
    def language(self) -> str:
        """`en`, `ru` or `zh`."""

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

    def compact(self, value: float) -> str:
        """A large number in round words: 13.6 million."""

    def sentences(self, said: Iterable[str]) -> str:
        """Sentences one after the other, as the language spaces them."""

    def listed(self, parts: Iterable[str]) -> str:
        """Short parts with commas between them."""

    def clauses(self, parts: Iterable[str]) -> str:
        """Parts that have commas of their own, with semicolons between them."""


SIDES = ("first", "second", "fused")
"""Classes that carry the colours of the first expert, the second and their fusion, everywhere."""

_EXPERTS = ("first", "second", "third", "fourth")


def sides(count: int) -> tuple[str, ...]:
    """The classes of so many experts, the fusion left out; more than four share colours."""
    return tuple(_EXPERTS[i % len(_EXPERTS)] for i in range(count))


def early(strip: str) -> str:
    """A strip before the page's scripts have loaded: a chip that is pressed is answered when they have."""
    return strip.replace("data-state='done'", "data-state='first'")


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
    return rendered(
        "panel.html",
        name=name,
        title=say(name + "_title", **values),
        lead=say(name + "_lead", **values),
        body=body,
        summary=summary,
        download=say("download"),
        full_screen=say("full_screen"),
        more=say("panel_more"),
        packed=None if facts is None else _packed(facts, table),
        csv=table is not None,
    )


def with_source(panel_html: str, source: Mapping[str, Any]) -> str:
    """A panel with what its files say they are of: model, text, settings (`assets/page/save.js`)."""
    facts = single_quoted(json.dumps(source, ensure_ascii=False, default=_plain))
    return f"<div class='gs-source' data-about='{facts}'>{panel_html}</div>" if panel_html else ""


def facts_json(facts: Mapping[str, Any], table: Table | None) -> str:
    """What a figure draws, as JSON, with the units of its columns."""
    columns = {} if table is None else {"table": {"index": table.index, "values": table.values}}
    units = units_of([*facts, *([] if table is None else [*table.index, *table.values])])
    return json.dumps({**facts, "units": units, **columns}, ensure_ascii=False, default=_plain)


def _packed(facts: Any, table: Table | None) -> str:
    """Facts and table as JSON, packed, for a page should weigh little; the browser unpacks it."""
    return base64.b64encode(gzip.compress(facts_json(facts, table).encode("utf-8", "replace"), 6, mtime=0)).decode()


def _plain(value: Any) -> Any:
    """Arrays and array numbers as JSON takes them: six decimals, bitmaps as 0 and 1."""
    array = np.asarray(value)
    if array.dtype == bool:
        return array.astype(int).tolist()
    if np.issubdtype(array.dtype, np.floating):
        return np.round(array.astype(float), 6).tolist()
    return array.tolist()
