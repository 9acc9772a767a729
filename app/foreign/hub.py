"""Which checkpoint is meant, whether its code may run, and where its files are."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.errors import UserError

KNOWN: dict[str, str | None] = {
    "Bochkov/best_bvv_moe": None,
    "Bochkov/max_bvv_moe": None,
    "Bochkov/nemo_bvv_moe": None,
    "Bochkov/demo_bvv_moe": None,
    "Bochkov/best_bvv_ru": None,
    "Bochkov/best_bvv_zh": None,
    "Bochkov/best_bvv_unfrozen_ru": None,
    "Bochkov/best_bvv_unfrozen_zh": None,
}
"""Models whose code may run, with the revision that was looked at; None: no revision is known to us, and
GLYPHSCOPE_REVISION must name one.  The page offers these and no others."""
REVISION = "GLYPHSCOPE_REVISION"
TRUST = "GLYPHSCOPE_TRUST_REMOTE_CODE"
PATTERNS = ("*.json", "*.safetensors", "*.bin", "*.py", "*.txt", "*.model")

Progress = Callable[[float], object]
"""Told the share of the bytes that are here, 0..1."""


def is_hub_id(setting: str) -> bool:
    """Whether a setting reads like `owner/name` and is no folder."""
    return not Path(setting).exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", setting) is not None


def may_run_code(setting: str) -> bool:
    """Whether a checkpoint's own code may run: a model of the list above, or by explicit consent."""
    return setting in KNOWN or os.environ.get(TRUST) == "1"


def locate(setting: str, progress: Progress = lambda share: None) -> Path:
    """The folder of a setting: the folder itself, or the files of a hub id, fetched once.

    Raises:
        UserError: for neither a folder nor an id, for an id without a revision, and for everything that can
            go wrong while fetching.
    """
    if Path(setting).is_dir():
        return Path(setting)
    if not is_hub_id(setting):
        raise UserError("no_model", model=setting[:80])
    revision = KNOWN.get(setting) or os.environ.get(REVISION)
    if not revision:
        raise UserError("no_revision", model=setting, variable=REVISION)
    return _fetch(setting, revision, progress)


def _fetch(model: str, revision: str, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        folder = snapshot_download(
            model, revision=revision, allow_patterns=list(PATTERNS), tqdm_class=_reporting(progress)
        )
    except (RepositoryNotFoundError, GatedRepoError) as error:
        raise UserError("wrong_id", model=model) from error
    except RevisionNotFoundError as error:
        raise UserError("wrong_revision", model=model, revision=revision) from error
    except OSError as error:
        full = getattr(error, "errno", None) == 28
        known = isinstance(error, LocalEntryNotFoundError | HfHubHTTPError) or not full
        raise UserError("no_hub" if known else "no_disk", model=model) from error
    except Exception as error:  # no connection comes in many shapes
        raise UserError("no_hub", model=model) from error
    return Path(folder)


def _reporting(progress: Progress) -> Any:
    """A progress bar class that tells the share of bytes instead of drawing it."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": False, "file": open(os.devnull, "w")})  # noqa: SIM115

        def update(self, n: float | None = 1) -> Any:
            moved = super().update(n)
            if self.total and self.unit == "B":
                progress(min(1.0, self.n / self.total))
            return moved

    return Bar
