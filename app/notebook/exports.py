"""Reading what the page or a notebook saved: JSON, CSV, PNG and SVG say themselves what they are of."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from app.notebook.record import labels_of

if TYPE_CHECKING:
    import pandas

_METADATA = "{http://www.w3.org/2000/svg}metadata"


@dataclass(frozen=True, eq=False)
class Export:
    """about: what the file is of: model, weights, text, sampling, seed, layer, units, date; table: its values, None
    where it is a picture."""

    about: dict[str, Any]
    table: "pandas.DataFrame | None"


def read_export(path: str | Path) -> Export:
    """Read a saved file.

    Raises:
        ValueError: for a file that was not saved here.
    """
    path = Path(path)
    readers = {".json": _json, ".csv": _csv, ".png": _png, ".svg": _svg}
    if path.suffix not in readers:
        raise ValueError(f"{path.name} is no JSON, CSV, PNG or SVG file.")
    return readers[path.suffix](path)


def _json(path: Path) -> Export:
    import pandas

    read = json.loads(path.read_text(encoding="utf-8"))
    if "table" not in read:
        return Export(read["about"], None)
    index, values = read["table"]["index"], read["table"]["values"]
    columns = {name: _flat(cells, len(index)) for name, cells in values.items()}
    return Export(read["about"], pandas.DataFrame(columns, index=labels_of(index)))


def _flat(values: Any, depth: int) -> list[Any]:
    """The cells of nested lists, in their order."""
    return list(values) if depth == 1 else [cell for part in values for cell in _flat(part, depth - 1)]


def _csv(path: Path) -> Export:
    import pandas

    with path.open(encoding="utf-8-sig", newline="") as file:
        heads = [row[0] for row in csv.reader(file) if row and row[0].startswith("# ")]
    facts = (line.removeprefix("# ").partition(": ") for line in heads)
    about = {name: json.loads(value) for name, _, value in facts}
    return Export(about, pandas.read_csv(path, skiprows=len(heads), encoding="utf-8-sig", keep_default_na=False))


def _png(path: Path) -> Export:
    from PIL import Image

    with Image.open(path) as image:
        description = image.info.get("Description")
    if description is None:
        raise ValueError(f"{path.name} does not say what it is of.")
    return Export(json.loads(description), None)


def _svg(path: Path) -> Export:
    description = ElementTree.parse(path).getroot().findtext(_METADATA)
    if description is None:
        raise ValueError(f"{path.name} does not say what it is of.")
    return Export(json.loads(description), None)
