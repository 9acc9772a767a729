"""Which commit of a hub's model is meant: a branch is resolved once, at the first load, and that commit is used from
then on, on this machine, wherever the branch moves.

The commits stand in a lock file beside the hub's cache, `{"owner/name@branch": commit}`.  To use another commit, name
it, `owner/name@commit`, or delete the line.
"""

import json
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from app.wording.errors import UserError

LOCK_FILE = "glyphscope.lock.json"
BRANCH = "main"
"""What is meant where no revision is named."""
COMMIT = re.compile(r"[0-9a-f]{40}")
_PATIENCE = 10.0  # seconds for the hub to name a commit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pin:
    """commit: the one to use; newer: the one that the branch points at now, empty if the same or not known."""

    commit: str
    newer: str = ""


def pin(model: str, revision: str) -> Pin:
    """The commit of a model on the hub.  revision: a commit, which stands for itself, a branch, a tag, or "".

    Raises:
        UserError: when there is no such model or revision, the hub cannot be asked and nothing is known here, or
            the lock file is damaged.
    """
    if COMMIT.fullmatch(revision):
        return Pin(revision)
    name = f"{model}@{revision or BRANCH}"
    locked = read_locks().get(name)
    if locked is None:
        commit = _resolve(model, revision or BRANCH)
        _keep(name, commit)
        log.warning("%s is commit %s, and stays it (%s)", name, commit, lock_file())
        return Pin(commit)
    try:
        now = _ask(model, revision or BRANCH)
    except UserError:  # the hub is away, or no longer has the branch: the commit stands
        return Pin(locked)
    if now == locked:
        return Pin(locked)
    log.warning("%s has moved to commit %s; %s is used on (%s)", name, now, locked, lock_file())
    return Pin(locked, now)


def lock_file() -> Path:
    """The lock file: beside the folder of the hub's cache, and kept as long."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser().resolve().parent / LOCK_FILE


def read_locks() -> dict[str, str]:
    """All locked commits, `{"owner/name@branch": commit}`.

    Raises:
        UserError: `broken_lock`; to go on without it would be to follow the branch unasked.
    """
    try:
        locks = json.loads(lock_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError("broken_lock", file=LOCK_FILE) from error
    if not isinstance(locks, dict) or not all(isinstance(c, str) and COMMIT.fullmatch(c) for c in locks.values()):
        raise UserError("broken_lock", file=LOCK_FILE)
    return locks


def _keep(name: str, commit: str) -> None:
    path = lock_file()
    locks = json.dumps({**read_locks(), name: commit}, indent=1, sort_keys=True) + "\n"
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(locks, encoding="utf-8")
        part.replace(path)  # whole or not at all
    except OSError as error:
        raise UserError("no_lock", file=LOCK_FILE, model=name) from error


def _resolve(model: str, branch: str) -> str:
    """The commit of a branch by the hub; while it is away, by the cache, for files fetched in advance."""
    try:
        return _ask(model, branch)
    except UserError as error:
        cached = _cached(model, branch) if error.code in ("no_hub", "busy_hub") else ""
        if not cached:
            raise
        return cached


def _cached(model: str, branch: str) -> str:
    """The commit that the cache has of a branch, or ""."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE).expanduser() / repo_folder_name(repo_id=model, repo_type="model")
    try:
        commit = (folder / "refs" / branch).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    return commit if COMMIT.fullmatch(commit) and (folder / "snapshots" / commit).is_dir() else ""


def _ask(model: str, branch: str) -> str:
    from huggingface_hub import HfApi

    try:
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        commit = api.model_info(model, revision=branch, timeout=_PATIENCE).sha
    except Exception as error:  # no connection comes in many shapes
        raise hub_error(error, model, branch) from error
    if commit is None or not COMMIT.fullmatch(commit):
        raise UserError("no_hub", model=model)
    return commit


def hub_error(error: BaseException, model: str, revision: str) -> UserError:
    """What to tell a person of an error of the hub's client."""
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, RepositoryNotFoundError):  # not public is one of its kinds
        return UserError("wrong_id", model=model)
    if isinstance(error, RevisionNotFoundError):
        return UserError("wrong_revision", model=model, revision=revision)
    causes = [error, error.__cause__]  # a listing that failed is the cause of files that are not here
    if any(isinstance(cause, HfHubHTTPError) and cause.response.status_code == 429 for cause in causes):
        return UserError("busy_hub", model=model)
    return UserError("no_disk" if getattr(error, "errno", None) == 28 else "no_hub", model=model)
