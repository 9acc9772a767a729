"""Folders for what is compiled, fetched or temporary: one setting for all libraries, and a default that works for any
user and on a read-only system.

Not set, it is `~/.cache/glyphscope`, or where that cannot be written a folder of this user among the temporary files.
"""

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from app.wording.catalogue import say

CACHE = "GLYPHSCOPE_CACHE"
_TEMPORARY = "GRADIO_TEMP_DIR"
_FOLDERS = {_TEMPORARY: "gradio", "NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}
_HUB = {"HF_HOME": "hub"}
"""Moved only where it must be: earlier downloads lie in the hub's own default."""


def set_cache_folders() -> None:
    """Point all libraries to the folder, but for those that are set already.  Where nothing can be written they keep
    their own defaults, and say themselves what they lack.

    Raises:
        SystemExit: when the folder that is set cannot be written.
    """
    setting = os.environ.get(CACHE, "")
    folder = cache_folder()
    if folder is None:
        if setting:
            sys.exit(say("no_room", name=CACHE))
        return
    for name, part in {**_FOLDERS, **(_HUB if setting or folder != _at_home() else {})}.items():
        os.environ.setdefault(name, str(folder / part))


def cache_folder() -> Path | None:
    """The folder, made where it is not there; None if it cannot be written."""
    if setting := os.environ.get(CACHE, ""):
        places = [Path(setting).expanduser().absolute()]
    else:
        places = [place for place in (_at_home(), _among_temporary()) if place is not None]
    return next((place for place in places if _usable(place)), None)


def temporary_setting() -> str:
    """The setting that says where Gradio's temporary files go."""
    folder = cache_folder()
    ours = folder is not None and os.environ.get(_TEMPORARY) == str(folder / _FOLDERS[_TEMPORARY])
    return CACHE if ours or not os.environ.get(_TEMPORARY) else _TEMPORARY


def _at_home() -> Path | None:
    try:
        return Path.home() / ".cache" / "glyphscope"
    except RuntimeError:  # a user without a home
        return None


def _among_temporary() -> Path | None:
    """A folder that only this user can write: numba's cache is code, and anybody may write among temporary files."""
    with suppress(OSError):
        place = Path(tempfile.gettempdir()) / f"glyphscope-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        if not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022):
            return place if stat.S_ISDIR(found.st_mode) else None
    return None


def _usable(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False
