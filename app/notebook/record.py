"""What a scope returns: NumPy inside; a table, JSON or the page's own panel outside."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.models import LoadedModel
from app.wording.catalogue import Speech
from viz.html import Table, facts_json

if TYPE_CHECKING:
    import pandas

PAGE = Path(__file__).parents[2] / "assets" / "page"
_STYLES = (
    *(
        "colours",
        "marks",
        "panel",
        "legend",
        "sides",
        "strip",
        "glyphs",
        "experts",
        "layers",
        "lens",
        "charts",
        "proof",
    ),
    *("words", "patching", "drawing", "attribution"),
)


@dataclass(frozen=True, eq=False)
class Record(ABC):
    """What a question of a notebook gives."""

    model: LoadedModel
    """What drew it."""
    say: Speech
    """In which language it speaks."""
    about: Mapping[str, Any]
    """What it is of: model, weights, text, …"""

    @abstractmethod
    def table(self) -> Table:
        """Its values over named axes."""

    @abstractmethod
    def html(self) -> str:
        """Its panel, as the page draws it."""

    def facts(self) -> dict[str, Any]:
        """What belongs to it and is in no cell of the table."""
        return {}

    def to_pandas(self) -> "pandas.DataFrame":
        """One row for each cell of the axes, which are its index; `attrs` say what it is of."""
        import pandas

        table = self.table()
        index = labels_of(table.index)
        columns = {name: np.asarray(values).reshape(len(index)) for name, values in table.values.items()}
        frame = pandas.DataFrame(columns, index=index)
        frame.attrs = dict(self.about)
        return frame

    def to_json(self, path: str | Path | None = None) -> str:
        """As the page saves it: what it is of, its facts, units and table; written to a file if there is a path."""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"about": {**self.about, "date": when}}, ensure_ascii=False)
        whole = f"{text[:-1]}, {facts_json(self.facts(), self.table())[1:]}"
        if path is not None:
            Path(path).write_text(whole, encoding="utf-8")
        return whole

    def _repr_html_(self) -> str:
        return f"<style>{style()}</style><div class='gs-root gs-notebook'>{self.html()}</div>"


def labels_of(axes: Mapping[str, Sequence[Any]]) -> "pandas.Index":
    """Every combination of the labels of some axes, the last one varying fastest."""
    import pandas

    if len(axes) == 1:
        return pandas.Index(list(next(iter(axes.values()))), name=next(iter(axes)))
    return pandas.MultiIndex.from_product([list(labels) for labels in axes.values()], names=list(axes))


@cache
def style() -> str:
    """The style of the panels; menus and buttons, which need the page's scripts, are left out."""
    sheets = "".join((PAGE / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
    return (
        f"{sheets}.gs-notebook .gs-save,.gs-notebook .gs-full{{display:none}}.gs-notebook .gs-scroll{{max-height:none}}"
    )
