"""Which checkpoint is meant, whether its code may run, and where its files are."""

import io
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.foreign.files.lock import COMMIT, hub_error, pin
from app.wording.errors import UserError

KNOWN = (
    "Bochkov/best_bvv_moe",
    "Bochkov/max_bvv_moe",
    "Bochkov/nemo_bvv_moe",
    "Bochkov/demo_bvv_moe",
    "Bochkov/best_bvv_ru",
    "Bochkov/best_bvv_zh",
    "Bochkov/best_bvv_unfrozen_ru",
    "Bochkov/best_bvv_unfrozen_zh",
)
"""Models whose code may run once the operator names them, at the commit that is locked (`lock`)."""
TRUST = "GLYPHSCOPE_TRUST_REMOTE_CODE"
PATTERNS = ("*.json", "*.safetensors", "*.py", "*.txt", "*.model")
PICKLES = ("*.bin",)
"""Weights in the older format; fetched only where there are no others."""
_HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")

DownloadProgress = Callable[[float], object]
"""Called with the share of the bytes fetched so far, 0..1."""


@dataclass(frozen=True)
class Place:
    """A folder, or a hub id with its revision ("": none named).  newer: the commit that the branch of a pinned place
    points at now, if it has moved."""

    folder: Path | None
    model: str = ""
    revision: str = ""
    newer: str = ""

    @property
    def name(self) -> str:
        """As the page calls it: never a path."""
        return self.model or (self.folder.resolve().name if self.folder else "")

    def same(self, other: "Place") -> bool:
        """Whether both are one folder, or one hub id."""
        if self.folder is None or other.folder is None:
            return self.folder is other.folder and self.model == other.model
        return self.folder.resolve() == other.folder.resolve()

    @property
    def trusted(self) -> bool:
        """Whether the checkpoint's own code may run: a model of the list above, or by explicit consent, and from a hub
        only at one commit."""
        if self.folder is None and not COMMIT.fullmatch(self.revision):
            return False
        return self.model in KNOWN or os.environ.get(TRUST) == "1"


def place_of(setting: str) -> Place:
    """What a setting names: a folder first, else `owner/name`, else a folder that is not there."""
    if Path(setting).is_dir():
        return Place(Path(setting))
    named = _HUB_ID.fullmatch(setting)
    if named is None:
        return Place(Path(setting))
    return Place(None, named[1], named[2] or "")


def pinned(place: Place) -> Place:
    """A place with the commit that is meant (`lock`); a folder as it is.

    Raises:
        UserError: for an id or a revision that the hub does not have, and a hub that cannot be asked.
    """
    if place.folder is not None:
        return place
    found = pin(place.model, place.revision)
    return replace(place, revision=found.commit, newer=found.newer)


def locate(place: Place, progress: DownloadProgress = lambda share: None) -> Path:
    """The folder of a pinned place: the folder itself, or the files of a hub id, fetched once.

    Raises:
        UserError: for neither a folder nor an id, and for everything that can go wrong while fetching.
    """
    if place.folder is not None:
        if not place.folder.is_dir():
            raise UserError("no_model", model=place.name[:80])
        return place.folder
    assert COMMIT.fullmatch(place.revision), f"{place.revision!r} is no commit: see `pinned`"
    folder = _fetch(place.model, place.revision, PATTERNS, progress)
    if not any(folder.glob("*.safetensors")):
        folder = _fetch(place.model, place.revision, PICKLES, progress)
    return folder


def _fetch(model: str, revision: str, patterns: tuple[str, ...], progress: DownloadProgress) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            model,
            revision=revision,
            allow_patterns=list(patterns),
            tqdm_class=_reporting(progress),
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    except Exception as error:  # no connection comes in many shapes
        raise hub_error(error, model, revision) from error
    return Path(folder)


def _reporting(progress: DownloadProgress) -> Any:
    """A progress bar class that tells the share of all bytes instead of drawing it."""
    from tqdm import tqdm

    totals: dict[int, tuple[float, float]] = {}
    lock = threading.Lock()

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": False, "file": io.StringIO()})  # no bar is drawn

        def update(self, n: float | None = 1) -> Any:
            moved = super().update(n)
            if self.total and self.unit == "B":
                with lock:
                    totals[id(self)] = (float(self.n), float(self.total))
                    here, all_bytes = (sum(parts) for parts in zip(*totals.values(), strict=True))
                progress(min(1.0, here / all_bytes))
            return moved

    return Bar
